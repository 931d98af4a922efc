"""Authenticate: a credential is good, over, revoked or none, and each has its own answer."""

from __future__ import annotations

from asyncio import gather

import pytest

from sekisho.admin.accounts import disable_account
from sekisho.errors import AccessTokenExpired, RefreshTokenInvalid, SessionRevoked, Unauthorized
from sekisho.flows.authenticate import authenticate_bearer, authenticate_cookie
from sekisho.flows.logout import logout_token
from sekisho.model import Principal, Transport
from sekisho.sessions import TokenPair
from sekisho.tokens.session_values import new_session_id, new_session_secret
from world import ELSEWHERE, HANAKO, HOME, World, principal_of

pytestmark = pytest.mark.anyio

DAY_MS = 86_400_000


def bearer(world: World, pair: TokenPair) -> Principal:
    assert pair.access_token is not None
    return authenticate_bearer(pair.access_token, world.edge.authenticate)


async def by_cookie(world: World, pair: TokenPair) -> Principal:
    return await authenticate_cookie(pair.credential, HOME, world.edge.authenticate)


async def test_a_bearer_is_who_signed_in(world: World) -> None:
    pair = await world.signed_in(client_id="web:one-device-000000")
    assert bearer(world, pair) == principal_of(pair)


async def test_V7_4_1_a_bearer_is_revoked_at_once_when_its_session_ends(world: World) -> None:
    pair, other = await world.signed_in(), await world.signed_in()
    bearer(world, pair)
    await logout_token(pair.credential, HOME, world.edge.logout)
    with pytest.raises(SessionRevoked):
        bearer(world, pair)
    assert bearer(world, other).session_id == other.session.id


async def test_V7_4_1_every_access_token_of_a_replayed_session_is_revoked(world: World) -> None:
    first = await world.signed_in()
    second = await world.refresh(first.credential)
    third = await world.refresh(second.credential)
    with pytest.raises(RefreshTokenInvalid, match="counter 0, live 2"):
        await world.refresh(first.credential, origin=ELSEWHERE)
    for pair in (first, second, third):
        with pytest.raises(SessionRevoked):
            bearer(world, pair)


async def test_an_access_token_lives_for_fifteen_minutes_less_a_random_part(world: World) -> None:
    pair = await world.signed_in()
    assert 855 <= pair.expires_in <= 900
    world.clock.advance(seconds=pair.expires_in - 0.001)
    bearer(world, pair)
    world.clock.advance(seconds=0.001)
    with pytest.raises(AccessTokenExpired, match="exp"):
        bearer(world, pair)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é", "skr_" + "A" * 100, "A" * 9000])
async def test_what_is_no_access_token_is_unauthorized(world: World, token: str) -> None:
    with pytest.raises(Unauthorized):
        authenticate_bearer(token, world.edge.authenticate)


async def test_a_refresh_token_is_no_bearer(world: World) -> None:
    pair = await world.signed_in()
    with pytest.raises(Unauthorized):
        authenticate_bearer(pair.credential, world.edge.authenticate)


async def test_a_session_cookie_is_who_signed_in(world: World) -> None:
    pair = await world.signed_in(transport=Transport.SESSION)
    assert await by_cookie(world, pair) == principal_of(pair)


async def test_V7_3_1_a_session_cookie_slides_at_most_once_a_minute(world: World) -> None:
    pair = await world.signed_in(transport=Transport.SESSION)
    ends = []
    for _ in range(4):
        world.clock.advance(seconds=30)
        await by_cookie(world, pair)
        ends.append((await world.session(pair)).idle_expires_at - pair.session.idle_expires_at)
    assert ends == [0, 60_000, 60_000, 120_000]


async def test_V7_3_1_an_unused_session_cookie_is_over_after_thirty_days(world: World) -> None:
    pair = await world.signed_in(transport=Transport.SESSION)
    world.clock.advance(days=30, seconds=-0.001)
    await by_cookie(world, pair)
    world.clock.advance(days=30)
    with pytest.raises(SessionRevoked, match="expired"):
        await by_cookie(world, pair)


async def test_V7_3_2_a_session_cookie_in_constant_use_is_over_after_ninety_days(world: World) -> None:
    pair = await world.signed_in(transport=Transport.SESSION)
    for _ in range(4):
        world.clock.advance(days=22)
        await by_cookie(world, pair)
    assert (await world.session(pair)).idle_expires_at == pair.session.created_at + 90 * DAY_MS
    world.clock.advance(days=2)
    with pytest.raises(SessionRevoked, match="expired"):
        await by_cookie(world, pair)


async def test_a_cookie_of_another_session_secret_is_unauthorized(world: World) -> None:
    pair = await world.signed_in(transport=Transport.SESSION)
    cookies = world.edge.authenticate.session_cookies
    for value in (
        cookies.mint(pair.session.id, new_session_secret()),
        cookies.mint(new_session_id(), new_session_secret()),
    ):
        with pytest.raises(Unauthorized, match="no such session"):
            await authenticate_cookie(value, HOME, world.edge.authenticate)


async def test_a_cookie_that_was_touched_is_unauthorized(world: World) -> None:
    pair = await world.signed_in(transport=Transport.SESSION)
    middle = len(pair.credential) // 2
    flipped = "A" if pair.credential[middle] != "A" else "B"
    forged = pair.credential[:middle] + flipped + pair.credential[middle + 1 :]
    with pytest.raises(Unauthorized):
        await authenticate_cookie(forged, HOME, world.edge.authenticate)


async def test_a_refresh_token_is_no_cookie_and_a_cookie_is_no_refresh_token(world: World) -> None:
    body, cookie = await world.signed_in(), await world.signed_in(transport=Transport.SESSION)
    with pytest.raises(Unauthorized):
        await by_cookie(world, body)
    with pytest.raises(RefreshTokenInvalid, match="wrong length or prefix"):
        await world.refresh(cookie.credential)


async def test_V7_4_2_an_operator_who_disables_an_account_ends_every_credential_at_once(world: World) -> None:
    pairs = [await world.signed_in(transport=transport) for transport in Transport]
    await disable_account(HANAKO, world.operator())
    for pair in pairs[:2]:
        with pytest.raises(SessionRevoked):
            bearer(world, pair)
        with pytest.raises(RefreshTokenInvalid, match="session ended: account_disabled"):
            await world.refresh(pair.credential)
    with pytest.raises(SessionRevoked, match="account_disabled"):
        await by_cookie(world, pairs[2])


async def test_KA_027_no_refresh_that_races_a_disabling_survives_it(world: World) -> None:
    pairs = [await world.signed_in() for _ in range(4)]
    answers = await gather(
        *(world.refresh(pair.credential) for pair in pairs),
        disable_account(HANAKO, world.operator()),
        *(world.refresh(pair.credential) for pair in pairs),
        return_exceptions=True,
    )
    refreshed = [answer for answer in answers if isinstance(answer, TokenPair)]
    assert await world.live_refresh_tokens(*pairs, *refreshed) == 0
    for pair in [*pairs, *refreshed]:
        with pytest.raises(SessionRevoked):
            bearer(world, pair)

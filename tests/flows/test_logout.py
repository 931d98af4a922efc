"""Logout: whoever wants out gets out, at once and everywhere, and nobody else does."""

from __future__ import annotations

from asyncio import gather

import pytest

from sekisho.errors import RefreshTokenInvalid, SessionRevoked
from sekisho.flows.authenticate import authenticate_bearer, authenticate_cookie
from sekisho.flows.logout import logout_all, logout_cookie, logout_session, logout_token
from sekisho.model import EndReason, Transport
from sekisho.sessions import TokenPair
from world import HOME, World, principal_of

pytestmark = pytest.mark.anyio


async def log_out(world: World, pair: TokenPair) -> None:
    await logout_token(pair.credential, HOME, world.edge.logout)


async def test_V7_4_1_after_a_logout_neither_token_works(world: World) -> None:
    pair = await world.signed_in()
    await log_out(world, pair)
    with pytest.raises(SessionRevoked):
        authenticate_bearer(pair.access_token or "", world.edge.authenticate)
    with pytest.raises(RefreshTokenInvalid, match="session ended: logout"):
        await world.refresh(pair.credential)


async def test_V7_4_1_after_a_logout_the_session_cookie_is_refused(world: World) -> None:
    pair = await world.signed_in(transport=Transport.SESSION)
    await logout_cookie(pair.credential, HOME, world.edge.logout)
    with pytest.raises(SessionRevoked, match="logout"):
        await authenticate_cookie(pair.credential, HOME, world.edge.authenticate)


async def test_V7_4_1_a_restart_brings_no_ended_session_back(world: World) -> None:
    pair = await world.signed_in()
    await log_out(world, pair)
    await world.restart()
    with pytest.raises(SessionRevoked):
        authenticate_bearer(pair.access_token or "", world.edge.authenticate)
    with pytest.raises(RefreshTokenInvalid):
        await world.refresh(pair.credential)


async def test_any_authentic_token_of_the_session_logs_out_whatever_its_age(world: World) -> None:
    first = await world.signed_in()
    last = await world.refresh((await world.refresh(first.credential)).credential)
    await log_out(world, first)
    assert (await world.session(last)).end_reason == EndReason.LOGOUT
    assert await world.mail() == []


async def test_logging_out_twice_is_no_error_and_one_audit_record(world: World) -> None:
    pair = await world.signed_in()
    await gather(*(log_out(world, pair) for _ in range(4)))
    await logout_session(pair.session.id, HOME, world.edge.logout)
    assert [line.reason for line in await world.audit("session_ended")] == [EndReason.LOGOUT]


@pytest.mark.parametrize("token", ["", "skr_", "nonsense", "skr_" + "A" * 103])
async def test_what_is_not_authentic_ends_nothing_and_is_no_error(world: World, token: str) -> None:
    pair = await world.signed_in()
    await logout_token(token, HOME, world.edge.logout)
    await logout_cookie(token, HOME, world.edge.logout)
    assert await world.is_live(pair)


async def test_a_refresh_token_is_no_session_cookie(world: World) -> None:
    pair = await world.signed_in()
    await logout_cookie(pair.credential, HOME, world.edge.logout)
    assert await world.is_live(pair)


async def test_a_logout_that_races_a_refresh_wins(world: World) -> None:
    pair = await world.signed_in()
    answers = await gather(
        *(world.refresh(pair.credential) for _ in range(5)), log_out(world, pair), return_exceptions=True
    )
    pairs = [answer for answer in answers if isinstance(answer, TokenPair)]
    assert await world.live_refresh_tokens(pair, *pairs) == 0
    for each in pairs:
        with pytest.raises(SessionRevoked):
            authenticate_bearer(each.access_token or "", world.edge.authenticate)


async def test_logout_all_ends_every_session_of_the_account_and_of_no_other(world: World) -> None:
    mine = [await world.signed_in() for _ in range(3)]
    others = await world.signed_in("jiro@mail.test")
    ended = await logout_all(principal_of(mine[0]), HOME, except_current=False, world=world.edge.logout)
    assert ended == 3
    assert [await world.is_live(pair) for pair in [*mine, others]] == [False, False, False, True]
    for pair in mine:
        with pytest.raises(SessionRevoked):
            authenticate_bearer(pair.access_token or "", world.edge.authenticate)


async def test_logout_all_may_spare_the_session_that_asks(world: World) -> None:
    mine = [await world.signed_in() for _ in range(3)]
    ended = await logout_all(principal_of(mine[1]), HOME, except_current=True, world=world.edge.logout)
    assert ended == 2
    assert [await world.is_live(pair) for pair in mine] == [False, True, False]


async def test_logout_all_leaves_one_audit_record_for_each_session(world: World) -> None:
    mine = [await world.signed_in() for _ in range(3)]
    calls = [logout_all(principal_of(mine[0]), HOME, except_current=False, world=world.edge.logout) for _ in range(3)]
    assert sum(await gather(*calls)) == 3
    ended = await world.audit("session_ended")
    assert {line.session_id for line in ended} == {pair.session.id for pair in mine}
    assert [line.reason for line in ended] == [EndReason.LOGOUT_ALL] * 3

"""Password change: by who knows the current one, told to the owner, and nothing changes on a refusal."""

from __future__ import annotations

from asyncio import gather

import pytest
from msgspec.structs import replace

from flows.counting import Meanwhile
from sekisho.errors import InvalidCredentials, RateLimitExceeded, ServiceUnavailable, SessionRevoked, ValidationError
from sekisho.flows.password_change import PasswordChange, PasswordChangeWorld, change_password
from sekisho.flows.withdrawal import withdraw
from sekisho.model import EndReason
from sekisho.sessions import TokenPair
from world import ELSEWHERE, HANAKO, HOME, PASSWORD, World, a_network, principal_of

pytestmark = pytest.mark.anyio

NEW = "thirteen loud crickets"
# The same password, as a Japanese keyboard may type it.
FULL_WIDTH = PASSWORD.translate({letter: letter + 0xFEE0 for letter in range(ord("a"), ord("z") + 1)})


async def change(
    world: World,
    pair: TokenPair,
    password: str = NEW,
    *,
    current: str = PASSWORD,
    keep: bool = False,
    bundle: PasswordChangeWorld | None = None,
) -> int:
    wanted = PasswordChange(current_password=current, password=password, keep_other_sessions=keep)
    return await change_password(wanted, principal_of(pair), HOME, bundle or world.edge.password_change)


async def test_V6_2_2_V6_2_3_the_new_password_counts_and_the_old_one_does_not(world: World) -> None:
    pair = await world.signed_in()
    with pytest.raises(InvalidCredentials):
        await change(world, pair, current="not this one")
    await world.login()
    await change(world, pair)
    with pytest.raises(InvalidCredentials):
        await world.login()
    await world.login(password=NEW)


@pytest.mark.parametrize("keep", [False, True])
async def test_V7_4_3_the_other_sessions_end_unless_they_are_to_be_kept(world: World, keep: bool) -> None:
    mine, other = await world.signed_in(), await world.signed_in(origin=ELSEWHERE)
    assert await change(world, mine, keep=keep) == (0 if keep else 1)
    assert [await world.is_live(pair) for pair in (mine, other)] == [True, keep]
    if not keep:
        assert (await world.session(other)).end_reason == EndReason.PASSWORD_CHANGED
    await world.refresh(mine.credential)


async def test_V6_3_7_the_owner_is_told_once(world: World) -> None:
    await change(world, await world.signed_in())
    letters = [letter.subject for letter in await world.mail(HANAKO)]
    assert letters == ["Your password at Sekisho was changed"]


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", "too_short"),
        (PASSWORD, "unchanged"),
        (FULL_WIDTH, "unchanged"),
        ("hanako@mail.test", "contains_personal_word"),
    ],
)
async def test_a_password_that_may_not_be_costs_no_try_and_changes_nothing(
    world: World, password: str, reason: str
) -> None:
    pair = await world.signed_in()
    for _ in range(7):
        with pytest.raises(ValidationError) as refused:
            await change(world, pair, password)
        assert (refused.value.details or {})["password"] == reason
    await change(world, pair)


async def test_V6_2_11_the_owners_name_is_no_password(world: World) -> None:
    await world.account(name="Natsume Souseki")
    with pytest.raises(ValidationError) as refused:
        await change(world, await world.signed_in(), "NatsumeSouseki!")
    assert (refused.value.details or {})["password"] == "contains_personal_word"


async def test_V6_3_1_wrong_current_passwords_are_limited_and_audited(world: World) -> None:
    pair = await world.signed_in()
    for _ in range(5):
        with pytest.raises(InvalidCredentials):
            await change(world, pair, current="not this one")
    with pytest.raises(RateLimitExceeded):
        await change(world, pair)
    lines = await world.audit("password_change")
    assert [(line.outcome, line.reason) for line in lines] == [("failure", "wrong_password")] * 5


async def test_of_changes_at_once_one_wins_and_the_owner_hears_of_one(world: World) -> None:
    pair = await world.signed_in()
    passwords = [f"{number} loud crickets" for number in range(4)]
    answers = await gather(*(change(world, pair, password) for password in passwords), return_exceptions=True)
    winners = [password for password, answer in zip(passwords, answers, strict=True) if answer == 0]
    assert len(winners) == 1
    assert {type(answer) for answer in answers if answer != 0} <= {ServiceUnavailable, InvalidCredentials}
    assert await world.live_refresh_tokens(pair) == 1, "the session goes on, and no loser was told otherwise"
    await world.login(password=winners[0])
    assert len(await world.mail(HANAKO)) == 1


async def test_whoever_is_overtaken_by_a_change_that_ended_the_session_is_told_so(world: World) -> None:
    pair, other = await world.signed_in(), await world.signed_in(origin=a_network(1))
    during = Meanwhile(world.store, lambda: change(world, other, "nine loud crickets"))
    with pytest.raises(SessionRevoked):
        await change(world, pair, bundle=replace(world.edge.password_change, store=during))


async def test_a_withdrawal_while_it_is_hashed_wins(world: World) -> None:
    pair = await world.signed_in()
    during = Meanwhile(world.store, lambda: withdraw(PASSWORD, principal_of(pair), HOME, world.edge.withdrawal))
    with pytest.raises(SessionRevoked):
        await change(world, pair, bundle=replace(world.edge.password_change, store=during))
    account = await world.store.find_account(pair.account.id)
    assert account is not None
    assert account.password_hash is None

"""Sessions in the operator's hands."""

from __future__ import annotations

import pytest

from admin.operator import JOURNAL_MS, operator_of
from sekisho.admin.sessions import end_all_sessions, end_everybodys_sessions, end_session, list_sessions
from sekisho.errors import NotFound, RefreshTokenInvalid
from world import HANAKO, World

pytestmark = pytest.mark.anyio


async def test_the_list_shows_live_sessions_last_used_first(world: World) -> None:
    first = await world.signed_in()
    world.clock.advance(minutes=1)
    second = await world.signed_in()
    account, live = await list_sessions(HANAKO, operator_of(world))
    assert account.id == first.account.id
    assert [session.id for session in live] == [second.session.id, first.session.id]


async def test_ASVS_7_4_5_an_ended_session_is_journaled_and_audited_as_the_operators_doing(world: World) -> None:
    pair, other = await world.signed_in(), await world.signed_in()
    await end_session(pair.session.id, operator_of(world))
    with pytest.raises(RefreshTokenInvalid):
        await world.refresh(pair.credential)
    assert await world.is_live(other)
    (line,) = await world.audit("session_ended")
    assert (line.session_id, line.actor, line.reason) == (pair.session.id, "operator", "ended_by_operator")
    (entry,) = (await world.store.read_journal(0)).entries
    assert (entry.kind, entry.value, entry.expires_at) == ("sid", pair.session.id, world.now + JOURNAL_MS)


async def test_a_session_that_is_unknown_or_ended_already_is_not_found(world: World) -> None:
    pair = await world.signed_in()
    await end_session(pair.session.id, operator_of(world))
    for session_id in (pair.session.id, "nothing"):
        with pytest.raises(NotFound):
            await end_session(session_id, operator_of(world))
    assert len(await world.audit("session_ended")) == 1


async def test_V7_4_5_the_sessions_of_everybody_end_some_accounts_at_a_time(world: World) -> None:
    pairs = [await world.signed_in(f"person-{number}@mail.test") for number in range(5)]
    pairs.append(await world.signed_in("person-0@mail.test"))
    assert await end_everybodys_sessions(operator_of(world), at_once=2) == 6
    for pair in pairs:
        assert not await world.is_live(pair)
        with pytest.raises(RefreshTokenInvalid):
            await world.refresh(pair.credential)
    assert await end_everybodys_sessions(operator_of(world), at_once=2) == 0
    assert await world.is_live(await world.signed_in("person-1@mail.test"))


async def test_ending_all_counts_them_and_leaves_other_accounts_alone(world: World) -> None:
    mine = [await world.signed_in() for _ in range(3)]
    other = await world.signed_in("taro@mail.test")
    assert await end_all_sessions(mine[0].account.id, operator_of(world)) == 3
    assert await end_all_sessions(HANAKO, operator_of(world)) == 0
    assert await world.is_live(other)
    with pytest.raises(NotFound):
        await end_all_sessions("nobody@mail.test", operator_of(world))

"""Session list: what is mine I can see and end; what is another's looks like nothing."""

from __future__ import annotations

import pytest

from sekisho.errors import NotFound, SessionRevoked
from sekisho.flows.authenticate import authenticate_bearer
from sekisho.flows.session_list import current_session, end_session, list_sessions
from sekisho.model import EndReason
from sekisho.tokens.session_values import new_session_id
from world import ELSEWHERE, HOME, World, principal_of

pytestmark = pytest.mark.anyio


async def test_the_current_session_is_that_of_the_caller(world: World) -> None:
    await world.signed_in(origin=ELSEWHERE)
    pair = await world.signed_in()
    current = await current_session(principal_of(pair), world.edge.session_list)
    assert (current.account.id, current.session.id) == (pair.account.id, pair.session.id)


async def test_a_session_that_ended_during_the_call_is_revoked(world: World) -> None:
    pair = await world.signed_in()
    await end_session(pair.session.id, principal_of(pair), HOME, world.edge.session_list)
    with pytest.raises(SessionRevoked):
        await current_session(principal_of(pair), world.edge.session_list)


async def test_V7_5_2_the_live_sessions_are_listed_last_used_first(world: World) -> None:
    pairs = []
    for _ in range(4):
        pairs.append(await world.signed_in())
        world.clock.advance(seconds=1)
    await world.signed_in("jiro@mail.test")
    await world.refresh(pairs[1].credential)
    await end_session(pairs[2].session.id, principal_of(pairs[0]), HOME, world.edge.session_list)
    listed = await list_sessions(principal_of(pairs[0]), world.edge.session_list)
    assert [session.id for session in listed] == [pairs[number].session.id for number in (1, 3, 0)]


async def test_an_expired_session_is_not_listed_even_before_it_is_swept(world: World) -> None:
    old = await world.signed_in()
    world.clock.advance(days=30)
    new = await world.signed_in()
    listed = await list_sessions(principal_of(new), world.edge.session_list)
    assert [session.id for session in listed] == [new.session.id]
    with pytest.raises(NotFound):
        await end_session(old.session.id, principal_of(new), HOME, world.edge.session_list)


async def test_V7_5_2_one_of_my_sessions_can_be_ended_from_another(world: World) -> None:
    lost_phone, laptop = await world.signed_in(client_id="phone"), await world.signed_in()
    await end_session(lost_phone.session.id, principal_of(laptop), HOME, world.edge.session_list)
    with pytest.raises(SessionRevoked):
        authenticate_bearer(lost_phone.access_token or "", world.edge.authenticate)
    assert await world.is_live(laptop)
    [line] = await world.audit("session_ended")
    assert (line.session_id, line.reason) == (lost_phone.session.id, EndReason.ENDED_BY_OWNER)


async def test_V8_2_2_what_is_unknown_ended_or_anothers_looks_the_same(world: World) -> None:
    mine, ended = await world.signed_in(), await world.signed_in()
    others = await world.signed_in("jiro@mail.test")
    await end_session(ended.session.id, principal_of(mine), HOME, world.edge.session_list)
    for target in (others.session.id, ended.session.id, new_session_id(), "", "x" * 300):
        with pytest.raises(NotFound) as refused:
            await end_session(target, principal_of(mine), HOME, world.edge.session_list)
        assert (refused.value.detail, refused.value.details) == ("not_live", None)
    assert await world.is_live(others)

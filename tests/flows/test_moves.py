"""Moves: what is made of a session that is used from another network than before, and that staying costs nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from sekisho.anomalies import LastUse
from sekisho.anomalies.moves import Moves, MoveTools
from sekisho.errors import RefreshTokenInvalid, SessionRevoked, StepUpRequired
from sekisho.flows.authenticate import authenticate_cookie
from sekisho.flows.enrolment import Enrol, enrol
from sekisho.model import EndReason, Origin, Transport
from sekisho.ports.storage import Store, StoreUnavailable
from sekisho.sessions import TokenPair
from world import ELSEWHERE, HOME, World, new_world, principal_of

pytestmark = pytest.mark.anyio

ON_THE_TRAIN = Origin(ip="192.0.2.9", user_agent=HOME.user_agent)
ON_THE_BUS = Origin(ip="100.64.3.9", user_agent=HOME.user_agent)
NEXT_DOOR = Origin(ip="203.0.113.250", user_agent=HOME.user_agent)


async def reasons(world: World) -> list[str]:
    return sorted(each.reason for each in await world.audit("session_unusual"))


async def letters(world: World) -> list[str]:
    return [each.text for each in await world.mail() if "is suddenly used" in each.text]


class CountingStore:
    """Counts the calls of every kind; can be told to be away for reads of the trail."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self.calls: list[str] = []
        self.is_away = False

    def __getattr__(self, name: str) -> Any:
        wanted = getattr(self._inner, name)

        async def counted(*args: Any, **named: Any) -> Any:
            self.calls.append(name)
            if self.is_away:
                raise StoreUnavailable("away")
            return await wanted(*args, **named)

        return counted


def counting(world: World) -> tuple[Moves, CountingStore]:
    tools = world.edge.refresh.moves._tools
    store = CountingStore(world.store)
    made = MoveTools(
        store=store,  # type: ignore[arg-type]
        anomalies=tools.anomalies,
        notices=tools.notices,
        sessions=tools.sessions,
        devices=tools.devices,
    )
    return Moves(made), store


async def move(moves: Moves, pair: TokenPair, origin: Origin, world: World) -> bool:
    """Let the session be used from there; return whether it was judged."""
    session = await world.session(pair)
    if not moves.has_moved(session, session.ip, origin.ip):
        return False
    await moves.judge(session, pair.account, LastUse(session.ip, session.last_seen_at), origin, world.now)
    return True


async def test_V8_2_4_a_refresh_from_a_new_network_is_noted_once_for_each_network(noting: World) -> None:
    world = noting
    pair = await world.signed_in()
    for origin in (HOME, NEXT_DOOR, ON_THE_TRAIN, HOME, ON_THE_TRAIN, HOME):
        world.clock.advance(minutes=20)
        pair = await world.refresh(pair.credential, origin=origin)
    assert await reasons(world) == ["refresh_from_new_network"]
    (line,) = await world.audit("session_unusual")
    assert (line.session_id, line.ip) == (pair.session.id, ON_THE_TRAIN.ip)
    assert await letters(world) == []

    world.clock.advance(minutes=20)
    await world.refresh(pair.credential, origin=ON_THE_BUS)
    assert len(await reasons(world)) == 2


async def test_by_default_a_move_alone_is_not_noted_as_telephones_move_all_day(world: World) -> None:
    pair = await world.signed_in()
    await world.refresh(pair.credential, origin=ON_THE_TRAIN)
    assert await reasons(world) == []


async def test_a_telephone_under_way_is_noted_once_an_hour(noting: World) -> None:
    world = noting
    pair = await world.signed_in()
    for number in range(12):
        world.clock.advance(minutes=10)
        pair = await world.refresh(pair.credential, origin=replace(HOME, ip=f"10.{number}.0.1"))
    assert len(await world.audit("session_unusual")) == 2


async def test_a_session_that_goes_on_in_another_browser_elsewhere_is_told(world: World) -> None:
    pair = await world.signed_in()
    pair = await world.refresh(pair.credential, origin=ELSEWHERE)
    assert await reasons(world) == ["refresh_from_new_network", "refresh_from_other_device"]
    (letter,) = await letters(world)
    assert ELSEWHERE.ip in letter
    assert "/not-me and enter" in letter
    await world.refresh(pair.credential, origin=ELSEWHERE)
    assert len(await letters(world)) == 1


async def test_staying_in_a_network_costs_no_store_operation_and_moving_one_read(noting: World) -> None:
    world = noting
    pair = await world.signed_in()
    moves, store = counting(world)
    for origin in (HOME, NEXT_DOOR, Origin(), Origin(ip="no address")):
        assert not await move(moves, pair, origin, world)
    assert store.calls == []

    assert await move(moves, pair, ON_THE_TRAIN, world)
    assert store.calls == ["list_traces", "apply"]
    assert not await move(moves, pair, ON_THE_TRAIN, world)
    assert store.calls == ["list_traces", "apply"], "judged once"


async def test_a_store_that_is_away_signs_nobody_out(noting: World) -> None:
    world = noting
    pair = await world.signed_in()
    moves, store = counting(world)
    store.is_away = True
    assert await move(moves, pair, ON_THE_TRAIN, world)
    store.is_away = False
    assert await move(moves, pair, ON_THE_TRAIN, world), "it is judged at the next use"
    assert await reasons(world) == ["refresh_from_new_network"]


@pytest.fixture
async def noting(tmp_path: Path) -> AsyncIterator[World]:
    async with new_world(tmp_path, {"anomalies.note_from": "15"}) as opened:
        yield opened


@pytest.fixture
async def asking(tmp_path: Path) -> AsyncIterator[World]:
    async with new_world(tmp_path, {"anomalies.ask_from": "45"}) as opened:
        yield opened


async def test_V8_2_4_a_session_that_moved_too_far_must_prove_anew_before_anything_sensitive(asking: World) -> None:
    world = asking
    pair = await world.signed_in()
    moved = await world.refresh(pair.credential, origin=ELSEWHERE)
    assert moved.session.auth_time_at == 0, "what the access token says to other APIs"
    assert (await world.session(moved)).auth_time_at == 0
    with pytest.raises(StepUpRequired):
        await enrol(Enrol("totp", ""), principal_of(moved), ELSEWHERE, world.edge.factors)
    assert (await world.session(moved)).ended_at is None


async def test_a_small_move_leaves_the_proof_as_it_is(asking: World) -> None:
    pair = await asking.signed_in()
    moved = await asking.refresh(pair.credential, origin=ON_THE_TRAIN)
    await enrol(Enrol("totp", ""), principal_of(moved), ON_THE_TRAIN, asking.edge.factors)


@pytest.mark.parametrize("transport", [Transport.BODY, Transport.COOKIE, Transport.SESSION])
async def test_V8_2_4_a_session_that_moved_too_far_ends_where_the_operator_says_so(
    tmp_path: Path, transport: Transport
) -> None:
    async with new_world(tmp_path, {"anomalies.refuse_from": "45"}) as world:
        pair = await world.signed_in(transport=transport)
        if transport is Transport.SESSION:
            with pytest.raises(SessionRevoked):
                await authenticate_cookie(pair.credential, ELSEWHERE, world.edge.authenticate)
        else:
            with pytest.raises(RefreshTokenInvalid) as refused:
                await world.refresh(pair.credential, origin=ELSEWHERE)
            assert refused.value.detail == "moved too unusually"
        assert (await world.session(pair)).end_reason == EndReason.MOVED_UNUSUALLY
        assert len(await letters(world)) == 1


async def test_a_session_cookie_that_moves_is_noted_as_a_refresh_is(noting: World) -> None:
    world = noting
    pair = await world.signed_in(transport=Transport.SESSION)
    for _ in range(3):
        await authenticate_cookie(pair.credential, ON_THE_TRAIN, world.edge.authenticate)
    assert await reasons(world) == ["refresh_from_new_network"]


async def test_without_a_policy_no_move_is_looked_at(tmp_path: Path) -> None:
    async with new_world(tmp_path, {"anomalies.note_from": "0", "anomalies.mail_from": "0"}) as world:
        pair = await world.signed_in()
        await world.refresh(pair.credential, origin=ELSEWHERE)
        assert await reasons(world) == []

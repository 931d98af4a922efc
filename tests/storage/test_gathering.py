"""Rotations that leave together on PostgreSQL: one commit, and what goes wrong with one is no neighbour's business."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from sekisho.model import Session, SessionId
from sekisho.ports.changes import RotateSession
from sekisho.ports.storage import (
    AuditFilter,
    Ended,
    Outcome,
    Repeated,
    Replayed,
    Rotated,
    StoreUnavailable,
    WrongClient,
)
from sekisho.storage.changes.rotation import classify
from sekisho.storage.postgres import PostgresStore, rotation
from sekisho.storage.postgres.gathering import MOST_TOGETHER
from sekisho.storage.postgres.rotation import ROTATE_FREE, RotationDisagrees, rotate_together
from sekisho.storage.postgres.texts import numbered
from storage.build import MINUTE, NOW, done, end, rotate, signed_in
from storage.fast_postgres import lent_store, server
from storage.test_postgres import SOMEBODY_WAITS, store_url, target_of

pytestmark = pytest.mark.anyio

COMMITS = "SELECT count(DISTINCT xmin::text) FROM sessions"
PLANS = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement = $1"
WHO_WAITS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture(scope="module", autouse=True)
def running_server() -> None:
    server()


@pytest.fixture
async def store() -> AsyncIterator[PostgresStore]:
    async with lent_store() as opened:
        yield opened


@pytest.fixture
async def other(store: PostgresStore) -> AsyncIterator[asyncpg.Connection]:
    """Somebody else in the same database."""
    connection = await asyncpg.connect(store_url(store))
    yield connection
    await connection.close()


async def sessions(store: PostgresStore, count: int) -> list[Session]:
    return [(await signed_in(store))[1] for _ in range(count)]


def together(store: PostgresStore, *wanted: RotateSession) -> list[asyncio.Task[Outcome]]:
    """Ask for all of them in one turn of the loop."""
    return [asyncio.create_task(store.apply(one)) for one in wanted]


def kinds(outcomes: list[Outcome | BaseException]) -> list[type]:
    return [type(one.results[0]) if isinstance(one, Outcome) else type(one) for one in outcomes]


async def somebody_waits(watcher: asyncpg.Connection) -> None:
    async with asyncio.timeout(10):
        while not await watcher.fetchval(SOMEBODY_WAITS):  # noqa: ASYNC110 - the server is asked
            await asyncio.sleep(0.01)


async def counters(store: PostgresStore, each: list[Session]) -> list[int]:
    found = [await store.find_session(one.id) for one in each]
    return [one.counter for one in found if one is not None]


async def test_what_comes_in_one_turn_of_the_loop_is_one_commit(
    store: PostgresStore, other: asyncpg.Connection
) -> None:
    each = await sessions(store, 8)
    outcomes = await asyncio.gather(*together(store, *map(rotate, each)))
    assert kinds([*outcomes]) == [Rotated] * 8
    assert [one.results[0].session.id for one in outcomes] == [one.id for one in each]
    assert [one.results[0].session for one in outcomes] == [await store.find_session(one.id) for one in each]
    assert await other.fetchval(COMMITS) == 1


async def test_while_every_connection_is_at_work_they_gather_and_then_leave_together(
    store: PostgresStore, other: asyncpg.Connection
) -> None:
    each = await sessions(store, 6)
    held = [await store._pool.acquire() for _ in range(target_of(store).pool_size)]
    tasks = []
    for one in each:
        tasks += together(store, rotate(one))
        await asyncio.sleep(0.01)
    assert not any(task.done() for task in tasks)
    for connection in held:
        await store._pool.release(connection)
    assert kinds([*await asyncio.gather(*tasks)]) == [Rotated] * 6
    assert await other.fetchval(COMMITS) == 1


async def test_more_than_may_leave_together_leave_in_several_commits(
    store: PostgresStore, other: asyncpg.Connection
) -> None:
    each = await sessions(store, MOST_TOGETHER + 3)
    outcomes = await asyncio.gather(*together(store, *map(rotate, each)))
    assert kinds([*outcomes]) == [Rotated] * len(each)
    assert await other.fetchval(COMMITS) == 2


async def test_each_has_the_verdict_of_its_own_row(store: PostgresStore) -> None:
    live, behind, repeated, replayed, elsewhere, ended, stolen = await sessions(store, 7)
    await done(store, rotate(repeated))
    await done(store, rotate(replayed))
    await done(store, rotate(replayed, 1))
    await done(store, end(ended))
    outcomes = await asyncio.gather(
        *together(
            store,
            rotate(live),
            rotate(behind, 7, user_agent="Browser 7"),
            rotate(repeated),
            rotate(replayed),
            rotate(elsewhere, client_id="ios:one"),
            rotate(ended),
            rotate(stolen, secret_hash=bytes(32)),
            rotate(live, session_id=SessionId("unknown")),
        )
    )
    assert kinds([*outcomes]) == [Rotated, Rotated, Repeated, Replayed, WrongClient, Ended, Ended, Ended]
    assert [one.results[0].detail for one in outcomes[5:]] == [
        "session ended: logout",
        "not this session's secret",
        "unknown session",
    ]
    assert await counters(store, [live, behind, repeated, replayed, elsewhere, stolen]) == [1, 8, 1, 2, 0, 0]
    (line,) = await store.list_audit(AuditFilter(event="store_behind"))
    assert (line.session_id, line.user_agent) == (behind.id, "Browser 7")


async def test_each_is_judged_and_noted_by_its_own_clock_and_address(store: PostgresStore) -> None:
    early, late = await sessions(store, 2)
    await asyncio.gather(
        *together(store, rotate(early, now=NOW + 1, ip="192.0.2.1"), rotate(late, now=NOW + MINUTE, ip="192.0.2.2"))
    )
    found = [await store.find_session(one.id) for one in (early, late)]
    assert [(one.rotated_at, one.ip) for one in found if one] == [(NOW + 1, "192.0.2.1"), (NOW + MINUTE, "192.0.2.2")]


async def test_two_of_one_session_in_one_turn_get_one_successor_and_keep_nobody_back(store: PostgresStore) -> None:
    twice, neighbour = await sessions(store, 2)
    outcomes = await asyncio.gather(*together(store, rotate(twice), rotate(twice), rotate(neighbour)))
    assert sorted(one.__name__ for one in kinds([*outcomes[:2]])) == ["Repeated", "Rotated"]
    assert {one.results[0].session.counter for one in outcomes} == {1}
    assert await counters(store, [twice, neighbour]) == [1, 1]


async def test_two_tokens_of_one_session_in_one_turn_are_judged_one_after_the_other(store: PostgresStore) -> None:
    of, neighbour = await sessions(store, 2)
    await done(store, rotate(of))
    outcomes = await asyncio.gather(*together(store, rotate(of, 1), rotate(of, 0), rotate(neighbour)))
    # Whichever comes first: the live token rotates; its predecessor repeats before that and is a replay after.
    assert kinds([*outcomes])[0] is Rotated
    assert kinds([*outcomes])[1] in (Repeated, Replayed)
    assert await counters(store, [of, neighbour]) == [2, 1]


async def test_a_row_that_somebody_holds_keeps_only_its_own_rotation_waiting(
    store: PostgresStore, other: asyncpg.Connection
) -> None:
    first, held, last = await sessions(store, 3)
    holding = other.transaction()
    await holding.start()
    await other.execute("SELECT 1 FROM sessions WHERE id = $1 FOR UPDATE", held.id)
    tasks = together(store, rotate(first), rotate(held), rotate(last))
    async with asyncio.timeout(3):
        outcomes = [await tasks[0], await tasks[2]]
    assert kinds([*outcomes]) == [Rotated, Rotated]
    await somebody_waits(other)
    assert not tasks[1].done()
    await holding.commit()
    assert kinds([await tasks[1]]) == [Rotated]
    assert await counters(store, [first, held, last]) == [1, 1, 1]


@pytest.mark.parametrize(
    ("agent", "refused"),
    [("a\x00b", asyncpg.CharacterNotInRepertoireError), ("a\ud800b", asyncpg.DataError)],
    ids=["the server refuses it", "the driver cannot write it"],
)
async def test_one_that_cannot_be_stored_fails_alone(
    store: PostgresStore, agent: str, refused: type[Exception]
) -> None:
    first, wrong, last = await sessions(store, 3)
    tasks = together(store, rotate(first), rotate(wrong, user_agent=agent), rotate(last))
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert kinds(outcomes) == [Rotated, refused, Rotated]
    assert await counters(store, [first, wrong, last]) == [1, 0, 1]


async def test_one_whose_row_is_judged_differently_is_an_error_of_its_own(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, wrong = await sessions(store, 2)
    monkeypatch.setattr(
        rotation,
        "classify",
        lambda row, owner, change: Ended("no") if row.id == wrong.id else classify(row, owner, change),
    )
    outcomes = await asyncio.gather(*together(store, rotate(first), rotate(wrong)), return_exceptions=True)
    assert kinds(outcomes) == [Rotated, RotationDisagrees]


async def test_a_caller_that_is_cancelled_leaves_its_rotation_and_the_others_to_come_to_their_end(
    store: PostgresStore, other: asyncpg.Connection
) -> None:
    gone, stays = await sessions(store, 2)
    holding = other.transaction()
    await holding.start()
    await other.execute("LOCK TABLE sessions IN EXCLUSIVE MODE")
    leaving, staying = together(store, rotate(gone), rotate(stays))
    await somebody_waits(other)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await holding.commit()
    assert kinds([await staying]) == [Rotated]
    assert await counters(store, [gone, stays]) == [1, 1]


async def test_a_connection_that_is_lost_on_the_way_is_said_to_all_and_each_may_ask_again(
    store: PostgresStore, other: asyncpg.Connection
) -> None:
    each = await sessions(store, 3)
    holding = other.transaction()
    await holding.start()
    await other.execute("LOCK TABLE sessions IN EXCLUSIVE MODE")
    tasks = together(store, *map(rotate, each))
    await somebody_waits(other)
    (victim,) = await other.fetch(WHO_WAITS)
    await other.execute("SELECT pg_terminate_backend($1)", victim["pid"])
    refusals = await asyncio.gather(*tasks, return_exceptions=True)
    assert kinds(refusals) == [StoreUnavailable] * 3
    assert len({id(one) for one in refusals}) == 3
    await holding.commit()
    assert await counters(store, each) == [0, 0, 0]
    assert kinds([*await asyncio.gather(*together(store, *map(rotate, each)))]) == [Rotated] * 3


async def test_where_no_connection_comes_free_all_who_wait_are_told(store: PostgresStore) -> None:
    each = await sessions(store, 3)
    store._wait_s = 0.2
    held = [await store._pool.acquire() for _ in range(target_of(store).pool_size)]
    async with asyncio.timeout(3):
        refusals = await asyncio.gather(*together(store, *map(rotate, each)), return_exceptions=True)
    assert kinds(refusals) == [StoreUnavailable] * 3
    for connection in held:
        await store._pool.release(connection)
    assert kinds([*await asyncio.gather(*together(store, *map(rotate, each)))]) == [Rotated] * 3


async def test_closing_finishes_what_has_gathered(store: PostgresStore) -> None:
    each = await sessions(store, 3)
    closing = await PostgresStore.open(target_of(store))
    # More of one session than there are connections, so that some are still to leave when the first have come back.
    tasks = together(closing, *map(rotate, each), *[rotate(each[0])] * 30)
    await asyncio.sleep(0)
    await closing.close()
    assert set(kinds([*await asyncio.gather(*tasks)])) == {Rotated, Repeated}
    with pytest.raises(StoreUnavailable):
        await closing.apply(rotate(each[0]))


async def test_however_many_leave_together_the_server_plans_once(
    store: PostgresStore, other: asyncpg.Connection
) -> None:
    each = await sessions(store, 4)
    # As on large tables, where reading is dear and planning counts for little.
    await other.execute("SET enable_seqscan = off; SET enable_hashjoin = off; SET cpu_operator_cost = 0.00001")
    for counter in range(12):
        wanted = [rotate(one, counter) for one in each[: 2 + counter // 10]]
        await rotate_together(other, wanted)
    (plans,) = await other.fetch(PLANS, numbered(ROTATE_FREE)[0])
    # The server makes five for the given values before it believes that one does for all.
    assert tuple(plans) == (7, 5)

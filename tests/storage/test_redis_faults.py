"""What Redis may forget, and what it may not: wiped, killed, away, misled. SQL is SQLite, the server is real."""

from __future__ import annotations

import asyncio
import time
from asyncio import gather
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sekisho.model import EndReason, Session
from sekisho.ports.changes import EndExpiredSessions, EndSessions, SetRoles, TouchSession
from sekisho.ports.storage import AuditFilter, Ended, Repeated, Replayed, Rotated, Store, StoreUnavailable
from sekisho.storage.redis import engine as engines
from sekisho.storage.redis.fleet import Fleet
from sekisho.storage.redis.line import Call, Line, identity_from
from sekisho.storage.redis.scripts import TOUCH
from sekisho.storage.redis.servers import Servers
from sekisho.storage.redis.store import RedisStore
from sekisho.storage.sqlite import SqliteStore
from storage.build import DAY, JOURNAL_UNTIL, MINUTE, NOW, done, end, rotate, session, signed_in, start
from storage.contract_rotation import verdict
from storage.fast import new_store
from storage.redis_server import RedisServer, redis_server

pytestmark = pytest.mark.anyio

NEVER_SAVES = 3600.0


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path / "redis") as server:
        yield server


async def node(folder: Path, redis: RedisServer, save_every_s: float = NEVER_SAVES) -> RedisStore:
    """One more node on the same file and the same Redis."""
    inner = await SqliteStore.open(folder / "sekisho.db", durability="off", quick_check=False)
    servers = Servers(kind="single", nodes=(("127.0.0.1", redis.port),))
    return await RedisStore.open(inner, servers, keeps_sessions=True, save_every_s=save_every_s)


@pytest.fixture
async def nodes(tmp_path: Path, redis: RedisServer) -> AsyncIterator[tuple[RedisStore, RedisStore]]:
    await (await new_store(tmp_path)).close()
    both = (await node(tmp_path, redis), await node(tmp_path, redis))
    yield both
    await gather(*(each.close() for each in both))


@pytest.fixture
def store(nodes: tuple[RedisStore, RedisStore]) -> RedisStore:
    return nodes[0]


async def recovered(store: Store, of: Session, counter: int) -> Rotated | Repeated:
    """Ask again until Redis is back, as a client does that got a 503."""
    deadline = time.monotonic() + 30
    while True:
        try:
            found = await verdict(store, rotate(of, counter))
            assert isinstance(found, Rotated | Repeated), found
            return found
        except StoreUnavailable:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)


async def in_sql(store: RedisStore, of: Session) -> Session:
    found = await store._inner.find_session(of.id)
    assert found is not None
    return found


async def test_a_rotation_is_one_command_and_writes_nothing_to_sql(store: RedisStore, redis: RedisServer) -> None:
    _, first = await signed_in(store)
    await verdict(store, rotate(first))
    before = _calls(redis)
    assert isinstance(await verdict(store, rotate(first, 1)), Rotated)
    assert isinstance(await verdict(store, rotate(first, 1)), Repeated)
    assert _calls(redis) - before == 2
    assert (await in_sql(store, first)).counter == 0


async def test_after_a_wipe_nobody_honest_is_out_and_the_counter_rolls_forward(
    nodes: tuple[RedisStore, RedisStore], redis: RedisServer
) -> None:
    here, there = nodes
    _, first = await signed_in(here)
    for counter in range(3):
        await verdict(here, rotate(first, counter))
    redis.say("FLUSHALL")
    rotated = await verdict(there, rotate(first, 3))
    assert isinstance(rotated, Rotated)
    assert rotated.session.counter == 4
    assert await there.list_audit(AuditFilter(event="store_behind")) == []
    assert isinstance(await verdict(here, rotate(first, 4)), Rotated)


async def test_after_a_wipe_the_node_that_rotated_still_knows(store: RedisStore, redis: RedisServer) -> None:
    _, first = await signed_in(store)
    for counter in range(3):
        await verdict(store, rotate(first, counter))
    redis.say("FLUSHALL")
    assert isinstance(await verdict(store, rotate(first, 0)), Replayed)


async def test_a_gap_that_saving_does_not_explain_is_audited(store: RedisStore) -> None:
    _, first = await signed_in(store)
    assert isinstance(await verdict(store, rotate(first, engines.EXPLAINED_BY_SAVING + 1)), Rotated)
    assert len(await store.list_audit(AuditFilter(event="store_behind"))) == 1


async def test_an_end_holds_after_a_wipe_and_on_every_node(
    nodes: tuple[RedisStore, RedisStore], redis: RedisServer
) -> None:
    here, there = nodes
    _, first = await signed_in(here)
    await verdict(there, rotate(first))
    await done(here, end(first))
    assert await verdict(there, rotate(first, 1)) == Ended("session ended: logout")
    redis.say("FLUSHALL")
    for each in nodes:
        assert await verdict(each, rotate(first, 1)) == Ended("session ended: logout")


async def test_what_a_node_rotated_is_saved_before_another_ends_the_others(
    nodes: tuple[RedisStore, RedisStore],
) -> None:
    here, there = nodes
    owner, first = await signed_in(here)
    await verdict(there, rotate(first))
    other = session(owner)
    await done(here, start(other))
    assert (await in_sql(here, first)).counter == 1
    everything_else = EndSessions(
        account_id=owner.id,
        reason=EndReason.LOGOUT_ALL,
        now=NOW,
        journal_until_at=JOURNAL_UNTIL,
        except_id=other.id,
    )
    await done(here, everything_else)
    assert isinstance(await verdict(there, rotate(first, 1)), Ended)
    assert isinstance(await verdict(there, rotate(other)), Rotated)


async def test_roles_that_were_taken_away_are_in_no_later_token(nodes: tuple[RedisStore, RedisStore]) -> None:
    here, there = nodes
    owner, first = await signed_in(here)
    await done(here, SetRoles(account_id=owner.id, roles=("admin",)))
    await verdict(there, rotate(first))
    await done(here, SetRoles(account_id=owner.id, roles=()))
    rotated = await verdict(there, rotate(first, 1))
    assert isinstance(rotated, Rotated)
    assert rotated.account.roles == ()


async def test_a_row_that_was_read_before_a_fence_is_not_put_in_after_it(
    nodes: tuple[RedisStore, RedisStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = nodes
    owner, first = await signed_in(here)
    await done(here, SetRoles(account_id=owner.id, roles=("admin",)))
    _let_fences_fall(here, first)
    find_account = there._inner.find_account

    async def slowly(account_id: object) -> object:
        found = await find_account(account_id)  # type: ignore[arg-type]
        monkeypatch.undo()
        await done(here, SetRoles(account_id=owner.id, roles=()))
        _let_fences_fall(here, first)
        return found

    monkeypatch.setattr(there._inner, "find_account", slowly)
    rotated = await verdict(there, rotate(first))
    assert isinstance(rotated, Rotated)
    assert rotated.account.roles == ()


async def test_an_idle_row_whose_session_is_used_is_not_swept(nodes: tuple[RedisStore, RedisStore]) -> None:
    here, there = nodes
    _, first = await signed_in(here, idle_expires_at=NOW + DAY)
    await verdict(there, rotate(first, now=NOW + MINUTE, idle_ms=2 * DAY))
    assert (await in_sql(here, first)).idle_expires_at == NOW + DAY
    sweep = EndExpiredSessions(now=NOW + DAY, journal_until_at=JOURNAL_UNTIL, limit=10)
    assert await done(here, sweep) == (0,)
    assert isinstance(await verdict(there, rotate(first, 1, now=NOW + DAY)), Rotated)


async def test_a_session_that_was_nearly_idle_is_saved_before_it_is_answered(store: RedisStore) -> None:
    _, first = await signed_in(store, idle_expires_at=NOW + 2 * MINUTE)
    await verdict(store, rotate(first))
    assert (await in_sql(store, first)).counter == 1


async def test_rotations_and_touches_reach_sql_by_themselves_and_at_the_latest_on_close(
    tmp_path: Path, redis: RedisServer
) -> None:
    await (await new_store(tmp_path)).close()
    eager = await node(tmp_path, redis, save_every_s=0.05)
    _, first = await signed_in(eager)
    await verdict(eager, rotate(first))
    deadline = time.monotonic() + 30
    while (await in_sql(eager, first)).counter != 1:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    await eager.close()

    lazy = await node(tmp_path, redis)
    await verdict(lazy, rotate(first, 1))
    await done(
        lazy, TouchSession(session_id=first.id, now=NOW + 2 * MINUTE, idle_ms=DAY, aal2_idle_ms=DAY, ip="192.0.2.9")
    )
    used = await lazy.find_session(first.id)
    await lazy.close()
    inner = await SqliteStore.open(tmp_path / "sekisho.db", durability="off")
    assert await inner.find_session(first.id) == used
    assert used is not None
    assert (used.counter, used.last_seen_at, used.ip) == (2, NOW + 2 * MINUTE, "192.0.2.9")
    await inner.close()


async def test_without_redis_refreshes_wait_ends_hold_and_all_recovers_by_itself(
    nodes: tuple[RedisStore, RedisStore], redis: RedisServer
) -> None:
    here, there = nodes
    owner, first = await signed_in(here)
    stays = session(owner)
    await done(here, start(stays))
    await verdict(there, rotate(first))
    await verdict(there, rotate(stays))
    redis.kill()
    began = time.monotonic()
    for each in nodes:
        with pytest.raises(StoreUnavailable):
            await verdict(each, rotate(stays, 1))
    with pytest.raises(StoreUnavailable):
        await here.apply(SetRoles(account_id=owner.id, roles=("admin",)))
    await done(here, end(first))
    assert time.monotonic() - began < 5
    redis.start()
    assert isinstance(await recovered(there, stays, 1), Rotated)
    assert isinstance(await recovered(here, stays, 2), Rotated)
    for each in nodes:
        assert await verdict(each, rotate(first, 1)) == Ended("session ended: logout")


async def test_a_kill_in_the_middle_of_rotations_undoes_none_and_ends_nobody(
    nodes: tuple[RedisStore, RedisStore], redis: RedisServer
) -> None:
    people = [(await signed_in(nodes[0]))[1] for _ in range(20)]
    told = [0] * len(people)

    async def goes_on(number: int) -> None:
        while told[number] < 30:
            found = await recovered(nodes[number % 2], people[number], told[number])
            assert found.session.counter == told[number] + 1
            told[number] += 1

    async def killer() -> None:
        await asyncio.sleep(0.1)
        redis.kill()
        await asyncio.sleep(0.2)
        redis.start()

    await gather(killer(), *(goes_on(number) for number in range(len(people))))
    assert told == [30] * len(people)


async def test_a_node_is_told_of_a_commit_by_another(nodes: tuple[RedisStore, RedisStore]) -> None:
    here, there = nodes
    _, first = await signed_in(here)
    there.has_foreign_commits()
    await done(here, end(first))
    deadline = time.monotonic() + 30
    while not there._fan_out.take_news():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def test_the_mark_of_a_run_changes_with_restart_and_promotion() -> None:
    def info(**given: str) -> bytes:
        facts = {"role": "master", "run_id": "a", "master_replid2": "0", "second_repl_offset": "-1", **given}
        return "\r\n".join(f"{name}:{value}" for name, value in facts.items()).encode()

    marks = {
        identity_from(info(**given)) for given in ({}, {"run_id": "b"}, {"master_replid2": "c"}, {"role": "slave"})
    }
    assert len(marks) == 4
    assert identity_from(info(used_memory="1")) == identity_from(info())


def _let_fences_fall(store: RedisStore, of: Session) -> None:
    """As after thirty seconds."""
    line = store._fleet._line(None)
    assert line.is_ready
    _servers_of(store).say("DEL", f"{line.bound_prefix}{{{of.id}}}:fence")


def _servers_of(store: RedisStore) -> RedisServer:
    return RedisServer(Path("/tmp"), port=store._servers.nodes[0][1])


def _calls(redis: RedisServer) -> int:
    """How many scripts the server has run by name."""
    stats = redis.say("INFO", "commandstats").decode()
    line = next(line for line in stats.splitlines() if line.startswith("cmdstat_evalsha:"))
    return int(line.split("calls=")[1].split(",")[0])


async def test_a_server_that_has_just_been_found_cannot_be_asked_yet() -> None:
    """In a Cluster a command may be sent on to a node to which no line has been open before."""

    async def nothing(line: Line) -> None:
        """Opens for nobody."""

    fleet = Fleet(Servers(kind="single", nodes=(("127.0.0.1", 1),)), "test:", nothing)
    try:
        with pytest.raises(StoreUnavailable):
            await fleet.run(Call(TOUCH, "somebody"))
    finally:
        await fleet.close()

"""SQLite with Redis beside it keeps the contract, and with Valkey where it is installed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from free_ports import free_port
from sekisho.model import Account, Session, Transport
from sekisho.ports.changes import AddAccount, Change, CountTry, GiveBackTry, RotateSession
from sekisho.ports.storage import Outcome, Rotated
from sekisho.storage.changes.rotation import classify
from sekisho.storage.redis.errors import (
    RedisEvicts,
    RedisIsACluster,
    RedisNotAMaster,
    RedisNotDurable,
    RedisNotThere,
    RedisRefusesUs,
)
from sekisho.storage.redis.servers import Servers
from sekisho.storage.redis.store import RedisStore
from storage.build import DAY, MINUTE, NOW, account, done, rotate, session, start
from storage.contract import StoreContract
from storage.contract_limits import LimitContract
from storage.fast import new_store
from storage.redis_server import PROGRAMS, RedisServer, redis_server

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module", params=PROGRAMS)
def redis(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis"), program=request.param) as server:
        yield server


def servers(server: RedisServer) -> Servers:
    return Servers(kind="single", nodes=(("127.0.0.1", server.port),))


@pytest.fixture
async def store(tmp_path: Path, redis: RedisServer) -> AsyncIterator[RedisStore]:
    inner = await new_store(tmp_path)
    opened = await RedisStore.open(inner, servers(redis), keeps_sessions=True)
    yield opened
    await opened.close()


class TestRedisWithSessions(StoreContract):
    """Every test of the contract, sessions decided in Redis."""


class CoarseStore:
    """Every try of the contract as one that Redis may count."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    async def apply(self, *changes: Change) -> Outcome:
        coarse = [replace(each, coarse=True) if isinstance(each, CountTry | GiveBackTry) else each for each in changes]
        outcome = await self._store.apply(*coarse)
        if outcome.lost is None or not isinstance(outcome.lost.change, CountTry):
            return outcome
        return replace(outcome, lost=replace(outcome.lost, change=replace(outcome.lost.change, coarse=False)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class TestLimitsInRedis(LimitContract):
    """Every promise about limits, counted in Redis, but for the change that is not for coarse buckets."""

    test_a_bucket_that_is_forgotten_starts_over_and_no_other = None

    @pytest.fixture
    async def store(self, tmp_path: Path, redis: RedisServer) -> AsyncIterator[CoarseStore]:
        opened = await RedisStore.open(await new_store(tmp_path), servers(redis), keeps_sessions=False)
        yield CoarseStore(opened)
        await opened.close()


def try_of(key: bytes, limit: int, *, coarse: bool) -> CountTry:
    return CountTry(key=key, limit=limit, window_ms=MINUTE, now=NOW, coarse=coarse)


async def test_a_call_that_sql_loses_gives_its_coarse_tries_back(store: RedisStore) -> None:
    fine, coarse = try_of(b"account", 1, coarse=False), try_of(b"network", 2, coarse=True)
    assert (await store.apply(fine, coarse)).results == (None, None)
    for _ in range(3):
        lost = (await store.apply(coarse, fine)).lost
        assert lost is not None
        assert lost.change == fine
    assert (await store.apply(coarse)).lost is None
    assert (await store.apply(coarse)).lost is not None


async def test_without_redis_the_coarse_tries_are_counted_in_sql(tmp_path: Path) -> None:
    with redis_server(tmp_path / "redis") as server:
        opened = await RedisStore.open(await new_store(tmp_path), servers(server), keeps_sessions=False)
        server.kill()
        outcomes = [await opened.apply(try_of(b"network", 2, coarse=True)) for _ in range(3)]
        assert [outcome.lost is None for outcome in outcomes] == [True, True, False]
        await opened.close()


CLIENTS = st.sampled_from(["web", "web:one", "web:two", "webb:one"])
TIMES = st.sampled_from([NOW - 1, NOW, NOW + 1, NOW + DAY])


@given(
    transport=st.sampled_from(Transport),
    counter=st.integers(0, 2),
    presented=st.integers(0, 3),
    client_id=CLIENTS,
    own_client_id=CLIENTS,
    is_own_secret=st.booleans(),
    idle_expires_at=TIMES,
    expires_at=TIMES,
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_script_moves_exactly_what_the_table_of_verdicts_lets_rotate(
    store: RedisStore,
    transport: Transport,
    counter: int,
    presented: int,
    client_id: str,
    own_client_id: str,
    is_own_secret: bool,
    idle_expires_at: int,
    expires_at: int,
) -> None:
    owner: Account = account()
    first: Session = session(
        owner,
        transport=transport,
        counter=counter,
        client_id=own_client_id,
        idle_expires_at=min(idle_expires_at, expires_at),
        expires_at=expires_at,
        created_at=NOW - 2 * DAY,
    )
    await done(store, AddAccount(account=owner), start(first, now=NOW - 2 * DAY))
    change: RotateSession = rotate(first, presented, client_id=client_id, now=NOW)
    if not is_own_secret:
        change = replace(change, secret_hash=bytes(32))
    expected = classify(first, owner, change)
    (found,) = await done(store, change)
    assert found == expected or (expected is None and isinstance(found, Rotated))


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (("--appendonly", "no"), RedisNotDurable),
        (("--maxmemory-policy", "allkeys-lru"), RedisEvicts),
        (("--requirepass", "secret"), RedisRefusesUs),
        (("--cluster-enabled", "yes"), RedisIsACluster),
        (("--replicaof", "127.0.0.1 1"), RedisNotAMaster),
    ],
)
async def test_a_server_that_cannot_be_used_is_refused_with_what_to_do(
    tmp_path: Path, words: tuple[str, ...], refusal: type[Exception]
) -> None:
    inner = await new_store(tmp_path)
    with redis_server(tmp_path / "redis", *words) as server:
        with pytest.raises(refusal, match=f"127.0.0.1:{server.port}"):
            await RedisStore.open(inner, servers(server), keeps_sessions=True)
        if refusal in (RedisNotDurable, RedisEvicts):
            await (await RedisStore.open(inner, servers(server), keeps_sessions=False)).close()
    await inner.close()


async def test_a_server_that_is_not_there_is_refused_but_not_for_an_operator(tmp_path: Path) -> None:
    inner = await new_store(tmp_path)
    nowhere = Servers(kind="single", nodes=(("127.0.0.1", free_port()),))
    with pytest.raises(RedisNotThere, match="SEKISHO_REDIS_URL"):
        await RedisStore.open(inner, nowhere, keeps_sessions=True)
    opened = await RedisStore.open(inner, nowhere, keeps_sessions=True, must_answer=False)
    assert (await opened.apply()).lost is None
    await opened.close()

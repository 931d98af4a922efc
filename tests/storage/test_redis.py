"""SQLite with Redis beside it keeps the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sekisho.storage.redis.fleet import Servers
from sekisho.storage.redis.store import RedisStore
from storage.contract import StoreContract
from storage.fast import new_store
from storage.redis_server import RedisServer, redis_server

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
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

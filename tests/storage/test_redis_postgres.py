"""PostgreSQL with Redis beside it keeps the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from sekisho.storage.postgres import PostgresStore
from sekisho.storage.redis.servers import Servers
from sekisho.storage.redis.store import RedisStore
from storage.contract import StoreContract
from storage.fast_postgres import lent_database
from storage.redis_server import RedisServer, redis_server

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
async def store(redis: RedisServer) -> AsyncIterator[RedisStore]:
    servers = Servers(kind="single", nodes=(("127.0.0.1", redis.port),))
    async with lent_database() as target:
        inner = await PostgresStore.open(target, poll_s=3600.0)
        opened = await RedisStore.open(inner, servers, keeps_sessions=True)
        yield opened
        await opened.close()


class TestRedisOnPostgres(StoreContract):
    """Every test of the contract, sessions decided in Redis, the rest in PostgreSQL."""

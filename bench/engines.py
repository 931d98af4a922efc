"""The other engines of a run: started when the first scenario asks for them, and gone when the run ends."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import asyncpg
from msgspec import structs

from bench import stores
from bench.chains import Chains, Tabs, chains
from bench.measure import OPEN_USERS
from bench.seeding import seed_postgres
from bench.site import Site
from bench.stores import StoreServer

DATABASE = "bench"
LARGE_DATABASE = "bench_large"


class Engines:
    """One PostgreSQL and one Redis. A context: whatever was started ends with the block."""

    def __init__(self, folder: Path, core: int, size: int) -> None:
        self._folder = folder
        self._core = core
        self._size = size
        self._stack = ExitStack()
        self._postgres: StoreServer | None = None
        self._redis: StoreServer | None = None
        self._site: Site | None = None
        self._users: tuple[list[Chains], Tabs] | None = None

    def __enter__(self) -> Engines:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def started(self) -> list[StoreServer]:
        return [server for server in (self._postgres, self._redis) if server is not None]

    @property
    def postgres(self) -> StoreServer:
        if self._postgres is None:
            self._postgres = self._stack.enter_context(stores.postgres(self._core))
        return self._postgres

    @property
    def redis(self) -> StoreServer:
        if self._redis is None:
            self._redis = self._stack.enter_context(stores.redis(self._core))
        return self._redis

    async def site(self) -> Site:
        """Return the installation of the usual size on PostgreSQL, the same for every scenario."""
        if self._site is None:
            self._site = await self._seeded(DATABASE, self._size)
        return self._site

    async def users(self) -> tuple[list[Chains], Tabs]:
        """Return the users of this installation; their state outlives a scenario."""
        if self._users is None:
            self._users = chains(await self.site(), OPEN_USERS)
        return self._users

    async def site_with_redis(self) -> Site:
        """Return the same installation with Redis deciding rotations."""
        return structs.replace(await self.site(), redis_url=self.redis.redis_url)

    async def large_site(self, size: int) -> Site:
        """Return a new installation beside it. Call it once."""
        return await self._seeded(LARGE_DATABASE, size)

    async def _seeded(self, database: str, size: int) -> Site:
        return await seed_postgres(self._folder, size, await new_database(self.postgres, database))


async def new_database(server: StoreServer, name: str) -> str:
    """Make an empty database and return its URL."""
    connection = await asyncpg.connect(server.postgres_url("postgres"))
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    return server.postgres_url(name)

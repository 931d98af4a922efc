"""A fresh PostgreSQL store in some milliseconds: a database migrated once per test process, copied for each test."""

from __future__ import annotations

import asyncio
import atexit
import itertools
from functools import cache

from postgres_server import PostgresServer
from sekisho.storage.postgres import PostgresStore
from sekisho.storage.postgres.connections import Target
from sekisho.storage.postgres.migration import migrate

_numbers = itertools.count()


@cache
def server() -> PostgresServer:
    """Return this process's server, with a migrated database `migrated` to copy."""
    started = PostgresServer()
    atexit.register(started.remove)
    started.start()
    started.sql("CREATE DATABASE migrated")
    asyncio.run(migrate(Target(url=started.url("migrated"))))
    return started


def new_database(template: str = "migrated") -> Target:
    """Return where a fresh copy is."""
    name = f"test_{next(_numbers)}"
    server().sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    return Target(url=server().url(name))


async def new_store(**given: float) -> PostgresStore:
    """Return an open, empty store. Its clock as a net is out of the way. Close it in the end."""
    return await PostgresStore.open(await asyncio.to_thread(new_database), **{"poll_s": 3600.0, **given})

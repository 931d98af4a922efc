"""A fresh PostgreSQL store in some milliseconds: a database migrated once per test process and copied, or one that was
used before and emptied, which is many times cheaper."""

from __future__ import annotations

import asyncio
import atexit
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

import asyncpg

from postgres_server import PostgresServer
from sekisho.storage.postgres import PostgresStore
from sekisho.storage.postgres.connections import Target
from sekisho.storage.postgres.migration import migrate

_numbers = itertools.count()
_emptied: list[Target] = []

# Every column of every table, index and sequence: whether a test has left the shape as it was.
_SHAPE = """
SELECT string_agg(relname || '.' || attname, ' ' ORDER BY relname, attnum)
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace = 'public'::regnamespace AND attnum > 0
"""
_TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1"
_SEQUENCES = _TABLES.replace("'r'", "'S'")
# Who waits for a connection that a test has left open would wait for ever. As a replica it may go in any order.
_EMPTYING = "SET lock_timeout = '2s'; SET session_replication_role = replica"


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


@asynccontextmanager
async def lent_database() -> AsyncIterator[Target]:
    """Lend a database that is as new, and empty it afterwards for the next one.

    For tests that change rows only. One whose shape was changed, or that somebody still holds, is not lent again.
    """
    target = _emptied.pop() if _emptied else await asyncio.to_thread(new_database)
    yield target
    if await _is_as_new(target):
        _emptied.append(target)


@asynccontextmanager
async def lent_store(**given: float) -> AsyncIterator[PostgresStore]:
    """Open a store in a database that is lent. Its clock as a net is out of the way."""
    async with lent_database() as target:
        store = await PostgresStore.open(target, **{"poll_s": 3600.0, **given})
        try:
            yield store
        finally:
            await store.close()


async def _is_as_new(target: Target) -> bool:
    """Bring the rows back to those of `migrated`, and the numbers to their start."""
    shape, rows = await asyncio.to_thread(_of_migrated)
    connection = await asyncpg.connect(target.url)
    try:
        if await connection.fetchval(_SHAPE) != shape:
            return False
        await connection.execute(f"{_EMPTYING}; {rows}")
        return True
    except asyncpg.LockNotAvailableError:
        return False
    finally:
        await connection.close()


@cache
def _of_migrated() -> tuple[str, str]:
    """Return the shape of `migrated`, and the statements that leave its rows and no others."""

    def ask(text: str) -> str:
        return server().sql(text, "migrated").strip()

    tables, sequences = ask(_TABLES).split(), ask(_SEQUENCES).split()
    statements = [f"DELETE FROM {table}" for table in tables]
    for table in tables:
        if rows := ask(f"SELECT json_agg({table}) FROM {table}"):
            statements.append(f"INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, $${rows}$$)")
    statements += [f"ALTER SEQUENCE {sequence} RESTART" for sequence in sequences]
    return ask(_SHAPE), "; ".join(statements)

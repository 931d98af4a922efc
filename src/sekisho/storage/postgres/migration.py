"""Bringing a database to this version's schema. Serving a migrated database never imports this module."""

from __future__ import annotations

import asyncpg

from sekisho.storage.errors import MigrationBusy
from sekisho.storage.migrate import migration_sql
from sekisho.storage.postgres.connections import (
    Target,
    check_server,
    connect,
    explained,
    find_oldest_reader,
    find_revision,
)
from sekisho.storage.revision import serves

MIGRATING = 5_362_917_005
# A migration that waits for a table makes everybody else wait behind it.
LOCK_TIMEOUT_MS = 5000


async def migrate(target: Target) -> str | None:
    """Create or upgrade the tables, in one transaction. Returns the revision before (None: there were none).
    A newer one that this version may work on is left as it is.

    Raises:
        StoreCannotOpen: any of its kinds; the database is then as it was.

    Concurrency: of two that migrate at once the second waits for a moment and finds nothing to do; if the first takes
        longer it gives up (`MigrationBusy`).
    """
    with explained(target.place):
        # Through a pooler this would hold somebody else's connection.
        connection = await connect(target, target.listen_url or target.url, lock_timeout=str(LOCK_TIMEOUT_MS))
        try:
            await check_server(connection, target.place)
            async with connection.transaction():
                await connection.execute(f"SELECT pg_advisory_xact_lock({MIGRATING:d})")
                found = await find_revision(connection, target.place)
                if found is not None and serves(found, await find_oldest_reader(connection)):
                    return found
                await connection.execute(migration_sql("postgresql", found))
        except asyncpg.LockNotAvailableError as error:
            raise MigrationBusy(target.place, "another transaction holds a lock") from error
        finally:
            await connection.close()
    return found


async def revision_of(target: Target) -> str | None:
    """Return the revision of the tables that are there, None if there are none.

    Raises:
        StoreCannotOpen: the server cannot be asked.
    """
    with explained(target.place):
        connection = await connect(target, target.listen_url or target.url)
        try:
            await check_server(connection, target.place)
            return await find_revision(connection, target.place)
        finally:
            await connection.close()

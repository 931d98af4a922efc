"""Filling a database: many accounts and sessions in one transaction.

The rows are copies of one account and one session that the store itself made, with other ids, addresses and
secrets, and the indexes are built afterwards: a million in well under a minute.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import asyncpg
from msgspec import structs

from bench.site import (
    ALGORITHM,
    SESSIONS_IN_A_LIST,
    Site,
    email_of,
    first_account,
    first_session,
    now_ms,
)
from sekisho.ids import new_account_id
from sekisho.master_secret import MasterSecret
from sekisho.model import Origin, SigningKey, Transport
from sekisho.ports.changes import AddAccount, SetMeta, StartSession
from sekisho.ports.storage import Store
from sekisho.storage.postgres import PostgresStore
from sekisho.storage.postgres.connections import Target
from sekisho.storage.postgres.migration import migrate as migrate_postgres
from sekisho.storage.sqlite import SqliteStore
from sekisho.storage.sqlite.migration import migrate
from sekisho.tokens.session_values import hash_secret
from sekisho.tokens.signing_keys import ensure_keys

# What differs from row to row.
OWN_COLUMNS = {
    "accounts": ("id", "email", "email_key"),
    "sessions": ("id", "account_id", "transport", "secret_hash"),
}


async def seed(folder: Path, size: int) -> Site:
    """Make an SQLite database in `folder` with `size` accounts and sessions."""
    database = folder / "sekisho.db"
    migrate(database)
    return await _seed(folder, size, f"sqlite:///{database}")


async def seed_postgres(folder: Path, size: int, url: str) -> Site:
    """Fill an empty PostgreSQL database with `size` accounts and sessions. `folder` is for the logs of its nodes."""
    await migrate_postgres(Target(url=url))
    return await _seed(folder, size, url)


async def _seed(folder: Path, size: int, url: str) -> Site:
    begun = time.monotonic()
    secret = secrets.token_urlsafe(48)
    site = Site(
        folder=folder,
        url=url,
        secret=secret,
        size=size,
        values=secrets.token_bytes(32 * size),
        accounts=sorted(new_account_id() for _ in range(size)),
        keys=[],
        seeded_s=0.0,
    )
    store: Store
    if site.is_postgres:
        store = await PostgresStore.open(Target(url=url))
    else:
        store = await SqliteStore.open(site.database_path, durability="off")
    try:
        keys = await _start(store, site.master())
    finally:
        await store.close()
    if site.is_postgres:
        await _multiply_in_postgres(site)
    else:
        _multiply(site)
    return structs.replace(site, keys=keys, seeded_s=time.monotonic() - begun)


async def _start(store: Store, master: MasterSecret) -> list[SigningKey]:
    """Let the store itself make the first account and session, and the keys."""
    now = now_ms()
    account = first_account(now)
    await store.apply(SetMeta(name="master_secret_check", value=master.fingerprint()))
    await store.apply(AddAccount(account=account))
    await store.apply(
        StartSession(
            session=first_session(account.id, now),
            security_version=account.security_version,
            max_sessions=SESSIONS_IN_A_LIST,
            journal_until_at=now,
            origin=Origin(),
            now=now,
        )
    )
    return await ensure_keys(store, master, ALGORITHM, now)


def _multiply(site: Site) -> None:
    connection = apsw.Connection(str(site.database_path))
    try:
        connection.pragma("synchronous", "OFF")
        connection.pragma("cache_size", -512 * 1024)
        connection.execute("BEGIN IMMEDIATE")
        account, session = _only_row(connection, "accounts"), _only_row(connection, "sessions")
        connection.execute("DELETE FROM sessions; DELETE FROM accounts")
        indexes = connection.execute(
            "SELECT name, sql FROM sqlite_master "
            "WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('accounts', 'sessions')"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        _insert(connection, "accounts", account, _account_values(site))
        _insert(connection, "sessions", session, _session_values(site))
        for _, sql in indexes:
            connection.execute(str(sql))
        connection.execute("COMMIT; ANALYZE")
        connection.pragma("wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _only_row(connection: apsw.Connection, table: str) -> dict[str, Any]:
    cursor = connection.execute(f"SELECT * FROM {table}")  # noqa: S608 - our own names
    names = [column[0] for column in cursor.description]
    return dict(zip(names, cursor.fetchall()[0], strict=True))


def _insert(connection: apsw.Connection, table: str, model: dict[str, Any], rows: Iterator[tuple[Any, ...]]) -> None:
    """Insert copies of `model`, each with its own values."""
    names = ", ".join(model)
    slots = ", ".join(f":{name}" for name in model)
    statement = f"INSERT INTO {table} ({names}) VALUES ({slots})"  # noqa: S608 - our own names
    own = OWN_COLUMNS[table]
    connection.executemany(statement, (model | dict(zip(own, row, strict=True)) for row in rows))


async def _multiply_in_postgres(site: Site) -> None:
    """As for SQLite; the server itself copies what all rows share."""
    connection = await asyncpg.connect(site.url)
    try:
        # The rows are made to fit each other; only an administrator may say so.
        await connection.execute("SET session_replication_role = replica; SET maintenance_work_mem = '256MB'")
        async with connection.transaction():
            rows = {"sessions": _session_values(site), "accounts": _account_values(site)}
            for table, own in OWN_COLUMNS.items():
                await _copy(connection, table, own, rows[table])
        await connection.execute("VACUUM ANALYZE accounts")
        await connection.execute("VACUUM ANALYZE sessions")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def _copy(
    connection: asyncpg.Connection, table: str, own: tuple[str, ...], rows: Iterator[tuple[Any, ...]]
) -> None:
    names = [row[0] for row in await connection.fetch(_COLUMNS, table)]
    indexes = await connection.fetch(_INDEXES, table)
    selected = ", ".join(f"{'fresh' if name in own else 'model'}.{name}" for name in names)
    columns = ", ".join(own)
    await connection.execute(f"CREATE TEMP TABLE model AS SELECT * FROM {table}")  # noqa: S608 - our own names
    await connection.execute(f"CREATE TEMP TABLE fresh AS SELECT {columns} FROM {table} WHERE false")  # noqa: S608
    await connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['name']}")
    await connection.copy_records_to_table("fresh", records=rows, columns=own)
    await connection.execute(f"INSERT INTO {table} ({', '.join(names)}) SELECT {selected} FROM fresh, model")  # noqa: S608
    for index in indexes:
        await connection.execute(index["made_by"])
    await connection.execute("DROP TABLE model, fresh")


_COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position"
_INDEXES = """
SELECT relname AS name, pg_get_indexdef(indexrelid) AS made_by
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE indrelid = $1::regclass AND NOT indisprimary
"""


def _account_values(site: Site) -> Iterator[tuple[Any, ...]]:
    for number, account_id in enumerate(site.accounts):
        email = email_of(number)
        yield account_id, email, email


def _session_values(site: Site) -> Iterator[tuple[Any, ...]]:
    """Yield in the order of the ids: the tree grows at its end, which is several times faster."""
    cookies = site.cookie_sessions
    for session_id, index in sorted((site.session_id(index), index) for index in range(site.size)):
        yield (
            session_id,
            site.accounts[site.account_of(index)],
            Transport.SESSION.value if index in cookies else Transport.BODY.value,
            hash_secret(site.session_secret(index)),
        )

"""Connections to the server, what they are set to, and every reason not to go on."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

from sekisho.model import Discreet
from sekisho.storage.errors import (
    DatabaseRefused,
    ForeignTables,
    MissingRights,
    NoSuchDatabase,
    ReadOnlyDatabase,
    SchemaTooNew,
    SchemaTooOld,
    ServerNotThere,
    ServerNotTrusted,
    ServerTooOld,
    WrongCredentials,
)
from sekisho.storage.revision import OLDEST_READER, SCHEMA_REVISION, serves
from sekisho.storage.unfinished import MOVE_NOTE, UnfinishedMove

# How our connections are told from others in the server's own lists.
APPLICATION = "sekisho"

OLDEST_SERVER = 14
CONNECT_TIMEOUT_S = 5.0
# The server gives up first; ours is the net for a server that does not answer at all.
CLIENT_MARGIN_S = 2.0
STATEMENTS_KEPT = 256
PRIMARY = "primary"

# The server cannot be used now, through no fault of the statement. `OSError` and `TimeoutError` are the network's.
UNAVAILABLE: tuple[type[BaseException], ...] = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresSystemError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InternalServerError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)

# Two calls met: the one that lost was undone as a whole and is run again. A broken unique index is such a meeting,
# too, where a guard looks at rows that another transaction has not yet committed.
MET = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.UniqueViolationError)

FIND_REVISION_TABLE = "SELECT to_regclass('alembic_version') IS NOT NULL"
FIND_OUR_NAMES = "SELECT to_regclass('accounts') IS NOT NULL OR to_regclass('sessions') IS NOT NULL"
FIND_STATE = "SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'"
FIND_RIGHTS = """
SELECT bool_and(has_table_privilege(name, wanted))
FROM unnest(ARRAY['accounts', 'sessions', 'journal', 'journal_waiting', 'audit', 'outbox', 'meta']) AS name,
     unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS wanted
"""


class Target(Discreet, frozen=True, kw_only=True):
    """Where the database is and how it is spoken to.

    listen_url: for the one connection that listens, when `url` leads through a pooler.
    password: for a URL without one.
    is_pooled: PgBouncer in transaction mode stands between; nothing may outlive a transaction.
    """

    url: str
    listen_url: str = ""
    password: str | None = None
    pool_size: int = 10
    statement_timeout_ms: int = 5000
    is_pooled: bool = False

    @property
    def place(self) -> str:
        """Host, port and database, for people: no user, no password."""
        return place_of(self.url)


def place_of(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or parse_qs(parts.query).get("host", ["localhost"])[0]
    return f"{host}:{parts.port or 5432}{parts.path}"


def _kept_settings(target: Target) -> dict[str, str]:
    """A pooler shares its connections and takes no settings at their start; there the role has them (see the docs)."""
    if target.is_pooled:
        return {}
    timeout = str(target.statement_timeout_ms)
    return {
        "application_name": APPLICATION,
        "statement_timeout": timeout,
        "lock_timeout": timeout,
        "idle_in_transaction_session_timeout": str(2 * target.statement_timeout_ms),
    }


class _Connection(asyncpg.Connection):  # type: ignore[misc]
    """Nothing outlives our transactions, so giving a connection back needs no statement of its own."""

    def get_reset_query(self) -> str:
        return ""


async def open_pool(target: Target) -> asyncpg.Pool:
    """Return a pool that has reached the server once. Call it inside `explained`."""
    pool: asyncpg.Pool = asyncpg.create_pool(
        target.url,
        min_size=1,
        max_size=target.pool_size,
        max_inactive_connection_lifetime=300,
        connection_class=_Connection,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=target.statement_timeout_ms / 1000 + CLIENT_MARGIN_S,
        statement_cache_size=0 if target.is_pooled else STATEMENTS_KEPT,
        max_cached_statement_lifetime=0,
        server_settings=_kept_settings(target),
        # A standby may lag: it would tell of a session that has ended that it lives. Nothing is ever read from one.
        target_session_attrs=PRIMARY,
        **_password(target),
    )
    await pool
    return pool


async def connect(target: Target, url: str, **server_settings: str) -> asyncpg.Connection:
    """Return one connection of its own, without the pool's timeouts."""
    return await asyncpg.connect(
        url,
        timeout=CONNECT_TIMEOUT_S,
        statement_cache_size=0 if target.is_pooled else STATEMENTS_KEPT,
        server_settings=server_settings,
        target_session_attrs=PRIMARY,
        **_password(target),
    )


def _password(target: Target) -> dict[str, Any]:
    return {"password": target.password} if target.password and not urlsplit(target.url).password else {}


@contextmanager
def explained(place: str) -> Iterator[None]:
    """Turn what the driver says into what an operator can do about it."""
    try:
        yield
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        raise WrongCredentials(place, _brief(error)) from error
    except asyncpg.InvalidCatalogNameError as error:
        raise NoSuchDatabase(place, _brief(error)) from error
    except asyncpg.InsufficientPrivilegeError as error:
        raise MissingRights(place, _brief(error)) from error
    except asyncpg.TargetServerAttributeNotMatched as error:
        raise ReadOnlyDatabase(place, "it is a standby") from error
    except asyncpg.ReadOnlySQLTransactionError as error:
        raise ReadOnlyDatabase(place, _brief(error)) from error
    except asyncpg.TooManyConnectionsError as error:
        fix = "Lower SEKISHO_DATABASE_POOL_SIZE or raise max_connections of the server."
        raise DatabaseRefused(place, _brief(error), fix) from error
    except asyncpg.ClientConfigurationError as error:
        raise DatabaseRefused(place, _brief(error), "Correct SEKISHO_DATABASE_URL.") from error
    except (ssl.SSLError, ssl.CertificateError) as error:
        raise ServerNotTrusted(place, _brief(error)) from error
    except UNAVAILABLE as error:
        # The driver has no class of its own for a server that does not speak TLS.
        is_plain = isinstance(error, ConnectionError) and "rejected SSL upgrade" in str(error)
        raise (ServerNotTrusted if is_plain else ServerNotThere)(place, _brief(error)) from error


def _brief(error: BaseException) -> str:
    """One line; the driver's words hold no password."""
    return " ".join(str(error).split())[:200] or type(error).__name__


async def check_server(connection: asyncpg.Connection, place: str) -> None:
    """Raise unless this is a server that we can write to.

    Raises:
        ServerTooOld, ReadOnlyDatabase: see there.
    """
    version = connection.get_server_version()
    if version.major < OLDEST_SERVER:
        raise ServerTooOld(place, f"{version.major}.{version.minor}", str(OLDEST_SERVER))
    is_standby, is_read_only = await connection.fetchrow(FIND_STATE)
    if is_standby or is_read_only:
        raise ReadOnlyDatabase(place, "it is a standby" if is_standby else "it is set to read only")


async def find_revision(connection: asyncpg.Connection, place: str) -> str | None:
    """Return the schema revision of the database, None if it has none of our tables.

    Raises:
        ForeignTables: tables of our names that no migration of ours has made.
    """
    if await connection.fetchval(FIND_REVISION_TABLE):
        found: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
        return found
    if await connection.fetchval(FIND_OUR_NAMES):
        raise ForeignTables(place, "it holds tables of another program")
    return None


async def find_oldest_reader(connection: asyncpg.Connection) -> str | None:
    """Return the oldest revision whose code may work on the tables that are there, if they say it."""
    said: str | None = await connection.fetchval("SELECT value FROM meta WHERE name = $1", OLDEST_READER)
    return said


async def check_tables(connection: asyncpg.Connection, place: str) -> None:
    """Raise unless this version may work on the schema, and the tables are ours to write.

    Raises:
        SchemaTooOld, SchemaTooNew, ForeignTables, MissingRights, UnfinishedMove: see there.
    """
    found = await find_revision(connection, place)
    if found is None or found < SCHEMA_REVISION:
        raise SchemaTooOld(found, SCHEMA_REVISION)
    if not serves(found, await find_oldest_reader(connection)):
        raise SchemaTooNew(found, SCHEMA_REVISION)
    if not await connection.fetchval(FIND_RIGHTS):
        raise MissingRights(place, "the user may not write to its tables")
    if await connection.fetchval("SELECT 1 FROM meta WHERE name = $1", MOVE_NOTE):
        raise UnfinishedMove

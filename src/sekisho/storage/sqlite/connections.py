"""Opening the file: connections, what they are set to, and every reason not to go on."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import apsw

from sekisho.storage.errors import CannotWrite, DamagedDatabase, DatabaseBusy, NotADatabase, SchemaTooNew, SchemaTooOld
from sekisho.storage.revision import OLDEST_READER, SCHEMA_REVISION, serves
from sekisho.storage.unfinished import MOVE_NOTE, UnfinishedMove

Durability = Literal["full", "off"]

WRITER_BUSY_MS = 5000
# Readers never wait for the writer in WAL mode; this is for the moment in which another process recovers the file.
READER_BUSY_MS = 250

STATEMENTS_KEPT = 200
CACHE_KIB = 16 * 1024
WAL_KEPT_BYTES = 64 * 1024 * 1024

# The file cannot be used now, through no fault of the statement.
UNAVAILABLE = (
    apsw.BusyError,
    apsw.LockedError,
    apsw.FullError,
    apsw.IOError,
    apsw.CantOpenError,
    apsw.ReadOnlyError,
    apsw.NoMemError,
    apsw.InterruptError,
    apsw.ProtocolError,
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.ConnectionClosedError,
)


def open_writer(path: Path, durability: Durability = "full") -> apsw.Connection:
    """Return the one connection that writes. Call it inside `explained`."""
    connection = _connect(path, apsw.SQLITE_OPEN_READWRITE, WRITER_BUSY_MS)
    if connection.readonly("main"):
        connection.close()
        raise CannotWrite(path, "the file is read-only")
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "FULL" if durability == "full" else "OFF")
    connection.pragma("foreign_keys", 1)
    connection.pragma("secure_delete", 1)
    connection.pragma("journal_size_limit", WAL_KEPT_BYTES)
    return connection


def open_reader(path: Path) -> apsw.Connection:
    """Return a connection that cannot write."""
    return _connect(path, apsw.SQLITE_OPEN_READONLY, READER_BUSY_MS)


def _connect(path: Path, flags: int, busy_ms: int) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=flags, statementcachesize=STATEMENTS_KEPT)
    connection.set_busy_timeout(busy_ms)
    connection.pragma("cache_size", -CACHE_KIB)
    connection.pragma("trusted_schema", 0)
    # Without this a kept statement is planned again whenever the values of its parameters change (8 times the work).
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    return connection


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite says about this file into what an operator can do about it."""
    try:
        yield
    except apsw.NotADBError as error:
        raise NotADatabase(path, "its content is something else") from error
    except apsw.CorruptError as error:
        raise DamagedDatabase(path, str(error)) from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise DatabaseBusy(path) from error
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError, apsw.FullError, apsw.IOError) as error:
        raise CannotWrite(path, str(error)) from error


def create_file(path: Path) -> None:
    """Make an empty file that only its owner can read, unless there is one. SQLite gives its -wal the same mode.

    Raises:
        CannotWrite: the folder is missing or does not let us.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise CannotWrite(path, error.strerror or "unknown reason") from error


def open_to_others(path: Path) -> list[Path]:
    """Return the database's files that somebody else than their owner may read or write. For `doctor`."""
    files = [path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))]
    return [file for file in files if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077]


def was_cut_off(path: Path) -> bool:
    """Whether the last user of the file did not close it (or still has it open): SQLite's log stands beside it."""
    wal = path.with_name(path.name + "-wal")
    return wal.exists() and wal.stat().st_size > 0


def check_integrity(connection: apsw.Connection, path: Path) -> None:
    """Read every page once.

    Raises:
        DamagedDatabase: with the first finding.
    """
    finding = str(connection.execute("PRAGMA quick_check(1)").fetchall()[0][0])
    if finding != "ok":
        raise DamagedDatabase(path, finding)


def find_revision(connection: apsw.Connection, path: Path) -> str | None:
    """Return the schema revision of the file, None if it is empty.

    Raises:
        NotADatabase: it holds somebody else's tables.
    """
    if connection.table_exists(None, "alembic_version"):
        rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        return str(rows[0][0]) if rows else None
    if connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall():
        raise NotADatabase(path, "it holds tables of another program")
    return None


def can_serve(connection: apsw.Connection, path: Path) -> bool:
    """Whether the file's schema is this version's, or a newer one that this version may work on.

    Raises:
        NotADatabase: as `find_revision`.
    """
    found = find_revision(connection, path)
    if found is None:
        return False
    said = connection.execute("SELECT value FROM meta WHERE name = ?", (OLDEST_READER,)).fetchall()
    return serves(found, str(said[0][0]) if said else None)


def check_revision(connection: apsw.Connection, path: Path) -> None:
    """Raise unless this version may work on the file's schema.

    Raises:
        SchemaTooOld, SchemaTooNew: see there. NotADatabase: as `find_revision`.
    """
    if can_serve(connection, path):
        return
    found = find_revision(connection, path)
    if found is None or found < SCHEMA_REVISION:
        raise SchemaTooOld(found, SCHEMA_REVISION)
    raise SchemaTooNew(found, SCHEMA_REVISION)


def check_no_move(connection: apsw.Connection) -> None:
    """Raise if a move into this file has not come to its end.

    Raises:
        UnfinishedMove: see there.
    """
    if connection.execute("SELECT 1 FROM meta WHERE name = ?", (MOVE_NOTE,)).fetchall():
        raise UnfinishedMove

"""The embedded engine's side of a move. The source is opened for reading and held, so that no server starts on it."""

# ruff: noqa: S608 - the texts are put together from the schema's own names, values are always parameters

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import apsw

from sekisho.storage.errors import DatabaseBusy, SchemaTooOld
from sekisho.storage.moving.sides import Key, Row, TableShape
from sekisho.storage.revision import SCHEMA_REVISION
from sekisho.storage.sqlite.connections import check_integrity, check_revision, explained, open_writer
from sekisho.storage.unfinished import MOVE_NOTE

NOT_A_NOTE = f"name <> '{MOVE_NOTE}' AND name NOT LIKE '{MOVE_NOTE}:%'"


class SqliteSide:
    """One file, locked against everybody else from `open` to `close`. As a source it is not changed."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> SqliteSide:
        """Raises:
        StoreCannotOpen: one of its kinds; `DatabaseBusy` if another process has the file open.
        """
        if not path.exists():
            raise SchemaTooOld(None, SCHEMA_REVISION)
        with explained(path):
            connection = open_writer(path)
            try:
                # A reader stays a reader: its log is not folded into the file when it is closed.
                connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
                check_revision(connection, path)
                check_integrity(connection, path)
                _lock(connection, path)
            except BaseException:
                connection.close()
                raise
        return cls(connection)

    async def count(self, table: TableShape) -> int:
        rows = self._connection.execute(f"SELECT count(*) FROM {table.name}{_where(table)}").fetchall()
        return int(str(rows[0][0]))

    async def rows(self, table: TableShape, after: Key | None, batch: int) -> AsyncIterator[list[Row]]:
        key = ", ".join(table.key)
        conditions = [NOT_A_NOTE] if table.name == "meta" else []
        while True:
            behind = [*conditions, *([f"({key}) > ({', '.join('?' * len(table.key))})"] if after is not None else [])]
            where = " WHERE " + " AND ".join(behind) if behind else ""
            sql = f"SELECT {', '.join(table.columns)} FROM {table.name}{where} ORDER BY {key} LIMIT {batch:d}"
            rows: list[Row] = list(self._connection.execute(sql, after or ()).fetchall())
            if not rows:
                return
            yield rows
            after = table.key_of(rows[-1])

    async def note(self, name: str) -> str | None:
        rows = self._connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchall()
        return str(rows[0][0]) if rows else None

    async def begin(self, name: str, note: str) -> None:
        with self._connection:
            self._connection.execute("DELETE FROM meta")
            self._leave(name, note)

    async def write(self, table: TableShape, rows: Sequence[Row], name: str, note: str) -> None:
        slots = ", ".join("?" * len(table.columns))
        with self._connection:
            self._connection.executemany(
                f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({slots})", (tuple(row) for row in rows)
            )
            self._leave(name, note)

    async def counter(self, table: TableShape) -> int:
        rows = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,)).fetchall()
        return int(str(rows[0][0])) if rows else 0

    async def finish(self, counters: Mapping[TableShape, int]) -> None:
        with self._connection:
            for table, reached in counters.items():
                self._connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table.name,))
                self._connection.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (table.name, reached))
            self._connection.execute(f"DELETE FROM meta WHERE NOT ({NOT_A_NOTE})")
        self._connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)

    async def close(self) -> None:
        self._connection.close()

    def _leave(self, name: str, note: str) -> None:
        self._connection.execute(
            "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, note),
        )


def _where(table: TableShape) -> str:
    return f" WHERE {NOT_A_NOTE}" if table.name == "meta" else ""


def _lock(connection: apsw.Connection, path: Path) -> None:
    """Every open connection to a file in WAL mode holds a shared lock on it; alone, we can have it to ourselves. The
    lock stays after the transaction, until the connection is closed."""
    try:
        connection.set_busy_timeout(0)
        connection.pragma("locking_mode", "exclusive")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")
    except apsw.BusyError as error:
        raise DatabaseBusy(path) from error

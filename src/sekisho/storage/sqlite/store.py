"""The embedded store: writes go to the writer thread, point reads run in place, scans in a thread of their own.

A point read takes a few microseconds; handing it to a thread would cost more than the read.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw

from sekisho.ports.changes import Change, SetMeta
from sekisho.ports.storage import Committed, Outcome, StoreUnavailable
from sekisho.storage.errors import SchemaTooOld
from sekisho.storage.reads import GENERATION, SqlReads
from sekisho.storage.revision import SCHEMA_REVISION
from sekisho.storage.sqlite.connections import (
    UNAVAILABLE,
    Durability,
    check_integrity,
    check_no_move,
    check_revision,
    explained,
    open_reader,
    open_writer,
    was_cut_off,
)
from sekisho.storage.sqlite.writer import Writer
from sekisho.storage.steps import Row, Value


class SqliteStore(SqlReads):
    """`ports.storage.Store` on one SQLite file. Made by `open`; belongs to the event loop that opened it."""

    def __init__(self, writer: apsw.Connection, reader: apsw.Connection, scanner: apsw.Connection) -> None:
        self._writer = Writer(writer)
        self._reader = reader
        self._scanner = scanner
        self._scans = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sekisho-sqlite-scan")
        self._seen_version = self._data_version()
        self._is_closed = False

    @classmethod
    async def open(
        cls, path: Path | str, *, durability: Durability = "full", quick_check: bool | None = None
    ) -> SqliteStore:
        """Open a migrated file.

        Args:
            durability: "off" does not wait for the disk; for tests only.
            quick_check: whether to read the whole file for damage first. None: only if the last process did not close
                it (killed, or power lost); a second process on a file in use should pass False.

        Raises:
            StoreCannotOpen: one of its kinds; `SchemaTooOld` also if there is no file.
        """
        path = Path(path)
        if not path.exists():
            raise SchemaTooOld(None, SCHEMA_REVISION)
        is_checking = was_cut_off(path) if quick_check is None else quick_check
        opened: list[apsw.Connection] = []
        try:
            with explained(path):
                opened.append(open_writer(path, durability))
                check_revision(opened[0], path)
                check_no_move(opened[0])
                if is_checking:
                    check_integrity(opened[0], path)
                opened += [open_reader(path), open_reader(path)]
                store = cls(*opened)
        except BaseException:
            for connection in opened:
                # A file that is refused stays as it is: the last one to close would fold the log into it.
                connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
                connection.close()
            raise
        await store._begin()
        return store

    async def _begin(self) -> None:
        """Name the journal's generation once, so that readers notice a restore."""
        if await self.find_meta(GENERATION) is None:
            await self.apply(SetMeta(name=GENERATION, value=secrets.token_urlsafe(16)))
            self._seen_version = self._data_version()

    async def apply(self, *changes: Change) -> Outcome:
        if not changes:
            return Outcome()
        return await self._writer.submit(changes)

    def subscribe(self, listener: Callable[[Committed], None]) -> None:
        self._writer.subscribe(listener)

    def has_foreign_commits(self) -> bool:
        """Whether anybody committed since the last call. Raises `StoreUnavailable` like any read."""
        version = self._data_version()
        is_new = version != self._seen_version
        self._seen_version = version
        return is_new

    async def close(self) -> None:
        """Readers first: the last connection to close is the writer's, which folds the log into the file."""
        if not self._is_closed:
            self._is_closed = True
            self._scanner.interrupt()
            self._scans.shutdown(wait=True)
            self._scanner.close()
            self._reader.close()
        await self._writer.close()

    async def _fetch(self, sql: str, values: Mapping[str, Value]) -> Sequence[Row]:
        return _rows(self._reader, sql, values)

    async def _scan(self, sql: str, values: Mapping[str, Value]) -> Sequence[Row]:
        if self._is_closed:
            raise StoreUnavailable("the store is closed")
        return await asyncio.get_running_loop().run_in_executor(self._scans, _rows, self._scanner, sql, values)

    def _data_version(self) -> int:
        return int(_rows(self._reader, "PRAGMA data_version", {})[0][0])


def _rows(connection: apsw.Connection, sql: str, values: Mapping[str, Value]) -> Sequence[Row]:
    """Fetch all rows at once: a statement left half read would hold an old snapshot."""
    try:
        return connection.execute(sql, values).fetchall()
    except UNAVAILABLE as error:
        raise StoreUnavailable(f"SQLite: {type(error).__name__}") from error

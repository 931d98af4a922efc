"""Copies of a database file: made while a server runs, and put back while none does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import apsw

from sekisho.storage.errors import DatabaseBusy
from sekisho.storage.sqlite.connections import (
    check_integrity,
    check_revision,
    create_file,
    explained,
    open_reader,
    open_writer,
)

# Pages in one step: others may write between two.
STEP_PAGES = 1000


def back_up(path: Path, target: Path) -> None:
    """Copy the database as it is at one moment. A server may go on using it.

    Raises:
        FileExistsError: there is a file at `target` already; it is left alone.
        StoreCannotOpen: any of its kinds, for either file.
    """
    if target.exists():
        raise FileExistsError(target)
    with explained(path):
        source = open_reader(path)
    try:
        _copy(source, target)
    finally:
        source.close()


@contextmanager
def staged(backup: Path, path: Path) -> Iterator[Path]:
    """Copy a backup beside the database, check it, and give the copy to the block; what the block leaves is removed.

    Raises:
        DatabaseBusy: a server has the database open.
        StoreCannotOpen: the backup is no database of ours, is damaged, or has another schema.
    """
    if path.exists():
        refuse_if_open(path)
    copy = path.with_name(path.name + ".restoring")
    _remove(copy)
    try:
        with explained(backup):
            source = open_reader(backup)
        try:
            check_revision(source, backup)
            check_integrity(source, backup)
            _copy(source, copy)
        finally:
            source.close()
        yield copy
    finally:
        _remove(copy)


def swap(copy: Path, path: Path) -> Path | None:
    """Put the checked copy into the database's place; return where the older one is kept now, None if there was none.

    Raises:
        DatabaseBusy: a server has the database open. Nothing was touched.
    """
    kept: Path | None = None
    if path.exists():
        refuse_if_open(path)
        kept = path.with_name(f"{path.name}.before-restore-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
        os.replace(path, kept)
    _remove(path)
    os.replace(copy, path)
    _make_durable(path.parent)
    return kept


def _copy(source: apsw.Connection, target: Path) -> None:
    create_file(target)
    with explained(target):
        copy = apsw.Connection(str(target))
        try:
            with copy.backup("main", source, "main") as running:
                while not running.done:
                    running.step(STEP_PAGES)
        finally:
            copy.close()


def refuse_if_open(path: Path) -> None:
    """Every open connection to a file in WAL mode holds a shared lock on it; alone, we can have it to ourselves.
    Closing folds the log of a server that was killed into the file, so that the kept file is whole.

    Raises:
        DatabaseBusy: a server, or a command, has the database open.
        StoreCannotOpen: it is no database of ours, or cannot be written.
    """
    with explained(path):
        connection = open_writer(path)
        try:
            connection.set_busy_timeout(0)
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("ROLLBACK")
        except apsw.BusyError as error:
            raise DatabaseBusy(path) from error
        finally:
            connection.close()


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _make_durable(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

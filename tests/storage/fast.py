"""A fresh store in a few milliseconds: a file migrated once per test process, copied for each test."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from sekisho.storage.sqlite import SqliteStore
from sekisho.storage.sqlite.migration import migrate


@cache
def template() -> Path:
    """Return a migrated, empty database file. Copy it; do not open it."""
    folder = tempfile.mkdtemp(prefix="sekisho-template-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / "template.db"
    migrate(path)
    return path


async def new_store(folder: Path, name: str = "sekisho.db") -> SqliteStore:
    """Return an open, empty store in `folder`. It does not wait for the disk. Close it in the end."""
    path = folder / name
    shutil.copy(template(), path)
    return await SqliteStore.open(path, durability="off")

"""A real store for the tests of signing keys, and a second process's view of the same file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sekisho.storage.sqlite import SqliteStore
from storage.fast import new_store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = await new_store(tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
async def other_node(store: SqliteStore, tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = await SqliteStore.open(tmp_path / "sekisho.db", durability="off", quick_check=False)
    yield opened
    await opened.close()

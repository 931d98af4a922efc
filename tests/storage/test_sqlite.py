"""SQLite keeps the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sekisho.storage.sqlite import SqliteStore
from storage.contract import StoreContract
from storage.fast import new_store

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = await new_store(tmp_path)
    yield opened
    await opened.close()


class TestSqlite(StoreContract):
    """Every test of the contract."""

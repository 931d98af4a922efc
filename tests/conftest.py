"""What every test needs: asyncio as the one event loop, and a world to act in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from world import World, WorldWith, new_world


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A running server on an empty database, with the default settings."""
    async with new_world(tmp_path) as running:
        yield running


@pytest.fixture
async def world_with(tmp_path: Path) -> AsyncIterator[WorldWith]:
    """Makes a world with other settings: `await world_with({"session.grace_seconds": 0})`."""
    async with AsyncExitStack() as stack:

        async def make(overrides: Mapping[str, object]) -> World:
            return await stack.enter_async_context(new_world(tmp_path, overrides))

        yield make

"""The same sites as for the JSON calls: the pages stand beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from http_site import Site, open_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(tmp_path) as opened:
        yield opened


@pytest.fixture
async def secure_site(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(tmp_path, SEKISHO_PUBLIC_URL="https://auth.example.com") as opened:
        yield opened

"""Sites to attack: one over plain http as in development, one behind https."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from http_site import Site, open_site

# The cheapest of the hashes that production allows, for the suite's sake.
CHEAP = {"SEKISHO_PASSWORD__HASH": "low_memory"}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(tmp_path, **CHEAP) as opened:
        yield opened


@pytest.fixture
async def secure_site(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(tmp_path, SEKISHO_PUBLIC_URL="https://auth.example.com", **CHEAP) as opened:
        yield opened

"""How a moment is written for people and for JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from sekisho.model import Millis


def iso_time(at: Millis) -> str:
    """Return RFC 3339 in UTC with milliseconds, `2026-11-21T09:30:00.000Z`."""
    second, millis = divmod(at, 1000)
    return f"{_iso_second(second)}.{millis:03d}Z"


@lru_cache(maxsize=4096)
def _iso_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")

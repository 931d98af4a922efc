"""How a moment is written for people and for JSON."""

from __future__ import annotations

from datetime import UTC, datetime

from sekisho.model import Millis


def iso_time(at: Millis) -> str:
    """Return RFC 3339 in UTC with milliseconds, `2026-11-21T09:30:00.000Z`."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

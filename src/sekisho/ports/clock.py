"""Time comes in through a port, so that tests can hold it still."""

from __future__ import annotations

from typing import Protocol

from sekisho.model import Millis


class Clock(Protocol):
    def now(self) -> Millis:
        """Milliseconds since 1970, UTC."""

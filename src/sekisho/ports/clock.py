"""Time comes in through a port, so that tests can hold it still."""

from __future__ import annotations

from typing import Final, Protocol

from sekisho.model import Millis

# Nodes and their servers do not agree to the millisecond. So far apart nobody notices; what lies further ahead was
# written by a clock that is wrong. `doctor` complains of what the nodes would not bear.
CLOCK_SKEW_MS: Final = 5_000


class Clock(Protocol):
    def now(self) -> Millis:
        """Milliseconds since 1970, UTC."""

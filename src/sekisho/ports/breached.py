"""A list of breached passwords elsewhere, that is asked without being told the password."""

from __future__ import annotations

from typing import Protocol


class BreachedRangesUnavailable(Exception):
    """No good answer in time. Says why, and nothing of what was asked."""


class BreachedRanges(Protocol):
    async def suffixes(self, prefix: str) -> frozenset[str]:
        """Return the rest of each known SHA-1 that begins with these five hexadecimal digits, upper case.

        Raises:
            BreachedRangesUnavailable: see there.
        """

    def close(self) -> None:
        """Wait for no answer any more."""

"""The timetable of an open loop: requests are due at fixed times, whether the server keeps up or not.

A closed loop waits for an answer before it sends again, so a server that stalls is asked less and looks
better than it is. Here every request has an intended start, and its latency counts from there.
"""

from __future__ import annotations


class Timetable:
    """Evenly spaced intended starts, in nanoseconds of one monotonic clock."""

    __slots__ = ("_begins_at", "_handed_out", "_rate")

    def __init__(self, begins_at: int, rate_per_s: float) -> None:
        if rate_per_s <= 0:
            raise ValueError("a rate above 0")
        self._begins_at = begins_at
        self._rate = rate_per_s
        self._handed_out = 0

    @property
    def next_at(self) -> int:
        """When the next request is due."""
        return self._begins_at + int(self._handed_out * 1e9 / self._rate)

    def take_due(self, now: int) -> list[int]:
        """Return the intended start of every request that is due by now and was not handed out yet."""
        due = []
        while self.next_at <= now:
            due.append(self.next_at)
            self._handed_out += 1
        return due

"""A histogram of times with a fixed relative precision, like HdrHistogram: small, exact enough at both ends.

A value is kept to its 8 leading bits, so a percentile is at most 1/128 above the true one, be it 20 µs or 20 s.
"""

from __future__ import annotations

_LEADING_BITS = 8
_HALF = 1 << (_LEADING_BITS - 1)
_LONGEST_NS = 1 << 40


class Histogram:
    """Counts times in whole nanoseconds, up to about 18 minutes; longer ones count as that."""

    __slots__ = ("_counts", "count", "longest_ns")

    def __init__(self) -> None:
        self._counts = [0] * (_index(_LONGEST_NS) + 1)
        self.count = 0
        self.longest_ns = 0

    def add(self, nanoseconds: int) -> None:
        """Count one time. A negative one (clocks read in another order) counts as 0."""
        value = min(max(nanoseconds, 0), _LONGEST_NS)
        self._counts[_index(value)] += 1
        self.count += 1
        if value > self.longest_ns:
            self.longest_ns = value

    def percentile_ms(self, percent: float) -> float:
        """Return the time that `percent` of all times do not exceed, in milliseconds; 0 if there are none."""
        wanted = max(1, -(-self.count * percent // 100))
        seen = 0
        for index, count in enumerate(self._counts):
            seen += count
            if seen >= wanted:
                return min(_highest(index), self.longest_ns) / 1e6
        return 0.0


def _index(value: int) -> int:
    """Return the bucket of a value: one each below 256, then 128 for each doubling."""
    shift = max(0, value.bit_length() - _LEADING_BITS)
    return shift * _HALF + (value >> shift)


def _highest(index: int) -> int:
    """Return the largest value of a bucket."""
    shift = max(0, index // _HALF - 1)
    return ((index - shift * _HALF + 1) << shift) - 1

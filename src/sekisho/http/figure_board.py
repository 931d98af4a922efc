"""A board in memory that the worker processes of one node share, on which each shows its figures.

A worker's place outlives it: who takes it over goes on counting from what stands there, so that a total never falls.
Memory and not files: a container's file system may be read-only, and nothing is left behind.
"""

from __future__ import annotations

import mmap
import struct
from binascii import crc32

# One place of 256 kB holds the figures of some thousand routes; pages that nobody wrote take no memory.
PLACE_BYTES = 256 * 1024
_HALF = PLACE_BYTES // 2
_HEAD = struct.Struct("<QII")


class FigureBoard:
    """One place for each worker. Made before they are forked.

    Concurrency: each place has one writer, and readers who never wait. It writes into the half that is not the newest;
    who reads while it does so sees a checksum that does not fit, and takes the other half.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._memory = mmap.mmap(-1, places * PLACE_BYTES)

    def show(self, place: int, figures: bytes) -> None:
        """Put the figures up in this place.

        Raises:
            ValueError: more than half a place holds.
        """
        if len(figures) > _HALF - _HEAD.size:
            raise ValueError("these figures do not fit on the board")
        number, half = max((self._read(place, half)[0], half) for half in (0, 1))
        start = place * PLACE_BYTES + (1 - half) * _HALF
        head = _HEAD.pack(number + 1, len(figures), _check(number + 1, figures))
        self._memory[start + _HEAD.size : start + _HEAD.size + len(figures)] = figures
        self._memory[start : start + _HEAD.size] = head

    def seen(self, place: int) -> bytes:
        """Return the newest figures of this place, b"" if there were never any."""
        return max(self._read(place, half) for half in (0, 1))[1]

    def others(self, place: int) -> list[bytes]:
        """Return the newest figures of all places but this one."""
        return [found for other in range(self._places) if other != place and (found := self.seen(other))]

    def _read(self, place: int, half: int) -> tuple[int, bytes]:
        start = place * PLACE_BYTES + half * _HALF
        number, size, check = _HEAD.unpack(self._memory[start : start + _HEAD.size])
        figures = self._memory[start + _HEAD.size : start + _HEAD.size + min(size, _HALF - _HEAD.size)]
        return (number, figures) if check == _check(number, figures) and number else (0, b"")


def _check(number: int, figures: bytes) -> int:
    return crc32(figures, number & 0xFFFFFFFF)

"""A file of breached passwords, to be looked up without a network. `sekisho passwords filter` makes it.

    0    8 bytes         SKBREACH
    8    4 bytes         version of the form: 1
    12   4 bytes         bytes of each entry: 6
    16   65,537 × 8      for each beginning of two bytes the number of the first entry, and the number of all
    …    entries × 6     bytes 3 to 8 of the SHA-1 of each password in UTF-8, sorted within its beginning

Numbers are unsigned, big end first. A password that is not on the list is taken for one that is with a chance of its
length in 2^64: one in 18 thousand million for a list of a thousand million. SHA-1 protects nothing here: it is the
form in which such lists are published.

The file is mapped, not read: a look-up touches a few pages, and workers share them.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from itertools import pairwise
from pathlib import Path

MAGIC = b"SKBREACH"
VERSION = 1
BEGINNING_BYTES = 2
ENTRY_BYTES = 6
BEGINNINGS = 1 << (8 * BEGINNING_BYTES)
HEAD = struct.Struct(">8sII")
STARTS = struct.Struct(f">{BEGINNINGS + 1}Q")
FIRST_ENTRY_AT = HEAD.size + STARTS.size


class BreachedFileUnusable(Exception):
    """The file is missing, unreadable or damaged. The text names it, for the operator."""


def digest_of(password: str) -> bytes:
    """Return the SHA-1 under which lists of breached passwords know this one."""
    return hashlib.sha1(password.encode(), usedforsecurity=False).digest()


class BreachedFile:
    """The list in the file at `path`.

    Raises:
        BreachedFileUnusable: at construction, so that a wrong setting stops the start and no request.
    """

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise BreachedFileUnusable(f"{path}: {_why(error)}") from None
        try:
            self._starts = _starts(self._map)
        except ValueError as error:
            self._map.close()
            raise BreachedFileUnusable(f"{path}: {error}") from None

    def __len__(self) -> int:
        return self._starts[-1]

    def __contains__(self, password: str) -> bool:
        """Whether the whole password, in normal form, is on the list."""
        digest = digest_of(password)
        beginning, wanted = int.from_bytes(digest[:BEGINNING_BYTES], "big"), digest[BEGINNING_BYTES:][:ENTRY_BYTES]
        low, high = self._starts[beginning], self._starts[beginning + 1]
        while low < high:
            middle = (low + high) // 2
            if self._entry(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low < self._starts[beginning + 1] and self._entry(low) == wanted

    def close(self) -> None:
        """Let go of the file."""
        self._map.close()

    def _entry(self, number: int) -> bytes:
        at = FIRST_ENTRY_AT + number * ENTRY_BYTES
        return self._map[at : at + ENTRY_BYTES]


def _starts(data: mmap.mmap) -> tuple[int, ...]:
    """Return where each beginning begins.

    Raises:
        ValueError: this is no such file, one of a later version, or one that was cut short.
    """
    if len(data) < FIRST_ENTRY_AT or data[: len(MAGIC)] != MAGIC:
        raise ValueError("not a file that `sekisho passwords filter` has made")
    _, version, entry_bytes = HEAD.unpack_from(data)
    if (version, entry_bytes) != (VERSION, ENTRY_BYTES):
        raise ValueError(f"of a version that is not known here ({version}); make it again")
    starts = STARTS.unpack_from(data, HEAD.size)
    is_rising = all(one <= other for one, other in pairwise(starts))
    if starts[0] != 0 or not is_rising or len(data) != FIRST_ENTRY_AT + starts[-1] * ENTRY_BYTES:
        raise ValueError("damaged or cut short; make it again")
    return starts


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "an empty file"

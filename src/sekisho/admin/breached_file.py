"""Making the file of breached passwords: a published list goes in, sorted digests come out.

    each line into the part of its first byte -> sort each part in memory -> write them one after another

Only one part is ever in memory: of a list of a thousand million about 300 MB. The file takes its place whole or not
at all, so that a making that was cut short is simply run again.
"""

from __future__ import annotations

import os
import struct
import tempfile
from binascii import unhexlify
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from sekisho.passwords.breached import (
    BEGINNING_BYTES,
    BEGINNINGS,
    ENTRY_BYTES,
    FIRST_ENTRY_AT,
    HEAD,
    MAGIC,
    STARTS,
    VERSION,
    digest_of,
)
from sekisho.passwords.normal_form import MAX_CHARACTERS

KEPT_BYTES = BEGINNING_BYTES + ENTRY_BYTES
DIGEST_CHARACTERS = 40
MAX_LINE_BYTES = 4 * MAX_CHARACTERS + 64
TELL_EVERY_LINES = 1_000_000
_PART_BUFFER_BYTES = 32 * 1024


class NotAList(Exception):
    """A line is not what the form asks for; `line` counts from 1."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line}")
        self.line = line


class Made(Struct, frozen=True, kw_only=True):
    """lines: that were read. passwords: that are in the file. rare: left out as seen too seldom."""

    lines: int
    passwords: int
    rare: int


def make_breached_file(
    source: BinaryIO,
    target: Path,
    *,
    has_words: bool = False,
    at_least: int = 1,
    tell: Callable[[int], None] = lambda _: None,
) -> Made:
    """Write the file at `target` from a list.

    Args:
        source: a line a password: its SHA-1 in hexadecimal, perhaps with `:` and how often it was seen.
        has_words: each line is a password itself instead.
        at_least: how often a password must have been seen; one without a number was.
        tell: hears how many lines are read, every million.

    Raises:
        NotAList: a line has another form.
        OSError: no place, or no permission.
    """
    read = _words(source) if has_words else _digests(source, at_least)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
        lines, rare = _sort_into_parts(read, Path(folder), tell)
        unfinished = Path(folder) / "whole"
        passwords = _write_whole(Path(folder), unfinished)
        os.replace(unfinished, target)
    return Made(lines=lines, passwords=passwords, rare=rare)


def _digests(source: BinaryIO, at_least: int) -> Iterator[bytes]:
    """Yield what is kept of each line; b"" for one that was seen too seldom."""
    for number, line in _lines(source):
        text, colon, seen = line.partition(b":")
        try:
            if len(text) != DIGEST_CHARACTERS:
                raise NotAList(number)
            digest, count = unhexlify(text), int(seen) if colon else at_least
        except ValueError:
            raise NotAList(number) from None
        yield digest[:KEPT_BYTES] if count >= at_least else b""


def _words(source: BinaryIO) -> Iterator[bytes]:
    for number, line in _lines(source):
        try:
            yield digest_of(line.decode())[:KEPT_BYTES]
        except UnicodeDecodeError:
            raise NotAList(number) from None


def _lines(source: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield each line that says something, and its number in the file."""
    number = 0
    while line := source.readline(MAX_LINE_BYTES):
        number += 1
        if not line.endswith(b"\n") and len(line) == MAX_LINE_BYTES:
            raise NotAList(number)
        if line := line.rstrip(b"\r\n"):
            yield number, line


def _sort_into_parts(read: Iterable[bytes], folder: Path, tell: Callable[[int], None]) -> tuple[int, int]:
    lines = rare = 0
    with ExitStack() as open_files:
        parts = [
            open_files.enter_context((folder / f"{first:02x}").open("wb", buffering=_PART_BUFFER_BYTES))
            for first in range(256)
        ]
        for lines, kept in enumerate(read, 1):
            if kept:
                parts[kept[0]].write(kept)
            else:
                rare += 1
            if lines % TELL_EVERY_LINES == 0:
                tell(lines)
    return lines, rare


def _write_whole(folder: Path, place: Path) -> int:
    """Sort the parts one by one, each password once, and write them behind a head that knows where each begins."""
    starts = [0] * (BEGINNINGS + 1)
    with place.open("wb") as whole:
        whole.seek(FIRST_ENTRY_AT)
        total = 0
        for first in range(256):
            part = folder / f"{first:02x}"
            for kept in sorted({each[0] for each in struct.iter_unpack(f"{KEPT_BYTES}s", part.read_bytes())}):
                starts[int.from_bytes(kept[:BEGINNING_BYTES], "big") + 1] += 1
                whole.write(kept[BEGINNING_BYTES:])
                total += 1
            part.unlink()
        for number in range(BEGINNINGS):
            starts[number + 1] += starts[number]
        whole.seek(0)
        whole.write(HEAD.pack(MAGIC, VERSION, ENTRY_BYTES) + STARTS.pack(*starts))
        whole.flush()
        os.fsync(whole.fileno())
    return total

"""What a move needs of an engine. Of the source only the reading half is used."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import msgspec
from msgspec import Struct

Row: TypeAlias = Sequence[Any]
Key: TypeAlias = tuple[Any, ...]

_MODULUS = 1 << 128
_pack = msgspec.msgpack.Encoder().encode


class TableShape(Struct, frozen=True):
    """One table of the schema: its columns, those that identify a row, and the one that counts by itself, if any."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    counter: str | None = None

    def key_of(self, row: Row) -> Key:
        return tuple(row[self.columns.index(name)] for name in self.key)


class Digest(Struct, frozen=True):
    """How many rows, and the sum of their SHA-256 values (first 128 bits): the same whatever order they are read in."""

    rows: int = 0
    total: int = 0

    def plus(self, rows: Sequence[Row]) -> Digest:
        total = self.total
        for row in rows:
            total += int.from_bytes(hashlib.sha256(_pack(list(row))).digest()[:16])
        return Digest(self.rows + len(rows), total % _MODULUS)

    def text(self) -> str:
        return f"{self.total:032x}"


class Side(Protocol):
    """One engine of a move. Nobody else uses its database while it is open here. A move's notes stand in the table
    `meta` under names that begin with `MOVE_NOTE`, and are no part of its rows."""

    async def count(self, table: TableShape) -> int: ...

    def rows(self, table: TableShape, after: Key | None, batch: int) -> AsyncIterator[list[Row]]:
        """Yield all rows behind `after`, at most `batch` at a time, in the order of the key as this engine sorts it."""

    async def note(self, name: str) -> str | None:
        """Return a fact of the table `meta`, a note or another; None if there is none."""

    async def begin(self, name: str, note: str) -> None:
        """Empty the table `meta` and leave the first note."""

    async def write(self, table: TableShape, rows: Sequence[Row], name: str, note: str) -> None:
        """Insert the rows and leave the note, all of it or nothing, durably."""

    async def counter(self, table: TableShape) -> int:
        """Return the highest number that the table's counter ever gave, also to a row that is gone; 0 for none."""

    async def finish(self, counters: Mapping[TableShape, int]) -> None:
        """Let each counter go on behind its number, and forget the notes, all of it or nothing."""

    async def close(self) -> None: ...

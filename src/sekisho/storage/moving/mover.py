"""The move: look at both sides, copy table by table, compare.

    is the target empty, or an unfinished move of this very source? -> copy each table in batches, each batch with a
    note of how far it got in the same commit -> compare rows and checksums -> let the counters go on, drop the notes

Rows travel as they are: sealed keys, session ids, counters, the journal's numbers and its generation. So no client and
no guard notices. Until the notes are dropped no server opens the target (`UnfinishedMove`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct

from sekisho.storage.errors import StoreCannotOpen
from sekisho.storage.moving.sides import Digest, Key, Side, TableShape
from sekisho.storage.unfinished import MOVE_NOTE

BATCH = 2_000

# Facts about the installation: what tells one source from another.
META = "meta"
_IDENTITY = ("journal_generation", "master_secret_check")

Progress = Callable[[str, int, int], None]
"""Told of a table's name, the rows that are there, and how many there will be."""


class TargetNotEmpty(StoreCannotOpen):
    """The target holds data that this move did not bring."""

    def __init__(self, table: str, rows: int) -> None:
        super().__init__(
            f"The target is not empty: table {table} has {rows} rows that this move did not bring. Move into a new "
            "database, or empty this one first."
        )
        self.path = table
        self.found = rows


class NotTheSame(StoreCannotOpen):
    """After the copy the two sides differ. The target stays closed to servers."""

    def __init__(self, table: str) -> None:
        super().__init__(
            f"Table {table} differs between the two databases after the copy: something wrote to one of them "
            "meanwhile. Stop what uses them, empty the target, and move again."
        )
        self.path = table


class TableMoved(Struct, frozen=True):
    """rows: in both sides. checksum: of both, in hexadecimal. copied: how many rows this run brought."""

    name: str
    rows: int
    checksum: str
    copied: int


class Plan(Struct, frozen=True):
    """What a move would do: rows of each table at the source, and what an earlier, unfinished one brought already."""

    tables: tuple[tuple[str, int, int], ...]
    is_resumed: bool


async def look(source: Side, target: Side, tables: Sequence[TableShape]) -> Plan:
    """Say what a move would do, without doing it.

    Raises:
        TargetNotEmpty: see there.
    """
    is_resumed = await target.note(MOVE_NOTE) == await _identity(source)
    found = []
    for table in tables:
        there = 0 if table.name == META and not is_resumed else await target.count(table)
        if there and not is_resumed:
            raise TargetNotEmpty(table.name, there)
        found.append((table.name, await source.count(table), there))
    return Plan(tuple(found), is_resumed)


async def move(source: Side, target: Side, tables: Sequence[TableShape], progress: Progress) -> list[TableMoved]:
    """Copy all tables and compare them. A run that was cut off is taken up where its last commit was.

    Raises:
        TargetNotEmpty, NotTheSame: see there.
    """
    plan = await look(source, target, tables)
    if not plan.is_resumed:
        # A database that somebody opened before has facts of its own; those of the source take their place.
        await target.begin(MOVE_NOTE, await _identity(source))
    copied = {table.name: await _copy(source, target, table, progress) for table in tables}
    moved = [await _compared(source, target, table, copied[table.name]) for table in tables]
    # A reader that has seen number 9 must see what comes next, also when the row of number 9 is long gone.
    await target.finish({table: await source.counter(table) for table in tables if table.counter})
    return moved


async def _identity(source: Side) -> str:
    return " ".join([await source.note(name) or "-" for name in _IDENTITY])


async def _copy(source: Side, target: Side, table: TableShape, progress: Progress) -> int:
    """Return how many rows were brought now."""
    note, wanted = f"{MOVE_NOTE}:{table.name}", await source.count(table)
    reached = await target.note(note)
    there, brought = 0 if reached is None else await target.count(table), 0
    progress(table.name, there, wanted)
    async for rows in source.rows(table, None if reached is None else _decode(reached), BATCH):
        await target.write(table, rows, note, _encode(table.key_of(rows[-1])))
        brought += len(rows)
        progress(table.name, there + brought, wanted)
    return brought


async def _compared(source: Side, target: Side, table: TableShape, copied: int) -> TableMoved:
    of_source, of_target = await _digest(source, table), await _digest(target, table)
    if of_source != of_target:
        raise NotTheSame(table.name)
    return TableMoved(table.name, of_source.rows, of_source.text(), copied)


async def _digest(side: Side, table: TableShape) -> Digest:
    found = Digest()
    async for rows in side.rows(table, None, BATCH):
        found = found.plus(rows)
    return found


def _encode(key: Key) -> str:
    """Keys are texts, whole numbers and bytes: as MessagePack in hexadecimal each comes back as what it was."""
    return msgspec.msgpack.encode(key).hex()


def _decode(note: str) -> Key:
    return tuple(msgspec.msgpack.decode(bytes.fromhex(note)))

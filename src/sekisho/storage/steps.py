"""How a change is written once for every SQL engine: as steps, without I/O.

A change is a generator that yields one statement at a time and is sent the rows that it gave. What it
returns is the change's result, or one of the two values below. The texts name their parameters (`:name`)
and stay within what SQLite (3.35 and newer) and PostgreSQL (14 and newer) both understand. Arithmetic on parameters is
done in Python, where its type is certain.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from msgspec import Struct

from sekisho.model import JournalEntry, Millis

# Only PostgreSQL knows lists: they stand in texts of its own.
Value: TypeAlias = str | int | bytes | list[str] | None
Row: TypeAlias = Sequence[Any]


class Step(NamedTuple):
    """One statement and the values of its parameters."""

    sql: str
    values: Mapping[str, Value]


Steps: TypeAlias = Generator[Step, Sequence[Row], Any]
Maker: TypeAlias = Callable[[Any], Steps]


class Losing(Struct, frozen=True):
    """Returned by a guarded change that found nothing to change: the engine undoes the call."""

    why: str
    retry_at: Millis | None = None


class Telling(Struct, frozen=True):
    """Returned by a change of which listeners must hear after the commit."""

    result: Any = None
    journal: tuple[JournalEntry, ...] = ()
    mail_queued: bool = False
    keys_changed: bool = False

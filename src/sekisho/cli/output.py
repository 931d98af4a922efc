"""How a command tells what it found: JSON for scripts, aligned columns for people."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import msgspec

from sekisho.cli.texts import say
from sekisho.model import Millis
from sekisho.times import iso_time


def print_json(value: object) -> None:
    """Print one JSON document, indented, on standard output."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under the translated names of `columns`. Cut to the width only on a terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(say(f"column.{name}"), overflow="fold")
    for row in rows:
        # Text, not markup: a square bracket in somebody's name is only that.
        table.add_row(*(Text(cell) for cell in row))
    width = None if sys.stdout.isatty() else 10_000
    Console(width=width, highlight=False).print(table)


def print_facts(facts: Iterable[tuple[str, str]]) -> None:
    """Print one `name  value` line each."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in facts:
        table.add_row(Text(name, style="bold"), Text(value))
    width = None if sys.stdout.isatty() else 10_000
    Console(width=width, highlight=False).print(table)


def padded(text: str, columns: int) -> str:
    """Return the text filled up to a width on the terminal, where kana and kanji take two columns."""
    return text + " " * (columns - sum(1 if char.isascii() else 2 for char in text))


def time_text(at: Millis | None) -> str:
    """Return a moment for a table; "" if there is none."""
    return "" if at is None else iso_time(at)


def time_json(at: Millis | None) -> str | None:
    """Return a moment for JSON."""
    return None if at is None else iso_time(at)

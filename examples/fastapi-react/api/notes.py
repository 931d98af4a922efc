"""Notes in an SQLite file. Every statement names the owner: nobody reaches another's note, whatever they guess."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

FILE = os.environ.get("NOTES_FILE") or str(Path(__file__).with_name("notes.db"))
SCHEMA = """
CREATE TABLE IF NOT EXISTS note (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT NOT NULL,
    text TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS note_owner ON note (owner, id);
"""


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(FILE, timeout=5)
    connection.row_factory = sqlite3.Row
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def prepare() -> None:
    with database() as connection:
        connection.executescript(SCHEMA)


def of(owner: str) -> list[dict]:
    with database() as connection:
        rows = connection.execute(
            "SELECT id, text, created_at FROM note WHERE owner = ? ORDER BY id DESC LIMIT 200", (owner,)
        )
        return [dict(row) for row in rows]


def add(owner: str, text: str) -> dict:
    note = {"text": text, "created_at": datetime.now(UTC).isoformat(timespec="seconds")}
    with database() as connection:
        cursor = connection.execute(
            "INSERT INTO note (owner, text, created_at) VALUES (?, ?, ?)", (owner, note["text"], note["created_at"])
        )
    return {"id": cursor.lastrowid, **note}


def delete(owner: str, number: int) -> bool:
    with database() as connection:
        return connection.execute("DELETE FROM note WHERE id = ? AND owner = ?", (number, owner)).rowcount == 1

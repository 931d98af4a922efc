"""The embedded engine: SQLite through apsw, one writer thread with group commit."""

from __future__ import annotations

from sekisho.storage.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]

"""Bringing a file to this version's schema. Serving a migrated file never imports this module."""

from __future__ import annotations

from pathlib import Path

from sekisho.storage.migrate import migration_sql
from sekisho.storage.sqlite.connections import can_serve, create_file, explained, find_revision, open_writer


def migrate(path: Path) -> str | None:
    """Create or upgrade the file, in one transaction. Returns the revision that it had before (None: it was empty).
    A newer one that this version may work on is left as it is.

    Raises:
        StoreCannotOpen: any of its kinds; the file is then as it was.

    Concurrency: of two processes that migrate at once the second waits and finds nothing to do.
    """
    create_file(path)
    with explained(path):
        connection = open_writer(path)
        try:
            connection.execute("BEGIN IMMEDIATE")
            found = find_revision(connection, path)
            if can_serve(connection, path):
                return found
            # Fetched to the end: a statement that gives rows stops all behind it until they are taken.
            connection.execute(migration_sql("sqlite", found)).fetchall()
            connection.execute("COMMIT")
        finally:
            connection.close()
    return found

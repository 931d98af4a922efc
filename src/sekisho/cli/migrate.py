"""`sekisho migrate`: create the database, or bring it to this version's schema."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from sekisho.cli.failures import told
from sekisho.cli.output import print_json
from sekisho.cli.surroundings import AsJson, settings_for_command
from sekisho.cli.texts import say
from sekisho.settings import Settings
from sekisho.storage.revision import SCHEMA_REVISION


def migrate(
    sql: Annotated[bool, typer.Option("--sql", help=say("option.sql"))] = False, as_json: AsJson = False
) -> None:
    settings = settings_for_command(as_json=as_json, may_create=not sql)
    path = settings.database_place
    with told(settings, as_json=as_json):
        if sql:
            _tell_pending(_pending_sql(settings), settings, as_json=as_json)
            return
        # The migration libraries are heavy; only this command needs them.
        before = asyncio.run(bring_up(settings))
    if as_json:
        print_json({"database": str(path), "before": before, "revision": max(before or "", SCHEMA_REVISION)})
    elif before is not None and before >= SCHEMA_REVISION:
        print(say("done.up_to_date", path=path, revision=before))
    else:
        print(say("done.migrated", path=path, revision=SCHEMA_REVISION, before=before or say("none")))


async def bring_up(settings: Settings) -> str | None:
    """Create or upgrade the database of these settings; return the revision that it had before."""
    if settings.is_postgres:
        from sekisho.assemble.stores import postgres_target
        from sekisho.storage.postgres.migration import migrate as migrate_server

        return await migrate_server(postgres_target(settings))
    from sekisho.storage.sqlite.migration import migrate as migrate_file

    return migrate_file(settings.database_path)


def _tell_pending(statements: str, settings: Settings, *, as_json: bool) -> None:
    """Standard output is for the statements alone: it may go straight into a file."""
    if as_json:
        print_json({"database": str(settings.database_place), "sql": statements})
        return
    print(statements, end="")
    if not statements:
        print(say("done.up_to_date", path=settings.database_place, revision=SCHEMA_REVISION), file=sys.stderr)


def _pending_sql(settings: Settings) -> str:
    from sekisho.storage.migrate import migration_sql
    from sekisho.storage.sqlite.connections import explained, find_revision, open_reader

    if settings.is_postgres:
        from sekisho.assemble.stores import postgres_target
        from sekisho.storage.postgres.migration import revision_of

        return migration_sql("postgresql", asyncio.run(revision_of(postgres_target(settings))))
    path = settings.database_path
    found = None
    if path.exists():
        with explained(path):
            connection = open_reader(path)
            try:
                found = find_revision(connection, path)
            finally:
                connection.close()
    return migration_sql("sqlite", found)

"""`sekisho backup` and `sekisho restore`: a copy of the database, and the way back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from sekisho.cli.failures import fail, told
from sekisho.cli.output import print_json
from sekisho.cli.surroundings import AsJson, settings_for_command
from sekisho.cli.texts import say
from sekisho.settings import Settings


def backup(
    target: Annotated[Path, typer.Argument(metavar="FILE", help=say("argument.backup_target"))], as_json: AsJson = False
) -> None:
    settings = settings_for_command(as_json=as_json)
    if settings.is_postgres:
        fail("use_pg_dump", say("backup.use_pg_dump", place=settings.database_place), as_json=as_json)
    with told(settings, as_json=as_json):
        from sekisho.storage.sqlite.backup import back_up

        try:
            back_up(settings.database_path, target)
        except FileExistsError:
            fail("file_exists", say("backup.exists", path=target), as_json=as_json)
    if as_json:
        print_json({"database": str(settings.database_path), "backup": str(target)})
    else:
        print(say("done.backed_up", path=target))


def restore(
    source: Annotated[Path | None, typer.Argument(metavar="FILE", help=say("argument.backup_source"))] = None,
    as_json: AsJson = False,
) -> None:
    settings = settings_for_command(as_json=as_json)
    if settings.is_postgres:
        _make_safe(settings, source, as_json=as_json)
        return
    if source is None:
        fail("no_source", say("backup.no_source"), as_json=as_json)
    if not source.exists():
        fail("no_such_file", say("backup.missing", path=source), as_json=as_json)
    with told(settings, as_json=as_json):
        from sekisho.storage.sqlite.backup import staged, swap

        with staged(source, settings.database_path) as copy:
            # Made safe before it takes the database's place: whoever starts in between finds the one or the other.
            ended = asyncio.run(_raise_epoch(settings.model_copy(update={"database_path": copy})))
            kept = swap(copy, settings.database_path)
    if as_json:
        print_json({"database": str(settings.database_path), "kept": str(kept) if kept else None, "ended": ended})
    else:
        print(say("done.restored", path=settings.database_path, count=ended))
        if kept:
            print(say("done.kept", path=kept))


def _make_safe(settings: Settings, source: Path | None, *, as_json: bool) -> None:
    """`pg_restore` has put the rows back; what remains is that nothing in them is alive."""
    if source is not None:
        fail("use_pg_restore", say("backup.use_pg_restore", place=settings.database_place), as_json=as_json)
    with told(settings, as_json=as_json):
        ended = asyncio.run(_raise_epoch(settings))
    if as_json:
        print_json({"database": settings.database_place, "kept": None, "ended": ended})
    else:
        print(say("done.restored", path=settings.database_place, count=ended))


async def _raise_epoch(settings: Settings) -> int:
    from sekisho.admin.restore import raise_epoch
    from sekisho.assemble import operator

    async with operator(settings) as world:
        return await raise_epoch(world)

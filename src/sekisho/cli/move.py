"""`sekisho move`: everything to another database, compared in the end; nobody is logged out."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.cli.failures import fail, told
from sekisho.cli.output import print_json
from sekisho.cli.surroundings import AsJson, chosen_mode, settings_for_command
from sekisho.cli.texts import say
from sekisho.settings import Settings, load

if TYPE_CHECKING:
    from sekisho.storage.moving.mover import Plan, TableMoved
    from sekisho.storage.moving.sides import Side

# One line for so many rows of a table: progress for a person, not a log of every batch.
TELL_EVERY_ROWS = 20_000


def move(
    to: Annotated[str, typer.Option("--to", metavar="URL", help=say("option.move_to"))],
    is_dry: Annotated[bool, typer.Option("--dry-run", help=say("option.move_dry_run"))] = False,
    as_json: AsJson = False,
) -> None:
    source = settings_for_command(as_json=as_json)
    with told(source, as_json=as_json):
        target = load(chosen_mode(), overrides={"database_url": to})
    names = {"source": source.database_place, "target": target.database_place}
    if names["source"] == names["target"]:
        fail("same_database", say("move.same"), as_json=as_json)
    with told(target, as_json=as_json):
        if is_dry:
            plan = asyncio.run(_looked(source, target))
            counts = {name: rows for name, rows, _ in plan.tables}
            if as_json:
                print_json({**names, "tables": counts, "resumes": plan.is_resumed})
            else:
                print(say("move.would", rows=sum(counts.values()), tables=len(counts), **names))
            return
        moved = asyncio.run(_moved(source, target, is_quiet=as_json))
    if as_json:
        tables = {one.name: {"rows": one.rows, "checksum": one.checksum, "copied": one.copied} for one in moved}
        print_json({**names, "tables": tables})
    else:
        print(say("move.done", rows=sum(one.rows for one in moved), tables=len(moved), **names))


async def _looked(source: Settings, target: Settings) -> Plan:
    from sekisho.storage.errors import SchemaTooOld
    from sekisho.storage.moving.mover import Plan, look
    from sekisho.storage.moving.tables import table_shapes

    shapes = table_shapes()
    from_side = await _open(source)
    try:
        try:
            to_side = await _open(target)
        except SchemaTooOld as error:
            if error.found is not None:
                raise
            # Not even tables yet: the move would make them.
            return Plan(tuple([(each.name, await from_side.count(each), 0) for each in shapes]), False)
        try:
            return await look(from_side, to_side, shapes)
        finally:
            await to_side.close()
    finally:
        await from_side.close()


async def _moved(source: Settings, target: Settings, *, is_quiet: bool) -> list[TableMoved]:
    from sekisho.cli.migrate import bring_up
    from sekisho.storage.moving.mover import look
    from sekisho.storage.moving.mover import move as move_all
    from sekisho.storage.moving.tables import table_shapes

    shapes = table_shapes()
    from_side = await _open(source)
    try:
        await bring_up(target)
        to_side = await _open(target)
        try:
            if not is_quiet and (await look(from_side, to_side, shapes)).is_resumed:
                print(say("move.resumed"), file=sys.stderr)
            return await move_all(from_side, to_side, shapes, _silent if is_quiet else _tell)
        finally:
            await to_side.close()
    finally:
        await from_side.close()


async def _open(settings: Settings) -> Side:
    if settings.is_postgres:
        from sekisho.assemble.stores import postgres_target
        from sekisho.storage.moving.postgres import PostgresSide

        return await PostgresSide.open(postgres_target(settings))
    from sekisho.storage.moving.sqlite import SqliteSide

    return SqliteSide.open(settings.database_path)


def _tell(table: str, rows: int, wanted: int) -> None:
    if rows == wanted or rows % TELL_EVERY_ROWS == 0:
        print(say("move.progress", table=table, rows=rows, wanted=wanted), file=sys.stderr)


def _silent(table: str, rows: int, wanted: int) -> None:
    """For scripts: the JSON says it all."""

"""`sekisho import users`: accounts out of another system's file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from sekisho.admin.import_users import Imported, import_users, read_csv, read_json
from sekisho.admin.world import OperatorWorld
from sekisho.cli.failures import FAILED, fail
from sekisho.cli.output import print_json
from sekisho.cli.surroundings import AsJson, run
from sekisho.cli.texts import has, say

app = typer.Typer(help=say("help.import"), no_args_is_help=True)

TELL_EVERY_ROWS = 1000
READERS = {".csv": read_csv, ".jsonl": read_json, ".json": read_json}


@app.callback()
def settle() -> None:
    """Keep `users` a command of its own: other things may be imported one day."""


@app.command("users", help=say("help.import_users"))
def users(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=say("argument.import_file"))],
    is_dry: Annotated[bool, typer.Option("--dry-run", help=say("option.import_dry_run"))] = False,
    as_json: AsJson = False,
) -> None:
    read = READERS.get(file.suffix.lower())
    if read is None:
        fail("unknown_format", say("import.unknown_format", path=file), as_json=as_json)
    if not file.is_file():
        fail("no_such_file", say("import.missing", path=file), as_json=as_json)

    async def work(world: OperatorWorld) -> Imported:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return await import_users(read(lines), world, is_dry=is_dry, tell=_progress(is_quiet=as_json))

    try:
        done = run(work, as_json=as_json)
    except UnicodeDecodeError:
        fail("not_utf8", say("import.encoding", path=file), as_json=as_json)
    if as_json:
        print_json({**msgspec.to_builtins(done), "dry_run": is_dry})
    else:
        for row in done.refused:
            own = f"import.row.{row.reason}"
            reason = say(own) if has(own) else row.reason
            print(say("import.refused", line=row.line, field=row.field or "-", reason=reason), file=sys.stderr)
        said = "import.would" if is_dry else "import.done"
        print(say(said, added=done.added, existing=done.existing, refused=len(done.refused)))
    if done.refused:
        raise typer.Exit(FAILED)


def _progress(*, is_quiet: bool) -> Callable[[int], None]:
    def tell(rows: int) -> None:
        if not is_quiet and rows % TELL_EVERY_ROWS == 0:
            print(say("import.progress", rows=rows), file=sys.stderr)

    return tell

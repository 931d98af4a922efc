"""`sekisho passwords …`: lists of passwords that nobody should use."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from sekisho.admin.breached_file import NotAList, make_breached_file
from sekisho.cli.failures import fail
from sekisho.cli.output import print_json
from sekisho.cli.surroundings import OUTPUT, AsJson
from sekisho.cli.texts import say

app = typer.Typer(help=say("help.passwords"), no_args_is_help=True)


@app.callback()
def settle() -> None:
    """Keep `filter` a command of its own."""


@app.command("filter", help=say("help.passwords_filter"))
def make_filter(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=say("argument.filter_file"))],
    out: Annotated[Path, typer.Option(*OUTPUT, "--out", metavar="FILE", help=say("option.filter_out"))],
    words: Annotated[bool, typer.Option("--words", help=say("option.filter_words"))] = False,
    at_least: Annotated[int, typer.Option(metavar="N", min=1, help=say("option.filter_at_least"))] = 1,
    as_json: AsJson = False,
) -> None:
    def tell(lines: int) -> None:
        if not as_json:
            print(say("filter.progress", lines=f"{lines:,}"), file=sys.stderr)

    try:
        with file.open("rb") as source:
            made = make_breached_file(source, out.resolve(), has_words=words, at_least=at_least, tell=tell)
    except NotAList as error:
        key = "filter.not_words" if words else "filter.not_hashes"
        fail("not_a_list", say(key, path=file, line=error.line), as_json=as_json, line=error.line)
    except OSError as error:
        is_missing = isinstance(error, FileNotFoundError) and error.filename == str(file)
        why = say("filter.os", path=error.filename or out, why=error.strerror)
        fail("no_such_file" if is_missing else "cannot_write", why, as_json=as_json)
    size_mb = max(1, out.stat().st_size // (1024 * 1024))
    if as_json:
        print_json({"lines": made.lines, "passwords": made.passwords, "rare": made.rare, "path": str(out)})
        return
    print(say("filter.done", passwords=f"{made.passwords:,}", path=out, size=size_mb))
    print(say("filter.next", path=shlex.quote(str(out.resolve()))))

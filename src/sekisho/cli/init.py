"""`sekisho init`: a settings file for production, commented, with a master secret of its own."""

from __future__ import annotations

import secrets
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from sekisho.cli.failures import fail
from sekisho.cli.output import print_json
from sekisho.cli.private_file import write_new
from sekisho.cli.surroundings import OUTPUT, AsJson
from sekisho.cli.texts import LANGUAGE, say
from sekisho.settings import Variable, reference

SECRET = "secret"  # noqa: S105 - the setting's name
TO_EDIT = ("public_url", "database_url", "allowed_origins", "trusted_proxies", "mail.host", "mail.from")
IF_NEEDED = ("mail.user", "mail.password")


def init(
    output: Annotated[Path, typer.Option(*OUTPUT, metavar="FILE", help=say("option.output"))] = Path("sekisho.env"),
    to_stdout: Annotated[bool, typer.Option("--print", help=say("option.print"))] = False,
    as_json: AsJson = False,
) -> None:
    text = settings_file()
    if to_stdout and as_json:
        print_json({"path": None, "text": text})
        return
    if to_stdout:
        print(text, end="")
        return
    path = output.absolute()
    try:
        write_new(path, text)
    except FileExistsError:
        fail("exists", say("refused.init_exists", path=path), as_json=as_json)
    except OSError as error:
        message = say("refused.init_unwritable", path=path, detail=error.strerror)
        fail("cannot_write", message, as_json=as_json)
    if as_json:
        print_json({"path": str(path)})
    else:
        print(say("done.init", path=path, quoted=shlex.quote(str(path))))


def settings_file() -> str:
    """Return the text: what must be edited first, then everything else, commented out."""
    variables = {variable.path: variable for variable in reference()}
    lines = [*_comment(say("init.head")), "#", *_comment(say("init.secret")), ""]
    lines += [*_comment(_meaning(variables[SECRET])), f"{variables[SECRET].name}={secrets.token_urlsafe(32)}", ""]
    for path in TO_EDIT:
        variable = variables[path]
        lines += [*_comment(f"{_meaning(variable)} {say('init.edit')}"), _line(variable.name, variable.example), ""]
    for path in IF_NEEDED:
        variable = variables[path]
        lines += [
            *_comment(f"{_meaning(variable)} {say('init.if_needed')}"),
            f"# {_line(variable.name, variable.example)}",
            "",
        ]
    lines += [*_comment(say("init.more")), ""]
    for variable in variables.values():
        if variable.path not in (SECRET, *TO_EDIT, *IF_NEEDED):
            lines += [
                *_comment(_meaning(variable)),
                *_choices(variable),
                f"# {_line(variable.name, variable.default)}",
                "",
            ]
    return "\n".join(lines)


def _meaning(variable: Variable) -> str:
    return variable.ja if LANGUAGE == "ja" else variable.en


def _choices(variable: Variable) -> Iterator[str]:
    choices = variable.kind.split(" | ")
    if len(choices) > 1:
        yield from _comment(say("init.choices", choices=", ".join(choices)))


def _line(name: str, value: str) -> str:
    # Quoted where a shell would read more than a word: the file is for systemd and for `set -a; . file`.
    is_word = all(char.isalnum() or char in "/:.,_-@+" for char in value)
    return f"{name}={value}" if is_word else f"{name}='{value}'"


def _comment(text: str) -> Iterator[str]:
    for line in textwrap.wrap(text, 110, break_long_words=False) or [""]:
        yield f"# {line}"

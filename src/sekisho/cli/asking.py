"""What a command asks a person at a terminal."""

from __future__ import annotations

import sys

import typer

from sekisho.cli.failures import fail
from sekisho.cli.texts import say


def confirm(question: str, as_json: bool) -> None:
    """Go on if a person at a terminal says yes; else exit."""
    if not sys.stdin.isatty():
        fail("not_confirmed", say("usage.confirm"), as_json=as_json)
    typer.confirm(question, abort=True, err=True)


def ask_password(*, from_stdin: bool, without: bool) -> str | None:
    """A password never comes from an argument: arguments stand in process lists and shell histories."""
    if from_stdin and without:
        raise typer.BadParameter(say("usage.choose_one", one="--password-stdin", other="--no-password"))
    if without:
        return None
    if from_stdin:
        return sys.stdin.readline().removesuffix("\n").removesuffix("\r")
    if not sys.stdin.isatty():
        raise typer.BadParameter(say("usage.no_terminal"))
    while True:
        password: str = typer.prompt(say("ask.password"), hide_input=True, err=True)
        if typer.prompt(say("ask.password_again"), hide_input=True, err=True) == password:
            return password
        print(say("ask.password_differs"), file=sys.stderr)

"""Wrong usage: one sentence and where help is, or JSON where that was asked for; exit code 2."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import msgspec
import typer
from typer.exceptions import TyperException

from sekisho.cli.failures import FAILED
from sekisho.cli.program import NAME
from sekisho.cli.texts import say

WRONG_USAGE = 2


def run(app: typer.Typer, words: list[str]) -> NoReturn:
    """Run the command that `words` name, and exit."""
    try:
        code = app(words, prog_name=NAME, standalone_mode=False)
    except typer.Abort:
        print(say("usage.aborted"), file=sys.stderr)
        sys.exit(FAILED)
    except TyperException as error:
        _tell(error, as_json="--json" in words)
        sys.exit(WRONG_USAGE)
    sys.exit(code if isinstance(code, int) else 0)


def _tell(error: Any, *, as_json: bool) -> None:
    """Tell the mistake. Of the error's attributes only those are there that its kind has."""
    context = getattr(error, "ctx", None)
    sentence = _sentence(error)
    if as_json:
        print(msgspec.json.encode({"error": "usage", "message": sentence}).decode(), file=sys.stderr)
    elif context is None or sentence.startswith(context.get_usage()):
        print(sentence, file=sys.stderr)
    else:
        print(f"{sentence}\n\n{say('usage.help', command=context.command_path)}", file=sys.stderr)


def _sentence(error: Any) -> str:
    option = getattr(error, "option_name", None)
    parameter: Any = getattr(error, "param", None)
    if option in ("--dev", "--production"):
        return say("usage.mode_first", option=option)
    hint = "" if parameter is None else parameter.get_error_hint().strip("'")
    if type(error).__name__ == "MissingParameter":
        return say("usage.missing", what=hint)
    if hint and "integer" in str(error):
        return say("usage.whole_number", what=hint)
    if hint and getattr(parameter, "max", None) is not None:
        return say("usage.range", what=hint, least=parameter.min, most=parameter.max)
    # Raised by a command itself, whose sentence is complete.
    if hint == "" and type(error) is typer.BadParameter:
        return str(error)
    return str(error.format_message())

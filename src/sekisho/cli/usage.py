"""Wrong usage: one sentence and where help is, or JSON where that was asked for; exit code 2."""

from __future__ import annotations

import re
import sys
from typing import Any, NoReturn

import typer
from typer.exceptions import TyperException

from sekisho.cli.failures import FAILED, tell_failure
from sekisho.cli.program import NAME, program
from sekisho.cli.texts import say

WRONG_USAGE = 2

# What the library says in English alone, and our text for it.
_ENGLISH = (
    ("usage.no_command", re.compile(r"No such command '(?P<what>[^']*)'")),
    ("usage.no_option", re.compile(r"No such option: (?P<what>\S+)")),
    ("usage.no_value", re.compile(r"Option '(?P<what>[^']*)' requires an argument")),
    ("usage.too_much", re.compile(r"Got unexpected extra arguments?(?:\(s\))? \((?P<what>.*)\)", re.DOTALL)),
)
_ALIKE = re.compile(r"(?<!\S)\(?'?(--?[a-z][a-z-]*|(?<=')[a-z][a-z-]*)")


def run(app: typer.Typer, words: list[str]) -> NoReturn:
    """Run the command that `words` name, and exit."""
    try:
        code = app(words, prog_name=NAME, standalone_mode=False)
    except typer.Abort:
        tell_failure("aborted", say("usage.aborted"), as_json=_asks_for_json(words))
        sys.exit(FAILED)
    except TyperException as error:
        _tell(error, as_json=_asks_for_json(words))
        sys.exit(WRONG_USAGE)
    sys.exit(code if isinstance(code, int) else 0)


def _asks_for_json(words: list[str]) -> bool:
    return "--json" in words or "--format json" in " ".join(words).replace("=", " ")


def _tell(error: Any, *, as_json: bool) -> None:
    """Tell the mistake. Of the error's attributes only those are there that its kind has."""
    context = getattr(error, "ctx", None)
    sentence = _sentence(error)
    if not (as_json or context is None or sentence.startswith(context.get_usage())):
        sentence += f"\n\n{say('usage.help', command=_as_typed(context.command_path))}"
    tell_failure("usage", sentence, as_json=as_json)


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
    return _in_our_words(str(error.format_message()))


def _in_our_words(english: str) -> str:
    for key, pattern in _ENGLISH:
        if found := pattern.match(english):
            alike = _ALIKE.findall(english, found.end())
            suggested = say("usage.alike", words=", ".join(alike)) if alike else ""
            return say(key, what=found["what"]) + suggested
    return english


def _as_typed(command_path: str) -> str:
    """Return the command with the program as the operator called it, so that the line can be pasted."""
    return program() + command_path.removeprefix(NAME)

"""Which settings a command works with, and the operator's world made from them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from sekisho.admin.world import OperatorWorld
from sekisho.cli.failures import told
from sekisho.cli.texts import say
from sekisho.settings import STATE_FOLDER, Mode, Settings, load, mode_here

_T = TypeVar("_T")

# Ids are base64url and may begin with a dash; a word that is no option of the command is then an argument.
TAKES_IDS = {"ignore_unknown_options": True}

OUTPUT = ("--output", "-o")
"""Where a command writes a file."""

AsJson = Annotated[bool, typer.Option("--json", help=say("option.json"))]


class _Choice:
    """What `--dev` or `--production` before the command said."""

    mode: Mode | None = None


def choose_mode(is_dev: bool | None) -> None:
    """Remember the operator's word for the command that follows; None: guess from the folder."""
    _Choice.mode = None if is_dev is None else ("dev" if is_dev else "serve")


def settings_for_command(*, as_json: bool = False, may_create: bool = False) -> Settings:
    """Return the settings that the command works with, or tell every mistake and exit."""
    mode = chosen_mode()
    with told(as_json=as_json, hint=mode_hint(mode)):
        return load(mode, may_create=may_create)


def chosen_mode() -> Mode:
    return _Choice.mode or mode_here()


def mode_hint(mode: Mode) -> str:
    """Return what to add to complaints about settings that nobody asked for by name."""
    is_guessed = mode == "serve" and _Choice.mode is None
    return say("settings.hint") if is_guessed and not Path(STATE_FOLDER).is_dir() else ""


def run(work: Callable[[OperatorWorld], Awaitable[_T]], *, as_json: bool) -> _T:
    """Do `work` in the operator's world and return its value, or tell why not and exit."""
    settings = settings_for_command(as_json=as_json)
    with told(settings, as_json=as_json):
        return asyncio.run(_in_world(work, settings))


async def _in_world(work: Callable[[OperatorWorld], Awaitable[_T]], settings: Settings) -> _T:
    from sekisho.assemble import operator

    async with operator(settings) as world:
        return await work(world)

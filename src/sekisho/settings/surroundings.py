"""What the surroundings say about a command before any setting is read: the reader's language, and whether
this is a folder of development."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from sekisho.settings.dev import STATE_FOLDER
from sekisho.settings.mistakes import language_of
from sekisho.settings.model import Mode


def language_here(environ: Mapping[str, str] | None = None) -> str:
    """Return the language of whoever runs the command: `ja` or `en`."""
    return language_of(os.environ if environ is None else environ)


def mode_here(environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> Mode:
    """Return `dev` in a folder that `sekisho dev` has used, unless the environment brings a master secret."""
    given = os.environ if environ is None else environ
    is_production = "SEKISHO_SECRET" in given or "SEKISHO_SECRET_FILE" in given
    folder = Path.cwd() if cwd is None else cwd
    return "dev" if (folder / STATE_FOLDER).is_dir() and not is_production else "serve"

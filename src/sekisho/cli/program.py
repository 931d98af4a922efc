"""What the operator typed to get here, so that a command which we print can be pasted."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from functools import cache
from pathlib import Path

NAME = "sekisho"


@cache
def program() -> str:
    """Return the program as it was called: `sekisho` where the shell finds it, else its path, quoted."""
    called = sys.argv[0]
    if Path(called).stem == "__main__":
        return f"{_typed(sys.executable)} -m {NAME}"
    return _typed(called) if Path(called).name.startswith(NAME) else NAME


def _typed(path: str) -> str:
    """Return the shortest way to name a program here: its name, its path below this folder, or its whole path."""
    name = Path(path).name
    if shutil.which(name) == path:
        return name
    if os.path.isabs(path):
        below = os.path.relpath(path)
        path = path if below.startswith(os.pardir) else below
    return shlex.quote(path)

"""The command line: what an operator types. Each command parses, calls one flow, and tells."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command of this process's arguments, and exit."""
    from sekisho.cli.commands import app
    from sekisho.cli.usage import run

    run(app, sys.argv[1:])

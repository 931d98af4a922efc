"""The command line: what an operator types. Each command parses, calls one flow, and tells."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command of this process's arguments, and exit."""
    _load_structlog_without_rich()
    words = sys.argv[1:]
    if next((word for word in words if not word.startswith("-")), "") in ("dev", "serve"):
        from sekisho.cli.starting import app
    else:
        from sekisho.cli.commands import app
    from sekisho.cli.usage import run

    run(app, words)


def _load_structlog_without_rich() -> None:
    """Spare the server three megabytes: structlog loads rich, where it is installed, for coloured tracebacks that no
    log of ours shows. `None` is how the import system writes "not installed"; tables of commands load rich later."""
    if "rich" not in sys.modules:
        sys.modules["rich"] = None  # type: ignore[assignment]
        try:
            import structlog  # noqa: F401
        finally:
            del sys.modules["rich"]

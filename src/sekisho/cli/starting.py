"""`sekisho` with the two commands that start a server. The other commands are added by `sekisho.cli.commands`: a server
keeps what it has loaded for as long as it runs, and needs none of them."""

from __future__ import annotations

from typing import Annotated

import typer

from sekisho import __version__
from sekisho.cli import serving
from sekisho.cli.surroundings import choose_mode
from sekisho.cli.texts import say
from sekisho.logs import configure_logs

app = typer.Typer(
    help=say("help.app"),
    no_args_is_help=True,
    add_completion=False,
    # Plain help and plain tracebacks: rich would cost every start 50 ms and 10 MB.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _show_version(asked: bool) -> None:
    if asked:
        print(f"sekisho {__version__}")
        raise typer.Exit


@app.callback(help=say("help.app"))
def settle(
    is_dev: Annotated[bool | None, typer.Option("--dev/--production", help=say("option.dev"))] = None,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help=say("option.version"))
    ] = False,
) -> None:
    """Take the options that stand before a command."""
    # A command speaks for itself: a line of the log between its words would break what scripts read. The server's own
    # settings take this one's place.
    configure_logs("error", as_json=False)
    choose_mode(is_dev)


app.command("dev", help=say("help.dev"))(serving.dev)
app.command("serve", help=say("help.serve"))(serving.serve)

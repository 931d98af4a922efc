"""Every command of `sekisho`, put together."""

from __future__ import annotations

from typing import Annotated

import typer

from sekisho import __version__
from sekisho.cli import (
    audit,
    audit_export,
    audit_proof,
    backup,
    config,
    doctor,
    guard_key,
    import_users,
    init,
    key,
    migrate,
    move,
    passwords,
    serving,
    session,
    user,
)
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
app.command("init", help=say("help.init"))(init.init)
app.command("migrate", help=say("help.migrate"))(migrate.migrate)
app.command("backup", help=say("help.backup"))(backup.backup)
app.command("restore", help=say("help.restore"))(backup.restore)
app.command("move", help=say("help.move"))(move.move)
app.command("doctor", help=say("help.doctor"))(doctor.doctor)
app.command("config", help=say("help.config"))(config.config)
app.command("openapi", help=say("help.openapi"))(config.openapi)
app.add_typer(user.app, name="user")
app.add_typer(import_users.app, name="import")
app.add_typer(passwords.app, name="passwords")
app.add_typer(session.app, name="session")
app.add_typer(key.app, name="key")
audit.app.command("export", help=say("help.audit_export"))(audit_export.export)
audit.app.command("report", help=say("help.audit_report"))(audit_export.report)
audit.app.command("verify", help=say("help.audit_verify"))(audit_proof.verify)
audit.app.command("head", help=say("help.audit_head"))(audit_proof.show_head)
app.add_typer(guard_key.app, name="guard-key")
app.add_typer(audit.app, name="audit")

"""`sekisho dev` and `sekisho serve`: from settings to a server that answers, or one clear line why not.

    settings -> bind the port -> schema (dev: migrate in a process of its own) -> serve, alone or with workers

The port is bound first: it is what fails most, and the answer to it is ours to give. Migrations need
libraries that serving does not; in a process of their own they cost this one no memory.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from typing import Annotated

import typer

from sekisho.cli.failures import fail, told
from sekisho.cli.program import program
from sekisho.cli.texts import say
from sekisho.logs import configure_logs
from sekisho.settings import Mode, Settings, load
from sekisho.sockets.listening import PortRefused, listen
from sekisho.storage.errors import SchemaTooOld
from sekisho.storage.revision import SCHEMA_REVISION

Port = Annotated[int | None, typer.Option(metavar="PORT", help=say("option.port"))]
Host = Annotated[str | None, typer.Option(metavar="ADDRESS", help=say("option.host"))]


Workers = Annotated[int | None, typer.Option(metavar="N", help=say("option.workers"))]


def dev(port: Port = None, host: Host = None) -> None:
    settings = _settings("dev", port=port, host=host)
    _serve(settings, migrating=True)


def serve(port: Port = None, host: Host = None, workers: Workers = None) -> None:
    settings = _settings("serve", port=port, host=host, workers=workers)
    _serve(settings, migrating=False)


def _settings(mode: Mode, **given: int | str | None) -> Settings:
    with told(hint=say("settings.hint_serve") if mode == "serve" else ""):
        return load(mode, overrides={name: value for name, value in given.items() if value is not None})


def _serve(settings: Settings, *, migrating: bool) -> None:
    configure_logs(settings.log.level, as_json=settings.log.format == "json")
    try:
        listener = listen(settings.host, settings.port)
    except PortRefused as refused:
        command = "PORT=8081 make serve" if settings.mode == "dev" else f"SEKISHO_PORT=8081 {program()} serve"
        message = say(
            f"start.{refused.why}", port=settings.port, host=settings.host, detail=refused.detail, command=command
        )
        fail(refused.why, message, as_json=False)
    with listener, told(settings):
        _check_schema(settings, migrating=migrating)
        # Only now: a start that fails needs no server.
        if settings.workers == 1:
            from sekisho.cli.server import run_server

            run_server(settings, listener)
        else:
            _supervise(settings, listener)


def _supervise(settings: Settings, listener: socket.socket) -> None:
    from sekisho.cli.server import Membership, run_server
    from sekisho.cli.supervisor import Supervisor

    def serve(membership: Membership) -> None:
        with told(settings):
            run_server(settings, listener, membership)

    if code := Supervisor(settings, listener, serve).run():
        raise typer.Exit(code)


def _find_schema(settings: Settings) -> str | None:
    if settings.is_postgres:
        from sekisho.assemble.stores import postgres_target
        from sekisho.storage.postgres.migration import revision_of

        return asyncio.run(revision_of(postgres_target(settings)))
    from sekisho.storage.sqlite.connections import explained, find_revision, open_reader

    path = settings.database_path
    found = None
    if path.exists():
        with explained(path):
            connection = open_reader(path)
            try:
                found = find_revision(connection, path)
            finally:
                connection.close()
    return found


def _check_schema(settings: Settings, *, migrating: bool) -> None:
    found = _find_schema(settings)
    # Whether this version may work on a newer one, the database says when it is opened.
    if found is not None and found >= SCHEMA_REVISION:
        return
    if not migrating:
        raise SchemaTooOld(found, SCHEMA_REVISION)
    command = [sys.executable, "-m", "sekisho", "--dev", "migrate"]
    if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:  # noqa: S603 - our own words
        # The migration has said why.
        raise typer.Exit(1)

"""`sekisho session …`: who is signed in, and ending that."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sekisho.admin import sessions
from sekisho.admin.world import OperatorWorld
from sekisho.cli.accounts import no_account
from sekisho.cli.asking import confirm
from sekisho.cli.failures import fail
from sekisho.cli.output import print_json, print_table, time_json, time_text
from sekisho.cli.surroundings import TAKES_IDS, AsJson, run
from sekisho.cli.texts import say
from sekisho.errors import NotFound
from sekisho.model import Account, Session

app = typer.Typer(help=say("help.session"), no_args_is_help=True)


def session_view(session: Session) -> dict[str, Any]:
    """The JSON form of a session: nothing that signs anybody in."""
    return {
        "id": session.id,
        "account_id": session.account_id,
        "client_id": session.client_id,
        "transport": session.transport.value,
        "device": session.device,
        "ip": session.ip,
        "place": session.place,
        "amr": list(session.amr),
        "refreshes": session.counter,
        "created_at": time_json(session.created_at),
        "last_seen_at": time_json(session.last_seen_at),
        "expires_at": time_json(min(session.idle_expires_at, session.expires_at)),
    }


@app.command("list", help=say("help.session_list"))
def show_list(
    user: Annotated[str, typer.Option("--user", metavar="EMAIL|ID", help=say("option.user"))],
    as_json: AsJson = False,
) -> None:
    async def work(world: OperatorWorld) -> tuple[Account, list[Session]]:
        try:
            return await sessions.list_sessions(user, world)
        except NotFound as error:
            no_account(error, user, as_json)

    account, live = run(work, as_json=as_json)
    if as_json:
        print_json({"sessions": [session_view(session) for session in live]})
    elif not live:
        print(say("empty.sessions", email=account.email))
    else:
        print_table(
            ("id", "client", "transport", "device", "ip", "last_seen", "expires"),
            (
                (
                    each.id,
                    each.client_id,
                    each.transport.value,
                    each.device.name,
                    each.ip,
                    time_text(each.last_seen_at),
                    time_text(min(each.idle_expires_at, each.expires_at)),
                )
                for each in live
            ),
        )


@app.command("end", help=say("help.session_end"), context_settings=TAKES_IDS)
def end(
    session_id: Annotated[str | None, typer.Argument(metavar="ID", help=say("argument.session"))] = None,
    user: Annotated[str | None, typer.Option("--user", metavar="EMAIL|ID", help=say("option.user"))] = None,
    everybody: Annotated[bool, typer.Option("--everybody", help=say("option.everybody"))] = False,
    yes: Annotated[bool, typer.Option("--yes", help=say("option.yes"))] = False,
    as_json: AsJson = False,
) -> None:
    if [session_id is not None, user is not None, everybody].count(True) != 1:
        raise typer.BadParameter(say("usage.session_or_user"))
    if everybody and not yes:
        confirm(say("ask.end_everybody"), as_json)

    async def end_one(world: OperatorWorld) -> int:
        try:
            await sessions.end_session(session_id or "", world)
        except NotFound as error:
            fail(error.code, say("refused.session", id=session_id), as_json=as_json)
        return 1

    async def end_all(world: OperatorWorld) -> int:
        try:
            return await sessions.end_all_sessions(user or "", world)
        except NotFound as error:
            no_account(error, user or "", as_json)

    work = sessions.end_everybodys_sessions if everybody else end_all if user is not None else end_one
    ended = run(work, as_json=as_json)
    if as_json:
        print_json({"ended": ended})
    elif session_id is not None:
        print(say("done.session_ended", id=session_id))
    else:
        print(say("done.sessions_ended", ended=ended))

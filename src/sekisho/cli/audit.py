"""`sekisho audit …`: reading the trail."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from msgspec.structs import asdict

from sekisho.admin import audit
from sekisho.admin.accounts import find_account
from sekisho.admin.world import OperatorWorld
from sekisho.audit import FAILURE, SUCCESS, Event
from sekisho.cli.failures import fail
from sekisho.cli.output import print_json, print_table
from sekisho.cli.surroundings import AsJson, run
from sekisho.cli.texts import say
from sekisho.errors import NotFound, ValidationError
from sekisho.model import AuditRecord, Millis
from sekisho.ports.storage import AuditFilter
from sekisho.times import iso_time

app = typer.Typer(help=say("help.audit"), no_args_is_help=True)

_SPAN = re.compile(r"([0-9]{1,5})([smhdw])")
_UNIT_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_WORDS = {"event": tuple(str(event) for event in Event), "outcome": (SUCCESS, FAILURE)}


def record_view(record: AuditRecord) -> dict[str, Any]:
    """The JSON form of a record; `at` is RFC 3339."""
    return {**asdict(record), "at": iso_time(record.at)}


@app.callback(help=say("help.audit"))
def group() -> None:
    """Keep `list` a command of its own though it is the only one."""


@app.command("list", help=say("help.audit_list"))
def show_list(
    user: Annotated[str | None, typer.Option("--user", metavar="EMAIL|ID", help=say("option.user"))] = None,
    session: Annotated[str | None, typer.Option(metavar="ID", help=say("option.session"))] = None,
    event: Annotated[str | None, typer.Option(metavar="EVENT", help=say("option.event"))] = None,
    outcome: Annotated[str | None, typer.Option(metavar="OUTCOME", help=say("option.outcome"))] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help=say("option.since"))] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help=say("option.until"))] = None,
    before: Annotated[int | None, typer.Option(metavar="N", help=say("option.before"))] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help=say("option.limit"))] = 100,
    as_json: AsJson = False,
) -> None:
    now = time.time_ns() // 1_000_000
    since_at, until_at = _moment("since", since, now, as_json), _moment("until", until, now, as_json)

    async def work(world: OperatorWorld) -> list[AuditRecord]:
        wanted = AuditFilter(
            account_id=None if user is None else await _account_id(user, world, as_json),
            session_id=session,
            event=event,
            outcome=outcome,
            since_at=since_at,
            until_at=until_at,
            before_seq=before,
            limit=limit,
        )
        try:
            return await audit.list_audit(wanted, world)
        except ValidationError as error:
            field = next(iter(error.details or {}))
            reason = say("reason.unknown_word", known=", ".join(_WORDS[field]))
            fail(error.code, say("refused.field", field=f"--{field}", reason=reason), as_json=as_json)

    found = run(work, as_json=as_json)
    following = found[-1].seq if len(found) == limit else None
    if as_json:
        print_json({"records": [record_view(record) for record in found], "next": following})
    elif not found:
        print(say("empty.audit"))
    else:
        print_table(
            ("seq", "at", "event", "outcome", "reason", "actor", "account", "session", "subject", "ip"),
            (
                (
                    str(each.seq),
                    iso_time(each.at),
                    each.event,
                    each.outcome,
                    each.reason,
                    each.actor,
                    each.account_id,
                    each.session_id,
                    each.subject,
                    each.ip,
                )
                for each in found
            ),
        )
        if following:
            print(say("more", option=f"--before {following}"))


async def _account_id(who: str, world: OperatorWorld, as_json: bool) -> str:
    """An id is taken as it is: the trail knows accounts that are gone."""
    if "@" not in who:
        return who
    try:
        return (await find_account(who, world)).id
    except NotFound as error:
        fail(error.code, say("refused.account", who=who), as_json=as_json)


def _moment(field: str, text: str | None, now: Millis, as_json: bool) -> Millis | None:
    if text is None:
        return None
    span = _SPAN.fullmatch(text)
    if span:
        return now - int(span[1]) * _UNIT_MS[span[2]]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        reason = say("refused.field", field=f"--{field}", reason=say("reason.bad_time"))
        fail("validation_error", reason, as_json=as_json, details={field: "bad_time"})
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)

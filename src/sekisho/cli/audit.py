"""`sekisho audit list` and `count`: reading the trail."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from msgspec import structs

from sekisho.admin import audit
from sekisho.admin.world import OperatorWorld
from sekisho.cli.audit_filter import (
    EventName,
    Outcome,
    Session,
    Since,
    Until,
    User,
    conditions,
    known_words,
    of_user,
)
from sekisho.cli.output import print_json, print_table
from sekisho.cli.surroundings import AsJson, run
from sekisho.cli.texts import say
from sekisho.model import AuditRecord
from sekisho.ports.storage import AuditCount
from sekisho.times import iso_time

app = typer.Typer(help=say("help.audit"), no_args_is_help=True)


def record_view(record: AuditRecord) -> dict[str, Any]:
    """The JSON form of a record; `at` is RFC 3339."""
    return {**structs.asdict(record), "at": iso_time(record.at)}


@app.command("list", help=say("help.audit_list"))
def show_list(
    user: User = None,
    session: Session = None,
    event: EventName = None,
    outcome: Outcome = None,
    since: Since = None,
    until: Until = None,
    before: Annotated[int | None, typer.Option(metavar="N", help=say("option.before"))] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help=say("option.limit"))] = 100,
    as_json: AsJson = False,
) -> None:
    wanted = structs.replace(
        conditions(session, event, outcome, since, until, as_json=as_json), before_seq=before, limit=limit
    )

    async def work(world: OperatorWorld) -> list[AuditRecord]:
        with known_words(as_json=as_json):
            return await audit.list_audit(await of_user(wanted, user, world, as_json=as_json), world)

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


@app.command("count", help=say("help.audit_count"))
def count(
    user: User = None,
    session: Session = None,
    event: EventName = None,
    outcome: Outcome = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    wanted = conditions(session, event, outcome, since, until, as_json=as_json)

    async def work(world: OperatorWorld) -> list[AuditCount]:
        with known_words(as_json=as_json):
            return await audit.count_audit(await of_user(wanted, user, world, as_json=as_json), world)

    found = run(work, as_json=as_json)
    if as_json:
        print_json({"counts": [structs.asdict(each) for each in found], "total": sum(each.records for each in found)})
    elif not found:
        print(say("empty.audit"))
    else:
        print_table(
            ("event", "outcome", "reason", "method", "records"),
            ((each.event, each.outcome, each.reason, each.method, str(each.records)) for each in found),
        )

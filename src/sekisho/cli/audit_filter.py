"""The conditions that every command over the audit trail takes, and the filter made of them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer
from msgspec import structs

from sekisho.admin.accounts import find_account
from sekisho.admin.world import OperatorWorld
from sekisho.audit import FAILURE, SUCCESS, Event
from sekisho.cli.accounts import no_account
from sekisho.cli.failures import fail
from sekisho.cli.texts import say
from sekisho.errors import NotFound, ValidationError
from sekisho.model import Millis
from sekisho.ports.storage import AuditFilter

User = Annotated[str | None, typer.Option("--user", metavar="EMAIL|ID", help=say("option.user"))]
Session = Annotated[str | None, typer.Option("--session", metavar="ID", help=say("option.session"))]
EventName = Annotated[str | None, typer.Option("--event", metavar="EVENT", help=say("option.event"))]
Outcome = Annotated[str | None, typer.Option("--outcome", metavar="OUTCOME", help=say("option.outcome"))]
Since = Annotated[str | None, typer.Option("--since", metavar="TIME", help=say("option.since"))]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help=say("option.until"))]

_SPAN = re.compile(r"([0-9]{1,5})([smhdw])")
_UNIT_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_LAST: Millis = 253_402_300_799_999
_WORDS = {"event": tuple(str(event) for event in Event), "outcome": (SUCCESS, FAILURE)}


def conditions(
    session: str | None, event: str | None, outcome: str | None, since: str | None, until: str | None, *, as_json: bool
) -> AuditFilter:
    """Return the filter that the options say. Whose records, the store is asked for: see `of_user`."""
    now = time.time_ns() // 1_000_000
    return AuditFilter(
        session_id=session,
        event=event,
        outcome=outcome,
        since_at=moment("since", since, now, as_json),
        until_at=moment("until", until, now, as_json),
    )


async def of_user(wanted: AuditFilter, user: str | None, world: OperatorWorld, *, as_json: bool) -> AuditFilter:
    """Return the filter with the account's id. An id is taken as it is: the trail knows accounts that are gone."""
    if user is None:
        return wanted
    account_id = user
    if "@" in user:
        try:
            account_id = (await find_account(user, world)).id
        except NotFound as error:
            no_account(error, user, as_json)
    return structs.replace(wanted, account_id=account_id)


@contextmanager
def known_words(*, as_json: bool) -> Iterator[None]:
    """Tell which words there are when a filter has another one."""
    try:
        yield
    except ValidationError as error:
        field = next(iter(error.details or {}))
        reason = say("reason.unknown_word", known=", ".join(_WORDS[field]))
        said = say("refused.field", field=f"--{field}", reason=reason)
        fail(error.code, said, as_json=as_json, details=dict(error.details or {}))


def moment(field: str, text: str | None, now: Millis, as_json: bool) -> Millis | None:
    """Return the time that an option says: a date, a time, or a span back from now. What lies before 1970 or after 9999
    is the nearest that can be written in every form; no record is older or younger."""
    if text is None:
        return None
    span = _SPAN.fullmatch(text)
    if span:
        return max(0, now - int(span[1]) * _UNIT_MS[span[2]])
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        reason = say("refused.field", field=f"--{field}", reason=say("reason.bad_time"))
        fail("validation_error", reason, as_json=as_json, details={field: "bad_time"})
    at = int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
    return max(0, min(at, _LAST))

"""`sekisho user show`: one account, what opens it, and which changes of that there were lately."""

from __future__ import annotations

from typing import Any

from sekisho.admin import overview
from sekisho.admin.overview import Overview
from sekisho.admin.world import OperatorWorld
from sekisho.cli.accounts import Who, account_view, no_account
from sekisho.cli.output import print_facts, print_json, print_table, time_json, time_text
from sekisho.cli.surroundings import AsJson, run
from sekisho.cli.texts import say
from sekisho.errors import NotFound
from sekisho.model import AuditRecord, Millis
from sekisho.times import iso_time


def show(who: Who, as_json: AsJson = False) -> None:
    async def work(world: OperatorWorld) -> Overview:
        try:
            return await overview.look_at(who, world)
        except NotFound as error:
            no_account(error, who, as_json)

    found = run(work, as_json=as_json)
    if as_json:
        print_json(_view(found))
        return
    print_facts(_facts(found))
    if found.recent_changes:
        print()
        print_table(
            ("at", "event", "reason", "actor", "session", "subject", "ip"),
            (
                (iso_time(each.at), each.event, each.reason, each.actor, each.session_id, each.subject, each.ip)
                for each in found.recent_changes
            ),
        )
    print()
    print(say("all_of_it", id=found.account.id))


def _view(found: Overview) -> dict[str, Any]:
    second = found.recovery_email
    return {
        "account": account_view(found.account),
        "recovery_email": second.email if second else None,
        "recovery_email_since": time_json(second.verified_at if second else None),
        "second_factors": list(found.second_factors),
        "second_factors_since": [iso_time(at) for at in found.second_factors_at],
        "suspended_factors": list(found.suspended_factors),
        "recovery_codes": found.recovery_codes,
        "trusted_devices": found.trusted_devices,
        "live_sessions": found.live_sessions,
        "recent_changes": [_change_view(each) for each in found.recent_changes],
    }


def _change_view(change: AuditRecord) -> dict[str, Any]:
    return {
        "seq": change.seq,
        "at": iso_time(change.at),
        "event": change.event,
        "reason": change.reason,
        "actor": change.actor,
        "session_id": change.session_id,
        "subject": change.subject,
        "ip": change.ip,
        "user_agent": change.user_agent,
    }


def _facts(found: Overview) -> list[tuple[str, str]]:
    account, second, none = found.account, found.recovery_email, say("none")
    factors = (_since(kind, at) for kind, at in zip(found.second_factors, found.second_factors_at, strict=True))
    return [
        (say("column.id"), account.id),
        (say("column.email"), account.email or none),
        (say("column.recovery_email"), _since(second.email, second.verified_at) if second else none),
        (say("column.status"), account.status.value),
        (say("column.name"), account.name or none),
        (say("column.roles"), ", ".join(account.roles) or none),
        (say("column.locale"), account.locale),
        (say("column.password"), say("no" if account.password_hash is None else "yes")),
        (say("column.second_factors"), ", ".join(factors) or none),
        (say("column.suspended_factors"), ", ".join(found.suspended_factors) or none),
        (say("column.recovery_codes"), str(found.recovery_codes)),
        (say("column.trusted_devices"), str(found.trusted_devices)),
        (say("column.created"), time_text(account.created_at)),
        (say("column.sessions"), str(found.live_sessions)),
    ]


def _since(what: str, at: Millis) -> str:
    return say("since", what=what, at=iso_time(at))

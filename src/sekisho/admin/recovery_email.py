"""The recovery address of an account, as an operator sees it: shown, and removed. An operator sets none.

Spec: NIST SP 800-63B-4 sections 4.2.1.2 and 4.6.
"""

from __future__ import annotations

from sekisho.admin.accounts import OPERATOR, find_account
from sekisho.admin.world import OperatorWorld
from sekisho.audit import SUCCESS, Event, record
from sekisho.errors import NotFound
from sekisho.model import Account, Origin, RecoveryEmail
from sekisho.outbox import MailKind
from sekisho.ports.changes import AppendAudit
from sekisho.ports.recovery_changes import RemoveRecoveryEmail
from sekisho.times import iso_time


async def remove_recovery_email(who: str, world: OperatorWorld) -> tuple[Account, RecoveryEmail]:
    """Forget the recovery address of an account; return the account and what its recovery address was. Both mailboxes
    are told. Sessions go on.

    Raises:
        NotFound: no such account, it has no recovery address, or it changed while this ran: look again.
        ValidationError: as `find_account`.
    """
    account = await find_account(who, world)
    before = await world.store.find_recovery_email(account.id)
    if before is None:
        raise NotFound(detail="no recovery address")
    now, letter = world.clock.now(), world.outbox.letter
    at, locale = iso_time(now), account.locale
    gone = record(Event.RECOVERY_EMAIL_REMOVED, SUCCESS, at=now, origin=Origin(), account_id=account.id, actor=OPERATOR)
    outcome = await world.store.apply(
        RemoveRecoveryEmail(account_id=account.id, security_version=account.security_version),
        AppendAudit(record=gone),
        letter(
            MailKind.RECOVERY_EMAIL_RESET, to=account.email, locale=locale, now=now, at=at, recovery_email=before.email
        ),
        letter(MailKind.RECOVERY_EMAIL_GONE, to=before.email, locale=locale, now=now, at=at, email=account.email),
    )
    if outcome.lost:
        raise NotFound(detail=outcome.lost.why)
    return account, before

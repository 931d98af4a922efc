"""Who hears of it when an operator gives an account another address, and what.

The owner, at the new address, hears everything. A mailbox that is the account's no more may be the thief's, or that of
the real owner if somebody lied to the operator: it is told that, and the reference by which the operator finds the
case; no new address, no code, nothing by which its reader could undo it. A recovery address that stays is told the new
one, by which a password reset is asked for.
"""

from __future__ import annotations

from sekisho.admin.set_email_plan import Plan
from sekisho.admin.world import OperatorWorld
from sekisho.model import AccountStatus
from sekisho.outbox import MailKind
from sekisho.ports.changes import QueueMail
from sekisho.times import iso_time


def letters(plan: Plan, world: OperatorWorld) -> tuple[QueueMail, ...]:
    """Return the letters that go into the commit."""
    account, second, own = plan.account, plan.removed.recovery_email, plan.email
    told = [_to_owner(plan, world)]
    if account.email and account.email_key != own.key:
        told.append(_letter(MailKind.EMAIL_RESET_FORMER, account.email, plan, world, address_was="address"))
    if second and second.email_key != own.key:
        told.append(_letter(MailKind.EMAIL_RESET_FORMER, second.email, plan, world, address_was="recovery_address"))
    if third := plan.kept.recovery_email:
        told.append(_letter(MailKind.EMAIL_RESET_RECOVERY, third.email, plan, world, new_email=own.address))
    return tuple(told)


def _to_owner(plan: Plan, world: OperatorWorld) -> QueueMail:
    removed, kept = plan.removed, plan.kept
    return _letter(
        MailKind.EMAIL_RESET,
        plan.email.address,
        plan,
        world,
        account_is="open" if plan.account.status is AccountStatus.ACTIVE else "blocked",
        password_was=_fate(removed.password, kept.password),
        recovery_was=_fate(removed.recovery_email, kept.recovery_email),
        factors_were=_fate(removed.second_factors or removed.recovery_codes, kept.second_factors),
    )


def _fate(removed: object, kept: object) -> str:
    return "removed" if removed else "kept" if kept else "none"


def _letter(kind: MailKind, to: str, plan: Plan, world: OperatorWorld, **values: str) -> QueueMail:
    account, now = plan.account, plan.now
    told = {"at": iso_time(now), "reference": str(account.id), **values}
    return world.outbox.letter(kind, to=to, locale=account.locale, now=now, expires_at=None, **told)

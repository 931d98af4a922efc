"""One account, as an operator looks at it before helping somebody: who it is, what opens it and since when, and where
it is open. Who asks for help may be the thief: what was changed lately, and from where, tells the two apart."""

from __future__ import annotations

from msgspec import Struct

from sekisho.admin.accounts import find_account
from sekisho.admin.world import OperatorWorld
from sekisho.audit import SUCCESS, Event
from sekisho.mfa.methods import confirmed, suspended
from sekisho.model import Account, AccountId, AuditRecord, Millis, RecoveryEmail
from sekisho.ports.storage import AuditFilter, Store

RECENT = 10
# How one comes into the account, and who it is mailed to.
CHANGES = (
    Event.EMAIL_CHANGE,
    Event.EMAIL_RESET,
    Event.PASSWORD_CHANGE,
    Event.PASSWORD_RESET,
    Event.PASSWORD_CHANGE_FORCED,
    Event.NOT_ME,
    Event.FACTOR_ADDED,
    Event.FACTOR_REMOVED,
    Event.FACTORS_RESET,
    Event.RECOVERY_CODES_MADE,
    Event.RECOVERY_CODE_USED,
    Event.RECOVERY_EMAIL_SET,
    Event.RECOVERY_EMAIL_REMOVED,
    Event.DEVICE_TRUSTED,
    Event.ACCOUNT_DISABLED,
    Event.ACCOUNT_ENABLED,
)


class Overview(Struct, frozen=True, kw_only=True):
    """second_factors: the kinds of those that are enrolled, oldest first. second_factors_at: since when each is.
    suspended_factors: those of them that are not taken until another was shown. recovery_codes: how many are unused.
    recent_changes: the newest lines of the trail about what opens the account, at most 10, newest first."""

    account: Account
    recovery_email: RecoveryEmail | None
    second_factors: tuple[str, ...]
    second_factors_at: tuple[Millis, ...]
    suspended_factors: tuple[str, ...]
    recovery_codes: int
    trusted_devices: int
    live_sessions: int
    recent_changes: tuple[AuditRecord, ...]


async def look_at(who: str, world: OperatorWorld) -> Overview:
    """Return what there is about the account of an address or id.

    Raises:
        NotFound: no such account.
        ValidationError: it has an `@` but is not an address.
    """
    account, store, now = await find_account(who, world), world.store, world.clock.now()
    factors = await store.list_factors(account.id)
    return Overview(
        account=account,
        recovery_email=await store.find_recovery_email(account.id),
        second_factors=tuple(factor.kind.value for factor in confirmed(factors)),
        second_factors_at=tuple(factor.confirmed_at or 0 for factor in confirmed(factors)),
        suspended_factors=tuple(factor.kind.value for factor in suspended(factors)),
        recovery_codes=await store.count_recovery_codes(account.id),
        trusted_devices=len(await store.list_trusted_devices(account.id, now)),
        live_sessions=len(await store.list_sessions(account.id, now)),
        recent_changes=await _recent_changes(account.id, store),
    )


async def _recent_changes(account_id: AccountId, store: Store) -> tuple[AuditRecord, ...]:
    """Read each event by itself: sign-ins are many, and would hide the few lines that matter."""
    found: list[AuditRecord] = []
    for event in CHANGES:
        found += await store.list_audit(AuditFilter(account_id=account_id, event=event, outcome=SUCCESS, limit=RECENT))
    return tuple(sorted(found, key=lambda line: line.seq, reverse=True)[:RECENT])

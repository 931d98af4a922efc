"""Withdrawal: the account leaves for good.

    fresh? -> count the try -> verify the password, where it is given
           -> end all sessions, erase the person, keep a pseudonym: one commit

The address is free again afterwards. What stays is the account's random id in the audit trail.
"""

from __future__ import annotations

from msgspec import Struct

from sekisho.audit import Event, record
from sekisho.errors import InvalidCredentials, SessionRevoked
from sekisho.mfa.freshness import overtaken, require_fresh
from sekisho.model import Account, AccountStatus, EndReason, Millis, Origin, Principal
from sekisho.outbox import MailKind, Outbox
from sekisho.passwords.hashing import HashPool
from sekisho.ports.changes import AppendAudit, EraseAccount
from sekisho.ports.clock import Clock
from sekisho.ports.storage import Store
from sekisho.sessions import Sessions
from sekisho.throttle import Throttle, refuse_if_throttled


class WithdrawalWorld(Struct, frozen=True, kw_only=True):
    store: Store
    clock: Clock
    passwords: HashPool
    throttle: Throttle
    outbox: Outbox
    sessions: Sessions
    fresh_ms: int


async def withdraw(password: str | None, principal: Principal, seen_from: Origin, world: WithdrawalWorld) -> None:
    """Erase the caller's account. Every session has ended and the address is free when this returns.

    Args:
        password: None where a fresh step-up stands for it. Whoever has a second factor must have shown it lately.

    Raises:
        StepUpRequired: no password, or a second factor that was not shown, and the session's proof is too old or weak.
        InvalidCredentials: the password is wrong.
        RateLimitExceeded: too many wrong passwords.
        SessionRevoked: the session ended meanwhile.
        ServiceUnavailable: the hash pool is full, or the account changed its credentials meanwhile; ask again.
    """
    now = world.clock.now()
    await require_fresh(world.store, principal, now, world.fresh_ms, has_password=password is not None)
    tries = world.throttle.password_tries(principal.account_id, seen_from.ip, now) if password is not None else ()
    refuse_if_throttled(await world.store.apply(*tries), now)

    account = await world.store.find_account(principal.account_id)
    if account is None or account.status is not AccountStatus.ACTIVE or account.email_key is None:
        raise SessionRevoked(detail="account gone")
    if password is not None:
        async with world.throttle.paying(tries, world.store, now):
            matches = await world.passwords.verify(password, account.password_hash)
        if not matches:
            failure = _audit("failure", account, principal, seen_from, world.clock.now(), "wrong_password")
            await world.store.apply(failure)
            raise InvalidCredentials(detail="wrong_password")

    now = world.clock.now()
    outcome = await world.store.apply(
        world.sessions.ending_all(account.id, EndReason.WITHDRAWAL, seen_from, now),
        _audit("success", account, principal, seen_from, now, method="pwd" if password is not None else ""),
        world.outbox.letter(MailKind.ACCOUNT_WITHDRAWN, to=account.email, locale=account.locale, now=now),
        *world.throttle.give_back(tries, now),
        # Last, so that it blanks what the lines above have just written about the person.
        EraseAccount(
            account_id=account.id,
            security_version=account.security_version,
            identifier_tag=world.throttle.identifier_tag(account.email_key),
        ),
    )
    if outcome.lost:
        raise await overtaken(world.store, principal, outcome.lost.why)


def _audit(
    outcome: str,
    account: Account,
    principal: Principal,
    origin: Origin,
    now: Millis,
    reason: str = "",
    method: str = "pwd",
) -> AppendAudit:
    return AppendAudit(
        record=record(
            Event.WITHDRAWAL,
            outcome,
            at=now,
            origin=origin,
            account_id=account.id,
            session_id=principal.session_id,
            client_id=principal.client_id,
            method=method,
            reason=reason,
        )
    )

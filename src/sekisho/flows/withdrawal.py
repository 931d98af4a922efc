"""Withdrawal: the account leaves for good.

    count the try -> verify the password -> end all sessions, erase the person, keep a pseudonym: one commit

The address is free again afterwards. What stays is the account's random id in the audit trail.
"""

from __future__ import annotations

from msgspec import Struct

from sekisho.audit import Event, record
from sekisho.errors import InvalidCredentials, SessionRevoked
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


async def withdraw(password: str, principal: Principal, seen_from: Origin, world: WithdrawalWorld) -> None:
    """Erase the caller's account. Every session has ended and the address is free when this returns.

    Raises:
        InvalidCredentials: the password is wrong.
        RateLimitExceeded: too many wrong passwords.
        SessionRevoked: the account was disabled, withdrawn, or changed its credentials meanwhile.
        ServiceUnavailable: the hash pool is full.
    """
    now = world.clock.now()
    tries = world.throttle.password_tries(principal.account_id, seen_from.ip, now)
    refuse_if_throttled(await world.store.apply(*tries), now)

    account = await world.store.find_account(principal.account_id)
    if account is None or account.status is not AccountStatus.ACTIVE or account.email_key is None:
        raise SessionRevoked(detail="account gone")
    async with world.throttle.paying(tries, world.store, now):
        matches = await world.passwords.verify(password, account.password_hash)
    if not matches:
        await world.store.apply(_audit("failure", account, principal, seen_from, world.clock.now(), "wrong_password"))
        raise InvalidCredentials(detail="wrong_password")

    now = world.clock.now()
    outcome = await world.store.apply(
        world.sessions.ending_all(account.id, EndReason.WITHDRAWAL, seen_from, now),
        _audit("success", account, principal, seen_from, now),
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
        raise SessionRevoked(detail=outcome.lost.why)


def _audit(
    outcome: str, account: Account, principal: Principal, origin: Origin, now: Millis, reason: str = ""
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
            method="pwd",
            reason=reason,
        )
    )

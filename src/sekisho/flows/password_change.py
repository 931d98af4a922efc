"""Password change: who is signed in and knows the password sets another one.

    policy -> count the try -> verify the current password -> breached? used before? -> hash
           -> set it, end the other sessions: one commit

The session that asks goes on. The owner is told by mail.

Spec: OWASP ASVS 5.0 rows 6.2.2, 6.2.3, 6.3.7, 7.4.3.
"""

from __future__ import annotations

from msgspec import Struct

from sekisho.audit import Event, record
from sekisho.errors import InvalidCredentials, SessionRevoked, ValidationError
from sekisho.mfa.freshness import overtaken, require_fresh
from sekisho.model import Account, AccountStatus, Discreet, EndReason, Millis, Origin, Principal
from sekisho.notices import Notices
from sekisho.outbox import MailKind
from sekisho.passwords.hashing import HashPool
from sekisho.passwords.history import hashes_to_avoid, kept_at_change
from sekisho.passwords.normal_form import normal_form
from sekisho.passwords.policy import PasswordPolicy
from sekisho.passwords.screening import Screening
from sekisho.ports.changes import AppendAudit, SetPassword
from sekisho.ports.clock import Clock
from sekisho.ports.storage import Store
from sekisho.sessions import Sessions
from sekisho.throttle import Throttle, refuse_if_throttled


class PasswordChange(Discreet, frozen=True, kw_only=True):
    current_password: str
    password: str
    keep_other_sessions: bool = False


class PasswordChangeWorld(Struct, frozen=True, kw_only=True):
    store: Store
    clock: Clock
    passwords: HashPool
    policy: PasswordPolicy
    screening: Screening
    throttle: Throttle
    notices: Notices
    sessions: Sessions
    fresh_ms: int


async def change_password(
    change: PasswordChange, principal: Principal, seen_from: Origin, world: PasswordChangeWorld
) -> int:
    """Set a new password; return how many other sessions ended with it.

    Raises:
        ValidationError: the policy refuses the new password, or it is the current one (`unchanged`): no try. Or it is
            known from a breach or was used before, which is said only to who knows the current one.
        StepUpRequired: the account has a second factor that was not shown lately.
        InvalidCredentials: the current password is wrong, or the account has none.
        RateLimitExceeded: too many wrong passwords.
        SessionRevoked: the session ended meanwhile.
        ServiceUnavailable: the hash pool is full, or the account changed its credentials meanwhile; ask again.

    Concurrency: of two changes at once one wins; the other is refused and has ended nothing.
    """
    account = await world.store.find_account(principal.account_id)
    if account is None or account.status is not AccountStatus.ACTIVE:
        raise SessionRevoked(detail="account gone")
    world.policy.check(change.password, email=account.email, name=account.name)
    password, current_password = normal_form(change.password), normal_form(change.current_password)
    if password == current_password:
        raise ValidationError(details={"password": "unchanged"}, detail="the current password")

    now = world.clock.now()
    await require_fresh(world.store, principal, now, world.fresh_ms, has_password=True)
    tries = world.throttle.password_tries(account.id, seen_from.ip, now)
    refuse_if_throttled(await world.store.apply(*tries), now)
    async with world.throttle.paying(tries, world.store, now):
        matches = await world.passwords.verify(change.current_password, account.password_hash)
        if matches:
            earlier = await hashes_to_avoid(account, world.policy.history, world.store)
            await world.screening.screen(change.password, earlier)
            password_hash = await world.passwords.hash(change.password)
    if not matches:
        await world.store.apply(_audit("failure", account, principal, seen_from, world.clock.now(), "wrong_password"))
        raise InvalidCredentials(detail="wrong_password")

    now = world.clock.now()
    ending = world.sessions.ending_all(
        account.id, EndReason.PASSWORD_CHANGED, seen_from, now, except_id=principal.session_id
    )
    outcome = await world.store.apply(
        SetPassword(
            account_id=account.id,
            security_version=account.security_version,
            password_hash=password_hash,
            keep_earlier=kept_at_change(world.policy.history),
        ),
        *([] if change.keep_other_sessions else [ending]),
        _audit("success", account, principal, seen_from, now),
        *world.notices.notice(MailKind.PASSWORD_CHANGED, account, seen_from, now),
        *world.throttle.give_back(tries, now),
    )
    if outcome.lost:
        raise await overtaken(world.store, principal, outcome.lost.why)
    return 0 if change.keep_other_sessions else int(outcome.results[1])


def _audit(
    outcome: str, account: Account, principal: Principal, origin: Origin, now: Millis, reason: str = ""
) -> AppendAudit:
    return AppendAudit(
        record=record(
            Event.PASSWORD_CHANGE,
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

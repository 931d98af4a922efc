"""Recovery address: a second mailbox to which the code of a password reset goes too, for who has lost the first one.

    send_code    count -> verify the password -> count the mail -> a code for that address -> mail it there
    verify_code  count the try -> compare -> it is the account's, both mailboxes and the one before are told: one commit
    remove       a fresh proof -> it is forgotten, both mailboxes are told: one commit

Nobody signs in with it and nobody is found by it, so it may be anybody's and several accounts may share one: whether
it belongs to an account is never looked at. Setting and removing one changes how an account can be entered: what was
decided on before (challenges, reset tokens, trusted devices) is worth nothing afterwards. Sessions go on.

Spec: NIST SP 800-63B-4 sections 4.2.1.2 and 4.6; OWASP ASVS 5.0 rows 6.3.7, 6.4.4, 6.5.1, 6.6.2, 6.6.3, 7.5.1.
"""

from __future__ import annotations

from msgspec import Struct

from sekisho.audit import FAILURE, SUCCESS, Event, record
from sekisho.errors import (
    InvalidCode,
    InvalidCredentials,
    NotFound,
    SessionRevoked,
    ValidationError,
)
from sekisho.identifiers import EmailAddress, parse_email
from sekisho.mfa.freshness import overtaken, require_fresh
from sekisho.model import Account, AccountStatus, Discreet, Millis, Origin, Principal, RecoveryEmail
from sekisho.notices import Notices
from sekisho.one_time_codes import OneTimeCodes, parse_code
from sekisho.outbox import MailKind, Outbox
from sekisho.passwords.hashing import HashPool
from sekisho.ports.changes import AppendAudit, Change, ConsumeCode, CountCodeTry, OneTimeCode, PutCode
from sekisho.ports.clock import Clock
from sekisho.ports.recovery_changes import RemoveRecoveryEmail, SetRecoveryEmail
from sekisho.ports.storage import Store
from sekisho.throttle import Throttle, refuse_if_throttled
from sekisho.times import iso_time

PURPOSE = "recovery_email"
CODE_LIFETIME_MS = 10 * 60_000


class SendRecoveryEmailCode(Discreet, frozen=True):
    email: str
    password: str
    seen_from: Origin


class VerifyRecoveryEmailCode(Discreet, frozen=True):
    email: str
    code: str
    seen_from: Origin


class RecoveryEmailCodeSent(Struct, frozen=True):
    """`expires_in` counts seconds."""

    email: str
    expires_in: int = CODE_LIFETIME_MS // 1000


class RecoveryEmailWorld(Struct, frozen=True, kw_only=True):
    store: Store
    clock: Clock
    passwords: HashPool
    codes: OneTimeCodes
    throttle: Throttle
    outbox: Outbox
    notices: Notices
    fresh_ms: int


async def read_recovery_email(principal: Principal, world: RecoveryEmailWorld) -> RecoveryEmail | None:
    """Return the caller's recovery address, whole: it is their own. None if there is none."""
    return await world.store.find_recovery_email(principal.account_id)


async def send_recovery_email_code(
    request: SendRecoveryEmailCode, principal: Principal, world: RecoveryEmailWorld
) -> RecoveryEmailCodeSent:
    """Mail a code to the address; an older one of this account dies. Until it comes back nothing changes.

    Raises:
        ValidationError: the address has no good form, is the one that the account signs in with (`own_address`), or is
            its recovery address already (`unchanged`).
        StepUpRequired: the account has a second factor that was not shown lately.
        InvalidCredentials: the password is wrong.
        RateLimitExceeded: too many wrong passwords, or too many mails to the address or from the network.
        SessionRevoked: the account was disabled or withdrawn meanwhile.
        ServiceUnavailable: the hash pool is full.
    """
    email, origin, now = parse_email(request.email), request.seen_from, world.clock.now()
    account = await _owner(principal, world)
    await _check_is_another(email, account, world)
    await require_fresh(world.store, principal, now, world.fresh_ms, has_password=True)
    tries = world.throttle.password_tries(account.id, origin.ip, now)
    refuse_if_throttled(await world.store.apply(*tries), now)
    async with world.throttle.paying(tries, world.store, now):
        matches = await world.passwords.verify(request.password, account.password_hash)
    now, sent = world.clock.now(), Event.RECOVERY_EMAIL_CODE_SENT
    if not matches:
        await world.store.apply(_audit(sent, principal, origin, now, "wrong_password", method="pwd"))
        raise InvalidCredentials(detail="wrong_password")
    sends = world.throttle.code_sends(email.key, origin.ip, now)
    refuse_if_throttled(await world.store.apply(*world.throttle.give_back(tries, now), *sends), now)

    await world.store.apply(*_new_code(email, account, now, world), _audit(sent, principal, origin, now, method="pwd"))
    return RecoveryEmailCodeSent(email.address)


async def verify_recovery_email_code(
    request: VerifyRecoveryEmailCode, principal: Principal, world: RecoveryEmailWorld
) -> RecoveryEmail:
    """Take the address, in the place of an older one.

    Raises:
        ValidationError: a field has no good form.
        InvalidCode: wrong, replaced, expired, used, for another address, five tries made, or the account changed.
        RateLimitExceeded: too many wrong codes for this address today, or from this network.
        SessionRevoked: the account was disabled or withdrawn meanwhile.

    Concurrency: of parallel right codes one wins.
    """
    email, code, origin = parse_email(request.email), parse_code(request.code), request.seen_from
    now = world.clock.now()
    account = await _owner(principal, world)
    tries = world.throttle.code_tries(email.key, origin.ip, now)
    refuse_if_throttled(await world.store.apply(*tries), now)
    code_id, max_tries = _code_id(account), world.throttle.limits.code_tries_per_code
    counted = await world.store.apply(CountCodeTry(id=code_id, purpose=PURPOSE, max_tries=max_tries, now=now))
    code_hash = _hash(email, account, code, world)
    if counted.lost:
        raise await _refused(counted.lost.why, principal, origin, world)
    if not world.codes.same(bytes(counted.results[0]), code_hash):
        raise await _refused("wrong_code", principal, origin, world)

    before = await world.store.find_recovery_email(account.id)
    taken = RecoveryEmail(account_id=account.id, email=email.address, email_key=email.key, verified_at=now)
    outcome = await world.store.apply(
        ConsumeCode(id=code_id, purpose=PURPOSE, code_hash=code_hash, now=now),
        SetRecoveryEmail(recovery=taken, security_version=account.security_version),
        _audit(Event.RECOVERY_EMAIL_SET, principal, origin, now, method="otp"),
        *world.notices.notice(MailKind.RECOVERY_EMAIL_SET, account, origin, now, recovery_email=taken.email),
        _told(MailKind.RECOVERY_EMAIL_HERE, taken, account, now, world),
        *([_told(MailKind.RECOVERY_EMAIL_GONE, before, account, now, world)] if before else []),
        *world.throttle.give_back(tries, now),
    )
    if outcome.lost:
        raise await _refused(outcome.lost.why, principal, origin, world)
    return taken


async def remove_recovery_email(principal: Principal, seen_from: Origin, world: RecoveryEmailWorld) -> None:
    """Forget the recovery address. From now on a password reset is mailed to the account's own address alone.

    Raises:
        StepUpRequired: the session's proof is too old or too weak.
        NotFound: the account has no recovery address.
        SessionRevoked: the session ended, or the account was disabled or withdrawn meanwhile.
        ServiceUnavailable: the account changed its credentials meanwhile; ask again.
    """
    now = world.clock.now()
    account = await _owner(principal, world)
    await require_fresh(world.store, principal, now, world.fresh_ms, has_password=False)
    before = await world.store.find_recovery_email(account.id)
    if before is None:
        raise NotFound(detail="no recovery address")
    outcome = await world.store.apply(
        RemoveRecoveryEmail(account_id=account.id, security_version=account.security_version),
        _audit(Event.RECOVERY_EMAIL_REMOVED, principal, seen_from, now),
        *world.notices.notice(MailKind.RECOVERY_EMAIL_REMOVED, account, seen_from, now, recovery_email=before.email),
        _told(MailKind.RECOVERY_EMAIL_GONE, before, account, now, world),
    )
    if outcome.lost:
        raise await overtaken(world.store, principal, outcome.lost.why)


async def _owner(principal: Principal, world: RecoveryEmailWorld) -> Account:
    account = await world.store.find_account(principal.account_id)
    if account is None or account.status is not AccountStatus.ACTIVE:
        raise SessionRevoked(detail="account gone")
    return account


async def _check_is_another(email: EmailAddress, account: Account, world: RecoveryEmailWorld) -> None:
    if email.key == account.email_key:
        raise ValidationError(details={"email": "own_address"}, detail="the account's own address")
    before = await world.store.find_recovery_email(account.id)
    if before is not None and before.email_key == email.key:
        raise ValidationError(details={"email": "unchanged"}, detail="the recovery address already")


def _new_code(email: EmailAddress, account: Account, now: Millis, world: RecoveryEmailWorld) -> tuple[Change, ...]:
    code, expires_at = world.codes.new(), now + CODE_LIFETIME_MS
    code_hash = _hash(email, account, code, world)
    letter = world.outbox.letter(
        MailKind.RECOVERY_EMAIL_CODE,
        to=email.address,
        locale=account.locale,
        now=now,
        expires_at=expires_at,
        code=code,
        minutes=str(CODE_LIFETIME_MS // 60_000),
    )
    stored = OneTimeCode(id=_code_id(account), purpose=PURPOSE, code_hash=code_hash, expires_at=expires_at)
    return (PutCode(code=stored), letter)


def _code_id(account: Account) -> str:
    """One code an account at a time."""
    return f"{PURPOSE}:{account.id}"


def _hash(email: EmailAddress, account: Account, code: str, world: RecoveryEmailWorld) -> bytes:
    """A code is good for one address, and for the account as it was then."""
    return world.codes.hash(PURPOSE, f"{_code_id(account)} {account.security_version} {email.key}", code)


def _told(kind: MailKind, recovery: RecoveryEmail, account: Account, now: Millis, world: RecoveryEmailWorld) -> Change:
    """Return the letter to the recovery mailbox itself. It may be somebody else's: it says nothing of where or how."""
    at = iso_time(now)
    return world.outbox.letter(kind, to=recovery.email, locale=account.locale, now=now, email=account.email, at=at)


async def _refused(reason: str, principal: Principal, origin: Origin, world: RecoveryEmailWorld) -> InvalidCode:
    """Write the audit record of a refused code and return what to raise. An account that has withdrawn leaves no new
    trace of its person."""
    after = await world.store.find_account(principal.account_id)
    seen_from = Origin() if after is None or after.status is AccountStatus.WITHDRAWN else origin
    await world.store.apply(
        _audit(Event.RECOVERY_EMAIL_SET, principal, seen_from, world.clock.now(), reason, method="otp")
    )
    return InvalidCode(detail=reason)


def _audit(
    event: Event, principal: Principal, origin: Origin, now: Millis, reason: str = "", *, method: str = ""
) -> AppendAudit:
    return AppendAudit(
        record=record(
            event,
            FAILURE if reason else SUCCESS,
            at=now,
            origin=origin,
            account_id=principal.account_id,
            session_id=principal.session_id,
            client_id=principal.client_id,
            method=method,
            reason=reason,
        )
    )

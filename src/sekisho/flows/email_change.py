"""Address change: who is signed in and knows the password takes another address, once a code mailed there comes back.

    send_code    count -> verify the password -> count the mail -> a code for the new address -> mail it there
    verify_code  count the try -> compare -> the address changes, other sessions end, every mailbox is told: one commit

An address that has an account already gets a decoy: the same row with a code that is never right, and a letter to its
owner. Until the code comes back the account keeps its address.

Spec: OWASP ASVS 5.0 rows 6.3.7, 6.3.8, 6.5.1, 6.6.2, 6.6.3; NIST SP 800-63B-4 section 4.6.
"""

from __future__ import annotations

from msgspec import Struct

from sekisho.audit import Event, record
from sekisho.errors import InvalidCode, InvalidCredentials, SessionRevoked, ValidationError
from sekisho.identifiers import EmailAddress, parse_client_id, parse_email
from sekisho.mfa.freshness import require_fresh
from sekisho.model import Account, AccountStatus, Discreet, EndReason, Millis, Origin, Principal, RecoveryEmail
from sekisho.notices import Notices
from sekisho.one_time_codes import OneTimeCodes, parse_code
from sekisho.outbox import MailKind, Outbox
from sekisho.passwords.hashing import HashPool
from sekisho.ports.changes import (
    AppendAudit,
    Change,
    ChangeEmail,
    ConsumeCode,
    CountCodeTry,
    OneTimeCode,
    PutCode,
    QueueMail,
    SpoilSignUps,
)
from sekisho.ports.clock import Clock
from sekisho.ports.storage import Store
from sekisho.sessions import Sessions
from sekisho.throttle import Throttle, refuse_if_throttled

PURPOSE = "email_change"
CODE_LIFETIME_MS = 10 * 60_000


class SendEmailCode(Discreet, frozen=True):
    email: str
    password: str
    seen_from: Origin


class VerifyEmailCode(Discreet, frozen=True):
    email: str
    code: str
    seen_from: Origin


class EmailCodeSent(Struct, frozen=True):
    """`expires_in` counts seconds."""

    email: str
    expires_in: int = CODE_LIFETIME_MS // 1000


class EmailChangeWorld(Struct, frozen=True, kw_only=True):
    store: Store
    clock: Clock
    passwords: HashPool
    codes: OneTimeCodes
    throttle: Throttle
    outbox: Outbox
    notices: Notices
    sessions: Sessions
    fresh_ms: int


async def send_email_code(request: SendEmailCode, principal: Principal, world: EmailChangeWorld) -> EmailCodeSent:
    """Mail a code to the new address; an older one of this account dies.

    Raises:
        ValidationError: the address has no good form, or is the account's own (`unchanged`).
        StepUpRequired: the account has a second factor that was not shown lately.
        InvalidCredentials: the password is wrong.
        RateLimitExceeded: too many wrong passwords, or too many mails to the address or from the network.
        SessionRevoked: the account was disabled or withdrawn meanwhile.
        ServiceUnavailable: the hash pool is full.
    """
    email, origin, now = parse_email(request.email), request.seen_from, world.clock.now()
    account = await _owner(principal, world)
    if email.key == account.email_key:
        raise ValidationError(details={"email": "unchanged"}, detail="the account's own address")
    await require_fresh(world.store, principal, now, world.fresh_ms, has_password=True)
    tries = world.throttle.password_tries(account.id, origin.ip, now)
    refuse_if_throttled(await world.store.apply(*tries), now)
    async with world.throttle.paying(tries, world.store, now):
        matches = await world.passwords.verify(request.password, account.password_hash)
    now, sent = world.clock.now(), Event.EMAIL_CHANGE_CODE_SENT
    if not matches:
        await world.store.apply(_audit(sent, "failure", account, principal, origin, now, "wrong_password"))
        raise InvalidCredentials(detail="wrong_password")
    sends = world.throttle.code_sends(email.key, origin.ip, now)
    refuse_if_throttled(await world.store.apply(*world.throttle.give_back(tries, now), *sends), now)

    existing = await world.store.find_account_by_email(email.key)
    code_hash, letter = _new_code(email, account, existing, now, world)
    code = OneTimeCode(id=_code_id(account), purpose=PURPOSE, code_hash=code_hash, expires_at=now + CODE_LIFETIME_MS)
    await world.store.apply(PutCode(code=code), _audit(sent, "success", account, principal, origin, now), letter)
    return EmailCodeSent(email.address)


async def verify_email_code(request: VerifyEmailCode, principal: Principal, world: EmailChangeWorld) -> Account:
    """Take the new address; return the account as it is now.

    Raises:
        ValidationError: a field has no good form.
        InvalidCode: wrong, replaced, expired, used, for another address, five tries made, or the address is taken.
        RateLimitExceeded: too many wrong codes for this address today, or from this network.
        SessionRevoked: the account was disabled or withdrawn meanwhile.

    Concurrency: of parallel right codes one wins; of two accounts that take one address at once one gets it.
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
        raise await _refused(counted.lost.why, account, principal, origin, world)
    if not world.codes.same(bytes(counted.results[0]), code_hash):
        raise await _refused("wrong_code", account, principal, origin, world)

    client, recovery = parse_client_id(principal.client_id), await world.store.find_recovery_email(account.id)
    outcome = await world.store.apply(
        ConsumeCode(id=code_id, purpose=PURPOSE, code_hash=code_hash, now=now),
        ChangeEmail(
            account_id=account.id,
            security_version=account.security_version,
            email=email.address,
            email_key=email.key,
            old_identifier_tag=world.throttle.identifier_tag(account.email_key or ""),
        ),
        world.sessions.ending_all(account.id, EndReason.EMAIL_CHANGED, origin, now, except_id=principal.session_id),
        SpoilSignUps(email_key=email.key, except_id="", code_hash=world.codes.hash_of_nothing()),
        _audit(Event.EMAIL_CHANGE, "success", account, principal, origin, now),
        *_letters(account, email, recovery, origin, now, world),
        *world.throttle.remember_devices(email.key, origin, client, now),
        *world.throttle.give_back(tries, now),
    )
    if outcome.lost:
        raise await _refused(outcome.lost.why, account, principal, origin, world)
    after: Account = outcome.results[1]
    return after


async def _owner(principal: Principal, world: EmailChangeWorld) -> Account:
    account = await world.store.find_account(principal.account_id)
    if account is None or account.status is not AccountStatus.ACTIVE:
        raise SessionRevoked(detail="account gone")
    return account


def _new_code(
    email: EmailAddress, account: Account, existing: Account | None, now: Millis, world: EmailChangeWorld
) -> tuple[bytes, QueueMail]:
    """Return the hash to store and the letter to send. For an address that is taken no code has that hash."""
    code = world.codes.new()
    code_hash = _hash(email, account, code, world)
    expires_at = now + CODE_LIFETIME_MS
    if existing:
        to, locale = existing.email, existing.locale
        letter = world.outbox.letter(MailKind.EMAIL_CHANGE_TAKEN, to=to, locale=locale, now=now, expires_at=expires_at)
        return world.codes.hash_of_nothing(), letter
    return code_hash, world.outbox.letter(
        MailKind.EMAIL_CHANGE_CODE,
        to=email.address,
        locale=account.locale,
        now=now,
        expires_at=expires_at,
        code=code,
        minutes=str(CODE_LIFETIME_MS // 60_000),
    )


def _code_id(account: Account) -> str:
    """One code an account at a time."""
    return f"{PURPOSE}:{account.id}"


def _hash(email: EmailAddress, account: Account, code: str, world: EmailChangeWorld) -> bytes:
    """A code is good for one address, and for the account as it was then."""
    return world.codes.hash(PURPOSE, f"{_code_id(account)} {account.security_version} {email.key}", code)


def _letters(
    account: Account,
    email: EmailAddress,
    recovery: RecoveryEmail | None,
    origin: Origin,
    now: Millis,
    world: EmailChangeWorld,
) -> tuple[Change, ...]:
    """Tell the old address, the new one and the recovery address, whose owner can so find back to a stolen account."""
    told = {"new_email": email.address}
    third: tuple[Change, ...] = ()
    if recovery and recovery.email_key != email.key:
        kind = MailKind.EMAIL_CHANGED_RECOVERY
        third = world.notices.notice(kind, account, origin, now, to=recovery.email, **told)
    return (
        *world.notices.notice(MailKind.EMAIL_CHANGED_FORMER, account, origin, now, **told),
        *world.notices.notice(MailKind.EMAIL_CHANGED, account, origin, now, to=email.address, **told),
        *third,
    )


async def _refused(
    reason: str, account: Account, principal: Principal, origin: Origin, world: EmailChangeWorld
) -> InvalidCode:
    """Write the audit record of a refused code and return what to raise. An account that has withdrawn leaves no new
    trace of its person."""
    after = await world.store.find_account(account.id)
    seen_from = Origin() if after is None or after.status is AccountStatus.WITHDRAWN else origin
    event, now = Event.EMAIL_CHANGE, world.clock.now()
    await world.store.apply(_audit(event, "failure", account, principal, seen_from, now, reason))
    return InvalidCode(detail=reason)


def _audit(
    event: Event,
    outcome: str,
    account: Account,
    principal: Principal,
    origin: Origin,
    now: Millis,
    reason: str = "",
) -> AppendAudit:
    return AppendAudit(
        record=record(
            event,
            outcome,
            at=now,
            origin=origin,
            account_id=account.id,
            session_id=principal.session_id,
            client_id=principal.client_id,
            method="pwd" if event is Event.EMAIL_CHANGE_CODE_SENT else "otp",
            reason=reason,
        )
    )

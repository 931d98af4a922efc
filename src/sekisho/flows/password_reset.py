"""Password reset: who can read the mail of an account may set a new password, and is not signed in by that.

    send_code    count -> find the account -> a code that replaces the older one -> mail it, to the recovery address too
    verify_code  count the try -> compare -> the code is spent for a reset token, in one commit
    complete     open the token -> policy -> breached? used before? -> hash
                 -> spend the token, suspend codes by mail, set the password, end all sessions: one commit

An address without an account that may reset (unknown, disabled, withdrawn) gets a *decoy*: the same row with a code
that is never right, and a letter that says so to whoever reads that mail. Each call does the same work for both. A
recovery address is never looked for: whoever types one gets what an unknown address gets.

No tokens are issued: the person signs in afterwards, and is asked for a second factor then, which is no code by mail
where there is another: `mfa.suspension`.

Spec: NIST SP 800-63B-4 section 4.2; OWASP ASVS 5.0 rows 6.3.8, 6.4.3, 6.4.4, 6.5.1, 6.5.5, 6.6.3, 7.4.3.
"""

from __future__ import annotations

from msgspec import Struct

from sekisho.audit import Event, record
from sekisho.errors import InvalidCode, ResetTokenInvalid
from sekisho.identifiers import EmailAddress, parse_email
from sekisho.mfa.suspension import suspending
from sekisho.model import Account, AccountId, AccountStatus, Discreet, EndReason, Millis, Origin, RecoveryEmail
from sekisho.notices import Notices
from sekisho.one_time_codes import OneTimeCodes, parse_code
from sekisho.outbox import MailKind, Outbox
from sekisho.passwords.hashing import HashPool
from sekisho.passwords.history import hashes_to_avoid, kept_at_change
from sekisho.passwords.policy import PasswordPolicy
from sekisho.passwords.screening import Screening
from sekisho.ports.changes import (
    AppendAudit,
    Change,
    ConsumeCode,
    CountCodeTry,
    OneTimeCode,
    PutCode,
    QueueMail,
    SetPassword,
)
from sekisho.ports.clock import Clock
from sekisho.ports.factor_changes import SuspendFactor
from sekisho.ports.storage import Store
from sekisho.sessions import Sessions
from sekisho.throttle import Throttle, refuse_if_throttled
from sekisho.tokens.reset_token import ResetTokens

PURPOSE = "password_reset"
TOKEN_PURPOSE = "password_reset_token"  # noqa: S105 - the name of a purpose, no secret
CODE_LIFETIME_MS = 10 * 60_000
TOKEN_LIFETIME_MS = 10 * 60_000
# Each try with a good token may cost a hash, and one more for each password that is remembered.
TRIES_PER_TOKEN = 10


class SendResetCode(Discreet, frozen=True):
    email: str
    locale: str
    seen_from: Origin


class VerifyResetCode(Discreet, frozen=True):
    email: str
    code: str
    seen_from: Origin


class CompleteReset(Discreet, frozen=True):
    reset_token: str
    password: str
    seen_from: Origin


class ResetCodeSent(Struct, frozen=True):
    """`expires_in` counts seconds."""

    email: str
    expires_in: int = CODE_LIFETIME_MS // 1000


class ResetAllowed(Discreet, frozen=True):
    """`expires_in` counts seconds."""

    reset_token: str
    expires_in: int = TOKEN_LIFETIME_MS // 1000


class PasswordResetWorld(Struct, frozen=True, kw_only=True):
    store: Store
    clock: Clock
    passwords: HashPool
    policy: PasswordPolicy
    screening: Screening
    codes: OneTimeCodes
    reset_tokens: ResetTokens
    throttle: Throttle
    outbox: Outbox
    notices: Notices
    sessions: Sessions


async def send_reset_code(request: SendResetCode, world: PasswordResetWorld) -> ResetCodeSent:
    """Mail a code to the address and to its account's recovery address; an older one dies. The answer is the same
    whoever has the address, or nobody.

    Raises:
        ValidationError: the address has no good form.
        RateLimitExceeded: too many mails to this address or from this network.
    """
    email, now = parse_email(request.email), world.clock.now()
    sends = world.throttle.code_sends(email.key, request.seen_from.ip, now)
    refuse_if_throttled(await world.store.apply(*sends), now)

    account = await world.store.find_account_by_email(email.key)
    recovery = await world.store.find_recovery_email(account.id if account else AccountId(""))
    code_hash, letters = _new_code(email, account, recovery, request.locale, now, world)
    code = OneTimeCode(
        id=_code_id(email, world), purpose=PURPOSE, code_hash=code_hash, expires_at=now + CODE_LIFETIME_MS
    )
    await world.store.apply(
        PutCode(code=code),
        _audit(Event.PASSWORD_RESET_CODE_SENT, "success", email, request.seen_from, now, world),
        *letters,
    )
    return ResetCodeSent(email.address)


async def verify_reset_code(request: VerifyResetCode, world: PasswordResetWorld) -> ResetAllowed:
    """Trade the mailed code for a reset token.

    Raises:
        ValidationError: a field has no good form.
        InvalidCode: wrong, replaced, expired, used, never sent, five tries made, or every code of a decoy.
        RateLimitExceeded: too many wrong codes for this address today, or from this network.

    Concurrency: of parallel right codes one wins; parallel guesses never get more than five tries, because each is
        counted before it is compared.
    """
    email, code = parse_email(request.email), parse_code(request.code)
    now = world.clock.now()
    tries = world.throttle.code_tries(email.key, request.seen_from.ip, now)
    refuse_if_throttled(await world.store.apply(*tries), now)

    account = await world.store.find_account_by_email(email.key)
    code_id = _code_id(email, world)
    max_tries = world.throttle.limits.code_tries_per_code
    counted = await world.store.apply(CountCodeTry(id=code_id, purpose=PURPOSE, max_tries=max_tries, now=now))
    code_hash = _hash(code_id, account, code, world)
    if counted.lost:
        raise await _wrong_code(counted.lost.why, email, request.seen_from, now, world)
    if not world.codes.same(bytes(counted.results[0]), code_hash) or account is None or not may_reset(account):
        raise await _wrong_code("wrong_code", email, request.seen_from, now, world)

    expires_at = now + TOKEN_LIFETIME_MS
    token, token_id = world.reset_tokens.new(account, expires_at)
    token_hash = world.codes.hash(TOKEN_PURPOSE, token_id, "")
    outcome = await world.store.apply(
        ConsumeCode(id=code_id, purpose=PURPOSE, code_hash=code_hash, now=now),
        PutCode(code=OneTimeCode(id=token_id, purpose=TOKEN_PURPOSE, code_hash=token_hash, expires_at=expires_at)),
        _audit(Event.PASSWORD_RESET_CODE, "success", email, request.seen_from, now, world),
        *world.throttle.give_back(tries, now),
    )
    if outcome.lost:
        raise await _wrong_code(outcome.lost.why, email, request.seen_from, now, world)
    return ResetAllowed(token)


async def complete_reset(request: CompleteReset, world: PasswordResetWorld) -> None:
    """Set the new password. Every session of the account has ended when this returns, nobody is signed in, and codes by
    mail are no second step beside another factor until that was shown.

    Raises:
        ResetTokenInvalid: forged, spent, expired, or the account changed since the code was typed.
        ValidationError: the policy refuses the password, it is known from a breach, or it was used before; the token is
            still good.
        ServiceUnavailable: the hash pool is full; the token is still good.

    Concurrency: of parallel calls with one token one sets its password.
    """
    presented = world.reset_tokens.open(request.reset_token)
    account = await world.store.find_account(presented.account_id)
    if account is None:
        raise ResetTokenInvalid(detail="account gone")
    if account.status is not AccountStatus.ACTIVE or account.security_version != presented.security_version:
        raise await _refused("changed_meanwhile", account, request.seen_from, world)
    world.policy.check(request.password, email=account.email, name=account.name)

    counted = await world.store.apply(
        CountCodeTry(id=presented.code_id, purpose=TOKEN_PURPOSE, max_tries=TRIES_PER_TOKEN, now=world.clock.now())
    )
    if counted.lost:
        raise await _refused(counted.lost.why, account, request.seen_from, world)
    earlier = await hashes_to_avoid(account, world.policy.history, world.store)
    await world.screening.screen(request.password, earlier)
    password_hash = await world.passwords.hash(request.password)

    now, recovery = world.clock.now(), await world.store.find_recovery_email(account.id)
    factors = await world.store.list_factors(account.id)
    outcome = await world.store.apply(
        ConsumeCode(id=presented.code_id, purpose=TOKEN_PURPOSE, code_hash=bytes(counted.results[0]), now=now),
        *suspending(account, factors, request.seen_from, now),
        world.sessions.ending_all(account.id, EndReason.PASSWORD_CHANGED, request.seen_from, now),
        SetPassword(
            account_id=account.id,
            security_version=account.security_version,
            password_hash=password_hash,
            keep_earlier=kept_at_change(world.policy.history),
        ),
        _audit_of_account("success", account, request.seen_from, now),
        *world.notices.notice(MailKind.PASSWORD_CHANGED, account, request.seen_from, now),
        *(_told_there(recovery, account, request.seen_from, now, world) if recovery else ()),
        *world.throttle.forget_logins(account.email_key or "", request.seen_from.ip),
    )
    if outcome.lost:
        why = "changed_meanwhile" if isinstance(outcome.lost.change, SetPassword | SuspendFactor) else outcome.lost.why
        raise await _refused(why, account, request.seen_from, world)


def may_reset(account: Account) -> bool:
    """Whether a code by mail may set this account's password. Where there is none yet, the address must have been
    verified: a mailbox that was only claimed opens no account that somebody else signs in to by other means."""
    return account.status is AccountStatus.ACTIVE and (account.password_hash is not None or account.is_verified)


def _new_code(
    email: EmailAddress,
    account: Account | None,
    recovery: RecoveryEmail | None,
    locale: str,
    now: Millis,
    world: PasswordResetWorld,
) -> tuple[bytes, tuple[QueueMail, ...]]:
    """Return the hash to store and the letters to send. For a decoy no code has that hash. Both mailboxes get the same
    code: with two of them every guess would have two chances."""
    code = world.codes.new()
    code_hash = _hash(_code_id(email, world), account, code, world)
    # Sealed for everybody: it takes time that could be measured.
    second = _recovery_letter(recovery.email if recovery else email.address, email, account, code, now, world)
    if account is None or not may_reset(account):
        to, kind = (account.email, account.locale) if account else (email.address, locale)
        letter = world.outbox.letter(
            MailKind.PASSWORD_RESET_NO_ACCOUNT, to=to, locale=kind, now=now, expires_at=now + CODE_LIFETIME_MS
        )
        return world.codes.hash_of_nothing(), (letter,)
    letter = world.outbox.letter(
        MailKind.PASSWORD_RESET_CODE,
        to=account.email,
        locale=account.locale,
        now=now,
        expires_at=now + CODE_LIFETIME_MS,
        code=code,
        minutes=str(CODE_LIFETIME_MS // 60_000),
    )
    return code_hash, (letter, second) if recovery else (letter,)


def _recovery_letter(
    to: str, email: EmailAddress, account: Account | None, code: str, now: Millis, world: PasswordResetWorld
) -> QueueMail:
    return world.outbox.letter(
        MailKind.PASSWORD_RESET_CODE_RECOVERY,
        to=to,
        locale=account.locale if account else "en",
        now=now,
        expires_at=now + CODE_LIFETIME_MS,
        code=code,
        minutes=str(CODE_LIFETIME_MS // 60_000),
        email=account.email if account else email.address,
    )


def _code_id(email: EmailAddress, world: PasswordResetWorld) -> str:
    """One code an address at a time, found by the keyed hash of the address."""
    return f"{PURPOSE}:{world.throttle.identifier_tag(email.key)}"


def _hash(code_id: str, account: Account | None, code: str, world: PasswordResetWorld) -> bytes:
    """A code is good for the account that it was made for, as it was then."""
    whose = f"{account.id} {account.security_version}" if account else ""
    return world.codes.hash(PURPOSE, f"{code_id} {whose}", code)


def _told_there(
    recovery: RecoveryEmail, account: Account, origin: Origin, now: Millis, world: PasswordResetWorld
) -> tuple[Change, ...]:
    """Tell the recovery mailbox, too: whoever reset the password may be who reads the other one."""
    kind = MailKind.PASSWORD_CHANGED_RECOVERY
    return world.notices.notice(kind, account, origin, now, to=recovery.email, email=account.email)


async def _wrong_code(
    reason: str, email: EmailAddress, origin: Origin, now: Millis, world: PasswordResetWorld
) -> InvalidCode:
    """Write the audit record of a refused code and return what to raise."""
    await world.store.apply(_audit(Event.PASSWORD_RESET_CODE, "failure", email, origin, now, world, reason))
    return InvalidCode(detail=reason)


async def _refused(reason: str, account: Account, origin: Origin, world: PasswordResetWorld) -> ResetTokenInvalid:
    """Write the audit record of a refused token of ours and return what to raise. An account that has withdrawn leaves
    no new trace of its person."""
    now = await world.store.find_account(account.id)
    seen_from = Origin() if now is None or now.status is AccountStatus.WITHDRAWN else origin
    await world.store.apply(_audit_of_account("failure", account, seen_from, world.clock.now(), reason))
    return ResetTokenInvalid(detail=reason)


def _audit(
    event: Event,
    outcome: str,
    email: EmailAddress,
    origin: Origin,
    now: Millis,
    world: PasswordResetWorld,
    reason: str = "",
) -> AppendAudit:
    tag = world.throttle.identifier_tag(email.key)
    return AppendAudit(record=record(event, outcome, at=now, origin=origin, reason=reason, identifier_tag=tag))


def _audit_of_account(outcome: str, account: Account, origin: Origin, now: Millis, reason: str = "") -> AppendAudit:
    return AppendAudit(
        record=record(
            Event.PASSWORD_RESET,
            outcome,
            at=now,
            origin=origin,
            account_id=account.id,
            method="otp",
            reason=reason,
        )
    )

"""Factors: a signed-in person's authenticators beside the password.

    list_factors    what there is, and how many recovery codes are unused
    enrol           fresh? -> a key for an authenticator app, or a code by mail or SMS -> an unfinished factor
    find_enrolment  fresh? -> the same again, for a page that is loaded a second time
    confirm         still? -> count the try -> compare -> from now on it is asked for; the first brings ten recovery
                    codes
    rename, remove  remove: fresh? -> may it go? -> forget it, and the recovery codes with the last one
    new_recovery_codes   fresh? -> ten new ones, the older die

What changes how one may come in demands a fresh proof, raises the account's `security_version` and is told to the
owner.

Spec: NIST SP 800-63B-4 section 4.1; RFC 6238; OWASP ASVS 5.0 rows 6.3.7, 6.5.6, 6.6.1, 7.4.3, 7.5.1.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from msgspec import Struct

from sekisho.audit import FAILURE, SUCCESS, Event, record
from sekisho.errors import (
    FactorRequired,
    FactorUnusable,
    InvalidCode,
    NotFound,
    Refusal,
    ServiceUnavailable,
    SessionRevoked,
    ValidationError,
)
from sekisho.ids import could_be_ours, new_handle
from sekisho.master_secret import UnsealError
from sekisho.mfa.letters import CODE_LIFETIME_MS, CodeSender, Recipient
from sekisho.mfa.methods import AAL2, Method, assurance, check_fresh, confirmed, level_of, words_of
from sekisho.mfa.phones import Phones
from sekisho.mfa.proofs import UNREADABLE, CodePlace, NotShown, Proofs, refusal_of
from sekisho.mfa.recovery import RecoveryCodes
from sekisho.mfa.totp import TotpKeys, qr_svg
from sekisho.model import (
    Account,
    AccountStatus,
    Discreet,
    EndReason,
    Factor,
    FactorKind,
    Millis,
    Origin,
    Principal,
    Session,
)
from sekisho.notices import Notices
from sekisho.one_time_codes import parse_code
from sekisho.outbox import MailKind
from sekisho.ports.changes import AppendAudit, Change
from sekisho.ports.clock import Clock
from sekisho.ports.factor_changes import (
    AddFactor,
    ConfirmFactor,
    RemoveFactor,
    RenameFactor,
    RenewProof,
    SetRecoveryCodes,
)
from sekisho.ports.storage import Lost, Store
from sekisho.sessions import Sessions
from sekisho.throttle import Throttle, refuse_if_throttled

PURPOSE = "factor"
MAX_FACTORS = 10
NAME_LIMIT = 100


class Enrol(Discreet, frozen=True):
    """`kind` is a `FactorKind`; `name` is for the person, and may be ""; `phone` is as typed, for codes by SMS only."""

    kind: str
    name: str = ""
    phone: str | None = None


class Enrolment(Discreet, frozen=True):
    """A factor that waits for its first code. secret, uri, qr: of an authenticator app only; they are shown until that
    code comes, and never again. number: where the code went, masked; by SMS only."""

    id: str
    kind: FactorKind
    expires_in: int = CODE_LIFETIME_MS // 1000
    secret: str | None = None
    uri: str | None = None
    qr: str | None = None
    number: str | None = None
    name: str = ""


class FactorList(Struct, frozen=True):
    """numbers: the masked phone number of each factor, in their order; "" for those without."""

    factors: tuple[Factor, ...]
    unused_recovery_codes: int
    numbers: tuple[str, ...] = ()


class Confirmed(Discreet, frozen=True):
    """recovery_codes: made with the first factor, shown this once; else None. ended: how many other sessions did."""

    factor: Factor
    recovery_codes: tuple[str, ...] | None
    ended: int = 0


class FactorsWorld(Struct, frozen=True, kw_only=True):
    store: Store
    clock: Clock
    totp: TotpKeys
    phones: Phones
    recovery: RecoveryCodes
    proofs: Proofs
    sender: CodeSender
    throttle: Throttle
    notices: Notices
    sessions: Sessions
    fresh_ms: int
    allowed: frozenset[FactorKind]


async def list_factors(principal: Principal, world: FactorsWorld) -> FactorList:
    """Return the confirmed factors, oldest first."""
    factors = confirmed(await world.store.list_factors(principal.account_id))
    numbers = tuple(world.phones.masked(factor) for factor in factors)
    return FactorList(factors, await world.store.count_recovery_codes(principal.account_id), numbers)


async def enrol(request: Enrol, principal: Principal, seen_from: Origin, world: FactorsWorld) -> Enrolment:
    """Begin an enrolment; an unfinished one of the same kind goes. The factor counts once it is confirmed.

    Raises:
        ValidationError: a kind that this server does not offer, a name with a bad form, a phone number that no text
            message goes to, mail or a phone that is enrolled already, or more factors than an account may have.
        StepUpRequired: the session's proof is too old or too weak.
        RateLimitExceeded: too many mails or text messages: to this address or number, for this account, from this
            network, or of the whole server.
        SessionRevoked: the session ended meanwhile.
        ServiceUnavailable: the account changed its credentials meanwhile; ask again.
    """
    name, kind = _check_name(request.name), _check_kind(request.kind, world)
    number = _check_phone(request.phone, kind, world)
    who = await _who(principal, world)
    check_fresh(who.session, who.factors, who.now, world.fresh_ms)
    if kind is not FactorKind.TOTP and any(factor.kind is kind for factor in confirmed(who.factors)):
        raise ValidationError(details={"kind": "too_many"}, detail="enrolled already: one address, one phone")

    factor_id = new_handle()
    secret = world.totp.new() if kind is FactorKind.TOTP else None
    factor = Factor(
        id=factor_id,
        account_id=who.account.id,
        kind=kind,
        name=name,
        sealed=_sealed(factor_id, secret, number, world),
        created_at=who.now,
        expires_at=who.now + CODE_LIFETIME_MS,
    )
    sending: tuple[Change, ...] = ()
    if secret is None:
        to = Recipient(who.account, Method(kind.value), number)
        await world.sender.count(to, world.store, seen_from.ip, who.now)
        sent = who.audit(Event.FACTOR_CODE_SENT, seen_from, method=words_of(to.method))
        sending = (*world.sender.sending(to, CodePlace(factor_id, PURPOSE), who.now), sent)
    outcome = await world.store.apply(
        AddFactor(factor=factor, security_version=who.account.security_version, max_factors=MAX_FACTORS), *sending
    )
    if outcome.lost:
        raise _refusal_of_lost(outcome.lost)
    if secret is None:
        return Enrolment(factor_id, kind, number=world.phones.masked(factor) or None)
    uri = world.totp.uri(secret, who.account.email)
    return Enrolment(factor_id, kind, secret=secret, uri=uri, qr=qr_svg(uri))


async def find_enrolment(factor_id: str, principal: Principal, world: FactorsWorld) -> Enrolment:
    """Return an enrolment that waits, as `enrol` did. It renews nothing and sends nothing.

    Raises:
        StepUpRequired: the session's proof is too old or too weak.
        NotFound: no enrolment of the caller's account waits under this id, or its time is over.
        FactorUnusable: the server cannot read the key that it made.
        SessionRevoked: the session ended meanwhile.
    """
    _check_id(factor_id)
    who = await _who(principal, world)
    check_fresh(who.session, who.factors, who.now, world.fresh_ms)
    factor = next((one for one in who.factors if one.id == factor_id and _waits(one, who.now)), None)
    if factor is None:
        raise NotFound(detail="no such enrolment")
    left = ((factor.expires_at or who.now) - who.now) // 1000
    if factor.kind is not FactorKind.TOTP:
        number = world.phones.masked(factor) or None
        return Enrolment(factor.id, factor.kind, left, number=number, name=factor.name)
    try:
        secret = world.totp.open(factor)
    except UnsealError:
        raise FactorUnusable(detail=UNREADABLE) from None
    uri = world.totp.uri(secret, who.account.email)
    return Enrolment(factor.id, factor.kind, left, secret, uri, qr_svg(uri))


async def confirm(
    factor_id: str,
    typed: str,
    principal: Principal,
    seen_from: Origin,
    world: FactorsWorld,
    *,
    end_others: bool = False,
) -> Confirmed:
    """Finish an enrolment: from now on the factor is asked for. The session that did it has shown it, and says so.

    Its proof may be older by the time that an enrolment waits, but is never weaker than the account asks for by now:
    another factor may have been confirmed since this one was begun.

    Raises:
        ValidationError: the code has no good form.
        StepUpRequired: the session's proof is too old or too weak.
        NotFound: no enrolment of the caller's account waits under this id, or its time is over.
        InvalidCode: wrong, used, or not the newest.
        FactorUnusable: the server cannot read the key that it made.
        RateLimitExceeded: too many wrong codes.
        SessionRevoked: the session ended meanwhile.
        ServiceUnavailable: the account changed its credentials meanwhile; ask again.

    Concurrency: of any number of callers one confirms.
    """
    code, who = parse_code(typed), await _who(principal, world)
    check_fresh(who.session, who.factors, who.now, world.fresh_ms + CODE_LIFETIME_MS)
    factor = next((one for one in who.factors if one.id == factor_id and _waits(one, who.now)), None)
    if factor is None:
        raise NotFound(detail="no such enrolment")
    tries = world.throttle.factor_tries(who.account.id, seen_from.ip, who.now)
    refuse_if_throttled(await world.store.apply(*tries), who.now)
    shown = await _first_code(factor, code, who.now, world)
    if isinstance(shown, NotShown):
        await world.store.apply(who.audit(Event.FACTOR_ADDED, seen_from, shown.reason, subject=factor.id))
        raise refusal_of(shown.reason)

    account, version = who.account, who.account.security_version
    codes = None if await world.store.count_recovery_codes(account.id) else world.recovery.new_set()
    proven = assurance((word for word in who.session.amr if word == "pwd"), Method(factor.kind.value))
    step, spending = shown
    outcome = await world.store.apply(
        ConfirmFactor(factor_id=factor.id, account_id=account.id, security_version=version, step=step, now=who.now),
        *spending,
        *world.throttle.give_back(tries, who.now),
        *(_codes_change(who, codes, version + 1, seen_from, world) if codes else ()),
        *_renewal(who, proven.amr, proven.acr, version + 1),
        who.audit(Event.FACTOR_ADDED, seen_from, subject=factor.id),
        *who.letter(MailKind.FACTOR_ADDED, seen_from, world, factor=factor.kind.value, name=_told(factor, world)),
        *_ending_others(who, seen_from, world, end_others),
    )
    if outcome.lost:
        raise _refusal_of_lost(outcome.lost)
    return Confirmed(
        next(one for one in await world.store.list_factors(account.id) if one.id == factor.id),
        codes,
        outcome.results[-1] if end_others else 0,
    )


async def rename(factor_id: str, name: str, principal: Principal, seen_from: Origin, world: FactorsWorld) -> Factor:
    """Give a factor another name, for the person's own use.

    Raises:
        ValidationError: the name is too long or has control characters.
        NotFound: unknown, unfinished, or another account's; the caller cannot tell which.
    """
    checked, who = _check_name(name), await _who(principal, world)
    _check_id(factor_id)
    outcome = await world.store.apply(
        RenameFactor(factor_id=factor_id, account_id=who.account.id, name=checked),
        who.audit(Event.FACTOR_RENAMED, seen_from, subject=factor_id),
    )
    if outcome.lost:
        raise NotFound(detail=outcome.lost.why)
    renamed: Factor = outcome.results[0]
    return renamed


async def remove(
    factor_id: str, principal: Principal, seen_from: Origin, world: FactorsWorld, *, end_others: bool = False
) -> int:
    """Forget a factor; return how many other sessions ended. With the last one the recovery codes go.

    Raises:
        StepUpRequired: the session's proof is too old or too weak.
        NotFound: unknown, unfinished, or another account's; the caller cannot tell which.
        FactorRequired: the account's role or the app of this session requires one, and this is the last.
        SessionRevoked: the session ended meanwhile.
        ServiceUnavailable: the account changed its credentials meanwhile; ask again.
    """
    _check_id(factor_id)
    who = await _who(principal, world)
    check_fresh(who.session, who.factors, who.now, world.fresh_ms)
    having = confirmed(who.factors)
    factor = next((one for one in having if one.id == factor_id), None)
    if factor is None:
        raise NotFound(detail="no such factor")
    _check_last(factor, having, who, world)
    left = str(len(having) - 1)
    outcome = await world.store.apply(
        RemoveFactor(factor_id=factor.id, account_id=who.account.id, security_version=who.account.security_version),
        who.audit(Event.FACTOR_REMOVED, seen_from, subject=factor.id),
        *who.letter(
            MailKind.FACTOR_REMOVED, seen_from, world, factor=factor.kind.value, name=_told(factor, world), left=left
        ),
        *_ending_others(who, seen_from, world, end_others),
    )
    if outcome.lost:
        raise _refusal_of_lost(outcome.lost)
    return outcome.results[-1] if end_others else 0


def _check_last(factor: Factor, having: Sequence[Factor], who: _Who, world: FactorsWorld) -> None:
    """Keep what a requirement stands on. That nobody removes two at once is for `security_version` to see to."""
    others = [one for one in having if one.id != factor.id]
    is_last = level_of([factor]) == AAL2 and level_of(others) != AAL2
    if is_last and world.sessions.must_keep_factor(who.account, who.session.client_id):
        raise FactorRequired(detail="the last one that is required")


async def new_recovery_codes(principal: Principal, seen_from: Origin, world: FactorsWorld) -> tuple[str, ...]:
    """Return ten new recovery codes, this once; the older ones die.

    Raises:
        StepUpRequired: the session's proof is too old or too weak.
        NotFound: the account has no second factor that they could stand in for.
        SessionRevoked: the session ended meanwhile.
        ServiceUnavailable: the account changed its credentials meanwhile; ask again.
    """
    who = await _who(principal, world)
    check_fresh(who.session, who.factors, who.now, world.fresh_ms)
    if not confirmed(who.factors):
        raise NotFound(detail="no second factor")
    codes = world.recovery.new_set()
    outcome = await world.store.apply(
        *_codes_change(who, codes, who.account.security_version, seen_from, world),
        *who.letter(MailKind.RECOVERY_CODES_MADE, seen_from, world),
    )
    if outcome.lost:
        raise _refusal_of_lost(outcome.lost)
    return codes


class _Who(Struct, frozen=True):
    """The caller, as of one moment."""

    session: Session
    account: Account
    factors: Sequence[Factor]
    now: Millis

    def audit(
        self, event: Event, origin: Origin, reason: str = "", *, subject: str = "", method: str = ""
    ) -> AppendAudit:
        return AppendAudit(
            record=record(
                event,
                FAILURE if reason else SUCCESS,
                at=self.now,
                origin=origin,
                account_id=self.account.id,
                session_id=self.session.id,
                client_id=self.session.client_id,
                reason=reason,
                subject=subject,
                method=method,
            )
        )

    def letter(self, kind: MailKind, origin: Origin, world: FactorsWorld, **values: str) -> tuple[Change, ...]:
        return world.notices.notice(kind, self.account, origin, self.now, **values)


async def _who(principal: Principal, world: FactorsWorld) -> _Who:
    now = world.clock.now()
    found = await world.store.find_session_and_account(principal.session_id)
    if found is None or found[0].ended_at is not None or found[1].status is not AccountStatus.ACTIVE:
        raise SessionRevoked(detail="ended during the call")
    session, account = found
    return _Who(session, account, await world.store.list_factors(account.id), now)


def _waits(factor: Factor, now: Millis) -> bool:
    return factor.confirmed_at is None and factor.expires_at is not None and factor.expires_at > now


async def _first_code(
    factor: Factor, code: str, now: Millis, world: FactorsWorld
) -> tuple[int, tuple[Change, ...]] | NotShown:
    """Return the time step of the code (0 if it was sent) and what spends it."""
    if factor.kind is FactorKind.TOTP:
        try:
            step = world.totp.matching_step(factor, code, now)
        except UnsealError:
            return NotShown(UNREADABLE)
        return NotShown("wrong_code") if step is None else (step, ())
    place = CodePlace(factor.id, PURPOSE).of(Method(factor.kind.value))
    spending = await world.proofs.verify_sent(code, place, now)
    return spending if isinstance(spending, NotShown) else (0, (spending,))


def _codes_change(
    who: _Who, codes: tuple[str, ...], version: int, origin: Origin, world: FactorsWorld
) -> tuple[Change, ...]:
    hashes = tuple(world.recovery.hash(who.account.id, code) for code in codes)
    return (
        SetRecoveryCodes(account_id=who.account.id, security_version=version, code_hashes=hashes),
        who.audit(Event.RECOVERY_CODES_MADE, origin),
    )


def _renewal(who: _Who, amr: tuple[str, ...], acr: str, version: int) -> tuple[Change, ...]:
    """What the confirmed factor says of this session; never less than it said before."""
    if who.session.acr == AAL2 and acr != AAL2:
        return ()
    return (
        RenewProof(
            session_id=who.session.id,
            account_id=who.account.id,
            security_version=version,
            amr=amr,
            acr=acr,
            now=who.now,
        ),
    )


def _ending_others(who: _Who, origin: Origin, world: FactorsWorld, is_wanted: bool) -> tuple[Change, ...]:
    """The last change of its call: how many ended is the last result."""
    if not is_wanted:
        return ()
    reason, mine = EndReason.FACTORS_CHANGED, who.session.id
    return (world.sessions.ending_all(who.account.id, reason, origin, who.now, except_id=mine),)


def _check_kind(text: str, world: FactorsWorld) -> FactorKind:
    for kind in world.allowed:
        if kind.value == text:
            return kind
    raise ValidationError(details={"kind": "invalid_choice"}, detail="kind")


def _check_phone(typed: str | None, kind: FactorKind, world: FactorsWorld) -> str:
    """Return the number that the codes go to, "" for kinds that need none."""
    if kind is FactorKind.SMS:
        if not typed:
            raise ValidationError(details={"phone": "required"}, detail="phone")
        return world.phones.parse(typed)
    if typed is not None:
        raise ValidationError(details={"phone": "unknown_field"}, detail="phone of a kind without one")
    return ""


def _sealed(factor_id: str, secret: str | None, number: str, world: FactorsWorld) -> bytes:
    if secret is not None:
        return world.totp.seal(factor_id, secret)
    return world.phones.seal(factor_id, number) if number else b""


def _told(factor: Factor, world: FactorsWorld) -> str:
    """What the owner knows a factor by: its name, and the masked number of a phone."""
    return " ".join(part for part in (factor.name, world.phones.masked(factor)) if part)


def _check_name(text: str) -> str:
    name = unicodedata.normalize("NFC", text).strip()
    if len(name) > NAME_LIMIT:
        raise ValidationError(details={"name": "too_long"}, detail="name")
    if any(unicodedata.category(mark) in ("Cc", "Cf", "Zl", "Zp") for mark in name):
        raise ValidationError(details={"name": "control_characters"}, detail="name")
    return name


def _check_id(factor_id: str) -> None:
    if not could_be_ours(factor_id):
        raise NotFound(detail="no such factor")


def _refusal_of_lost(lost: Lost) -> Refusal:
    match lost.why:
        case "factor_gone":
            return NotFound(detail=lost.why)
        case "code_gone":
            return InvalidCode(detail=lost.why)
        case "too_many":
            return ValidationError(details={"kind": "too_many"}, detail="too many factors")
        case "not_live":
            return SessionRevoked(detail=lost.why)
    # Another call of this account was first. The session goes on, and to ask again is right.
    return ServiceUnavailable(detail=lost.why)

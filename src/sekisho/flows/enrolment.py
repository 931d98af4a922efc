"""Enrolment: a signed-in person gets a second factor.

    enrol           fresh? -> a key for an authenticator app, or a code by mail or SMS -> an unfinished factor
    find_enrolment  fresh? -> the same again, for a page that is loaded a second time
    confirm         still? -> count the try -> compare -> from now on it is asked for; the first brings ten recovery
                    codes

Spec: NIST SP 800-63B-4 section 4.1; RFC 6238; OWASP ASVS 5.0 rows 6.3.7, 6.6.1, 7.4.3, 7.5.1.
"""

from __future__ import annotations

from sekisho.audit import Event
from sekisho.errors import FactorUnusable, NotFound, ValidationError
from sekisho.factor_owner import (
    FactorsWorld,
    Owner,
    check_factor_id,
    check_name,
    codes_change,
    ending_others,
    owner_of,
    refusal_of_lost,
    told,
)
from sekisho.ids import new_handle
from sekisho.master_secret import UnsealError
from sekisho.mfa.letters import CODE_LIFETIME_MS, Recipient
from sekisho.mfa.methods import Method, assurance, check_fresh, confirmed, words_of
from sekisho.mfa.proofs import UNREADABLE, CodePlace, NotShown, refusal_of
from sekisho.mfa.totp import qr_svg
from sekisho.model import AAL2, Discreet, Factor, FactorKind, Millis, Origin, Principal
from sekisho.one_time_codes import parse_code
from sekisho.outbox import MailKind
from sekisho.ports.changes import Change
from sekisho.ports.factor_changes import AddFactor, ConfirmFactor, RenewProof
from sekisho.throttle import refuse_if_throttled

PURPOSE = "factor"
MAX_FACTORS = 10


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


class Confirmed(Discreet, frozen=True):
    """recovery_codes: made with the first factor, shown this once; else None. ended: how many other sessions did."""

    factor: Factor
    recovery_codes: tuple[str, ...] | None
    ended: int = 0


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
    name, kind = check_name(request.name), _check_kind(request.kind, world)
    typed = _check_phone(request.phone, kind)
    who = await owner_of(principal, world)
    check_fresh(who.session, who.factors, who.now, world.fresh_ms)
    number = await _number_from(typed, who, seen_from, world)
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
        raise refusal_of_lost(outcome.lost)
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
    check_factor_id(factor_id)
    who = await owner_of(principal, world)
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
    code, who = parse_code(typed), await owner_of(principal, world)
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
        *(codes_change(who, codes, version + 1, seen_from, world) if codes else ()),
        *_renewal(who, proven.amr, proven.acr, version + 1, world),
        who.audit(Event.FACTOR_ADDED, seen_from, subject=factor.id),
        *who.letter(MailKind.FACTOR_ADDED, seen_from, world, factor=factor.kind.value, name=told(factor, world)),
        *ending_others(who, seen_from, world, end_others),
    )
    if outcome.lost:
        raise refusal_of_lost(outcome.lost)
    return Confirmed(
        next(one for one in await world.store.list_factors(account.id) if one.id == factor.id),
        codes,
        outcome.results[-1] if end_others else 0,
    )


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


def _renewal(who: Owner, amr: tuple[str, ...], acr: str, version: int, world: FactorsWorld) -> tuple[Change, ...]:
    """What the confirmed factor says of this session; never less than it said before."""
    if who.session.acr == AAL2 and acr != AAL2:
        return ()
    idle_by_at, expires_by_at = world.sessions.latest_ends(acr, who.now)
    return (
        RenewProof(
            session_id=who.session.id,
            account_id=who.account.id,
            security_version=version,
            amr=amr,
            acr=acr,
            now=who.now,
            idle_by_at=idle_by_at,
            expires_by_at=expires_by_at,
        ),
    )


def _check_kind(text: str, world: FactorsWorld) -> FactorKind:
    for kind in world.allowed:
        if kind.value == text:
            return kind
    raise ValidationError(details={"kind": "invalid_choice"}, detail="kind")


def _check_phone(typed: str | None, kind: FactorKind) -> str:
    """Return what was typed as a number, "" for kinds that need none."""
    if kind is FactorKind.SMS:
        if not typed:
            raise ValidationError(details={"phone": "required"}, detail="phone")
        return typed
    if typed is not None:
        raise ValidationError(details={"phone": "unknown_field"}, detail="phone of a kind without one")
    return ""


async def _number_from(typed: str, who: Owner, seen_from: Origin, world: FactorsWorld) -> str:
    """Return the number that the codes go to. One that is refused leaves a line: whoever tries which countries a text
    message goes to is seen."""
    if not typed:
        return ""
    try:
        return world.phones.parse(typed)
    except ValidationError:
        await world.store.apply(who.audit(Event.FACTOR_ADDED, seen_from, "phone_refused"))
        raise


def _sealed(factor_id: str, secret: str | None, number: str, world: FactorsWorld) -> bytes:
    if secret is not None:
        return world.totp.seal(factor_id, secret)
    return world.phones.seal(factor_id, number) if number else b""

"""Step-up: a live session is given a fresh or stronger proof.

    find_ways  find the session -> how its owner can renew the proof, and whether anything sensitive would ask for it
    send_code  find the session -> count -> a new code, the older dies -> mail it, or send it as a text message
    step_up    count the try -> verify the password, or the code -> spend it and renew the proof: one commit

The session stays the same and so does its refresh token; the next access tokens say the new `auth_time`, `amr` and
`acr`. Whoever has a second factor that raises the level must show it: a password alone would leave the session weaker.

Spec: RFC 9470; RFC 8176; NIST SP 800-63B-4 section 2.2.3; OWASP ASVS 5.0 rows 7.5.1, 7.5.3.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from sekisho.audit import FAILURE, SUCCESS, Event, record
from sekisho.errors import (
    InvalidCredentials,
    ServiceUnavailable,
    SessionRevoked,
    StepUpRequired,
    ValidationError,
)
from sekisho.mfa.letters import CODE_LIFETIME_MS, CodeSender
from sekisho.mfa.methods import (
    AAL1,
    SENT,
    Assurance,
    Method,
    assurance,
    check_fresh,
    level_of,
    methods_of,
    not_available,
    parse_method,
    words_of,
)
from sekisho.mfa.proofs import CodePlace, NotShown, Proofs, lost_reason, parse_typed, refusal_of
from sekisho.model import AAL2, Account, AccountStatus, Discreet, Factor, Millis, Origin, Principal, Session
from sekisho.notices import Notices
from sekisho.outbox import MailKind
from sekisho.passwords.hashing import HashPool
from sekisho.ports.changes import AppendAudit, Change, CountTry
from sekisho.ports.clock import Clock
from sekisho.ports.factor_changes import RenewProof
from sekisho.ports.storage import Store
from sekisho.sessions import Sessions, TokenPair
from sekisho.throttle import Throttle, refuse_if_throttled

PURPOSE = "step_up"
_NO_CREDENTIAL = ""


class StepUp(Discreet, frozen=True):
    """Either the password, or a method and its code."""

    password: str | None = None
    method: str | None = None
    code: str | None = None


class StepUpWorld(Struct, frozen=True, kw_only=True):
    store: Store
    clock: Clock
    passwords: HashPool
    proofs: Proofs
    sender: CodeSender
    throttle: Throttle
    notices: Notices
    sessions: Sessions
    fresh_ms: int


class Ways(Struct, frozen=True):
    """How the caller can renew the proof. takes_password: whether the password alone is enough. is_fresh: nothing
    sensitive would ask for it now."""

    takes_password: bool
    methods: tuple[Method, ...]
    is_fresh: bool


async def find_ways(principal: Principal, world: StepUpWorld) -> Ways:
    """Return how the session of the caller can be given a fresh proof; for a page that has to ask.

    Raises:
        SessionRevoked: the session ended meanwhile.
    """
    session, account = await _find(principal, world)
    factors = await world.store.list_factors(account.id)
    is_strong = level_of(factors) == AAL2
    methods = methods_of(factors, await world.store.count_recovery_codes(account.id))
    try:
        check_fresh(session, factors, world.clock.now(), world.fresh_ms)
        is_fresh = True
    except StepUpRequired:
        is_fresh = False
    return Ways(takes_password=not is_strong, methods=_enough(methods, factors), is_fresh=is_fresh)


async def send_code(method_text: str, principal: Principal, seen_from: Origin, world: StepUpWorld) -> int:
    """Send a code for this session; return the seconds that it lives. An older code dies.

    Raises:
        ValidationError: no such method, not one of this account's whose code is sent, or mail beside a stronger factor.
        FactorUnusable: the server cannot read the phone number.
        RateLimitExceeded: too many mails or text messages: to this address or number, for this account, from this
            network, or of the whole server.
        SessionRevoked: the session ended meanwhile.
    """
    method, now = parse_method(method_text), world.clock.now()
    session, account = await _find(principal, world)
    factors = await world.store.list_factors(account.id)
    if method not in SENT or method not in _enough(methods_of(factors, 0), factors):
        raise not_available()
    to = world.sender.recipient(account, method, factors)
    await world.sender.count(to, world.store, seen_from.ip, now)
    await world.store.apply(
        *world.sender.sending(to, _place(session), now),
        _audit(Event.FACTOR_CODE_SENT, SUCCESS, words_of(method), session, seen_from, now),
    )
    return CODE_LIFETIME_MS // 1000


async def step_up(request: StepUp, principal: Principal, seen_from: Origin, world: StepUpWorld) -> TokenPair:
    """Renew the proof of the caller's session; return a pair without a refresh token: the client's stays good.

    Raises:
        ValidationError: neither a password nor a method with a code, or both; or no such method.
        InvalidCredentials: the password is wrong.
        InvalidCode: the code is wrong, used, or not the newest.
        StepUpRequired: the account has a stronger factor, so a password or a mailed code is not enough; `methods` says
            what is.
        FactorUnusable: the server cannot read the key of the authenticator app.
        FactorLocked: too many wrong codes in a row.
        RateLimitExceeded: too many wrong passwords or codes.
        SessionRevoked: the session ended meanwhile.
        ServiceUnavailable: the hash pool is full, or the account changed its credentials meanwhile; ask again.

    Concurrency: of any number of callers with one code one wins.
    """
    by_code = _check_form(request)
    session, account = await _find(principal, world)
    factors = await world.store.list_factors(account.id)
    if level_of(factors) == AAL2 and (by_code is None or by_code[0] is Method.EMAIL):
        raise await _too_weak(account, factors, world)
    if by_code is None:
        return await _by_password(request.password or "", session, account, seen_from, world)
    return await _by_code(*by_code, session, account, factors, seen_from, world)


async def _by_password(
    password: str,
    session: Session,
    account: Account,
    seen_from: Origin,
    world: StepUpWorld,
) -> TokenPair:
    now = world.clock.now()
    tries = world.throttle.password_tries(account.id, seen_from.ip, now)
    refuse_if_throttled(await world.store.apply(*tries), now)
    async with world.throttle.paying(tries, world.store, now):
        matches = await world.passwords.verify(password, account.password_hash)
    if not matches:
        await _note("wrong_password", "pwd", session, seen_from, world)
        raise InvalidCredentials(detail="wrong_password")
    return await _renew(Assurance(("pwd",), AAL1), "pwd", (), tries, session, account, seen_from, world)


async def _by_code(
    method: Method,
    code: str,
    session: Session,
    account: Account,
    factors: Sequence[Factor],
    seen_from: Origin,
    world: StepUpWorld,
) -> TokenPair:
    now = world.clock.now()
    tries = world.throttle.factor_tries(account.id, seen_from.ip, now)
    refuse_if_throttled(await world.store.apply(*tries), now)
    shown = await world.proofs.verify(account, factors, method, code, _place(session), now)
    if isinstance(shown, NotShown):
        await _note(shown.reason, words_of(method), session, seen_from, world)
        raise refusal_of(shown.reason)
    before = ("pwd",) if "pwd" in session.amr else ()
    spending = (*shown.spending, *await _telling_of_recovery(method, session, account, seen_from, now, world))
    return await _renew(
        assurance(before, method), words_of(method), spending, tries, session, account, seen_from, world
    )


async def _renew(
    proven: Assurance,
    words: str,
    spending: tuple[Change, ...],
    tries: tuple[CountTry, ...],
    session: Session,
    account: Account,
    seen_from: Origin,
    world: StepUpWorld,
) -> TokenPair:
    now = world.clock.now()
    idle_by_at, expires_by_at = world.sessions.latest_ends(proven.acr, now)
    renewal = RenewProof(
        session_id=session.id,
        account_id=account.id,
        security_version=account.security_version,
        amr=proven.amr,
        acr=proven.acr,
        now=now,
        idle_by_at=idle_by_at,
        expires_by_at=expires_by_at,
    )
    outcome = await world.store.apply(
        renewal,
        *spending,
        *world.throttle.give_back(tries, now),
        _audit(Event.STEP_UP, SUCCESS, words, session, seen_from, now),
    )
    if outcome.lost is None:
        renewed: Session = outcome.results[0]
        return world.sessions.pair(renewed, account, _NO_CREDENTIAL, now)
    reason = lost_reason(outcome.lost.change)
    await _note(reason, words, session, seen_from, world)
    if outcome.lost.why == "not_live":
        raise SessionRevoked(detail=outcome.lost.why)
    if reason == "changed_meanwhile":
        raise ServiceUnavailable(detail=outcome.lost.why)
    raise refusal_of(reason)


def _check_form(request: StepUp) -> tuple[Method, str] | None:
    """Return method and code, or None for a password."""
    if request.password is not None:
        if request.method is not None or request.code is not None:
            raise ValidationError(details={"password": "not_with_code"}, detail="password and code")
        return None
    if request.method is None or request.code is None:
        missing = {name: "required" for name in ("method", "code") if getattr(request, name) is None}
        raise ValidationError(details={"password": "required"} if len(missing) > 1 else missing, detail="no proof")
    method = parse_method(request.method)
    return method, parse_typed(method, request.code)


async def _find(principal: Principal, world: StepUpWorld) -> tuple[Session, Account]:
    found = await world.store.find_session_and_account(principal.session_id)
    if found is None or found[0].ended_at is not None or found[1].status is not AccountStatus.ACTIVE:
        raise SessionRevoked(detail="ended during the call")
    return found


async def _too_weak(account: Account, factors: Sequence[Factor], world: StepUpWorld) -> StepUpRequired:
    methods = methods_of(factors, await world.store.count_recovery_codes(account.id))
    return StepUpRequired(
        detail="a stronger factor is there",
        details={
            "max_age": world.fresh_ms // 1000,
            "acr": AAL2,
            "methods": [method.value for method in _enough(methods, factors)],
        },
    )


def _enough(methods: tuple[Method, ...], factors: Sequence[Factor]) -> tuple[Method, ...]:
    """Leave out what is weaker than the account can show."""
    return tuple(method for method in methods if method is not Method.EMAIL or level_of(factors) == AAL1)


def _place(session: Session) -> CodePlace:
    return CodePlace(session.id, PURPOSE)


def _audit(
    event: Event, outcome: str, words: str, session: Session, origin: Origin, now: Millis, reason: str = ""
) -> AppendAudit:
    return AppendAudit(
        record=record(
            event,
            outcome,
            at=now,
            origin=origin,
            account_id=session.account_id,
            session_id=session.id,
            client_id=session.client_id,
            method=words,
            reason=reason,
        )
    )


async def _note(reason: str, words: str, session: Session, origin: Origin, world: StepUpWorld) -> None:
    await world.store.apply(_audit(Event.STEP_UP, FAILURE, words, session, origin, world.clock.now(), reason))


async def _telling_of_recovery(
    method: Method, session: Session, account: Account, origin: Origin, now: Millis, world: StepUpWorld
) -> tuple[Change, ...]:
    if method is not Method.RECOVERY_CODE:
        return ()
    left = max(0, await world.store.count_recovery_codes(account.id) - 1)
    return (
        _audit(Event.RECOVERY_CODE_USED, SUCCESS, "", session, origin, now),
        *world.notices.notice(MailKind.RECOVERY_CODE_USED, account, origin, now, left=str(left)),
    )

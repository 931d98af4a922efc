"""Second factor: a sign-in whose password was right gets its second step, and only then a session.

    send_code      find the challenge -> count -> a new code, the older dies -> mail it, or send it as a text message
    second_factor  find the challenge -> count the try -> compare -> spend challenge and code, start the session, last

Who has no second factor and is asked all the same gets a code by mail. Codes by mail that a reset suspended count
again once a second step was passed with something else (`mfa.suspension`). Between the password and this step nothing
is issued. The challenge is bound to its account, app and transport and to the account's `security_version`; five tries
kill it, and a new one does not reset the count of the account.

Spec: NIST SP 800-63B-4 sections 2.2 and 3.2.2; RFC 8176; OWASP ASVS 5.0 rows 6.3.3, 6.5.1, 6.6.2, 6.6.3, 6.7.2.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from sekisho.audit import FAILURE, SUCCESS, Event, record
from sekisho.errors import (
    ClientIdMismatch,
    Refusal,
    SessionNotFound,
    ValidationError,
)
from sekisho.identifiers import parse_client_id
from sekisho.mfa.challenges import MAX_TRIES, Challenges
from sekisho.mfa.letters import CODE_LIFETIME_MS, CodeSender
from sekisho.mfa.methods import (
    SENT,
    Method,
    assurance,
    confirmed,
    methods_to_finish,
    not_available,
    parse_method,
    words_of,
)
from sekisho.mfa.proofs import CodePlace, NotShown, Proofs, Shown, lost_reason, parse_typed, refusal_of
from sekisho.mfa.second_step import SecondSteps
from sekisho.mfa.suspension import reactivating
from sekisho.mfa.trust import NewTrust, Trust
from sekisho.model import Account, AccountStatus, Challenge, Discreet, Millis, Origin, SessionId, Transport
from sekisho.notices import Notices
from sekisho.outbox import MailKind
from sekisho.ports.changes import AppendAudit, Change
from sekisho.ports.clock import Clock
from sekisho.ports.factor_changes import CountChallengeTry, SpendChallenge
from sekisho.ports.storage import Store
from sekisho.sessions import Proof, Sessions, TokenPair
from sekisho.throttle import Throttle, refuse_if_throttled

PURPOSE = "second_factor"
_PASSWORD = ("pwd",)


class SendFactorCode(Discreet, frozen=True):
    challenge: str
    method: str
    seen_from: Origin


class SecondFactor(Discreet, frozen=True):
    """`replaces` is the session that this browser holds until now, if any. `trust_device`: the owner wants not to be
    asked again here; `trusted` is what the device shows already, untrusted, or ""."""

    challenge: str
    method: str
    code: str
    client_id: str
    seen_from: Origin
    replaces: SessionId | None = None
    trust_device: bool = False
    trusted: str = ""


class SecondFactorWorld(Struct, frozen=True, kw_only=True):
    store: Store
    clock: Clock
    challenges: Challenges
    second_steps: SecondSteps
    trust: Trust
    proofs: Proofs
    sender: CodeSender
    throttle: Throttle
    notices: Notices
    sessions: Sessions


async def find_transport(challenge: str, world: SecondFactorWorld) -> Transport:
    """Return the transport that the waiting sign-in was begun with: what the edge must check depends on it.

    Raises:
        SessionNotFound: no such challenge.
    """
    return (await _find(challenge, world)).transport


async def send_code(request: SendFactorCode, world: SecondFactorWorld) -> int:
    """Send a code for a waiting sign-in; return the seconds that it lives. An older code dies.

    Raises:
        ValidationError: no such method, or not one of this account's whose code is sent.
        SessionNotFound: no such challenge, spent, or its time is over.
        FactorUnusable: the server cannot read the phone number.
        RateLimitExceeded: too many mails or text messages: to this address or number, for this account, from this
            network, or of the whole server.
    """
    method = parse_method(request.method)
    challenge = await _find(request.challenge, world)
    now = world.clock.now()
    account = await _owner(challenge, now, world)
    factors = await world.store.list_factors(challenge.account_id)
    if method not in SENT or method not in methods_to_finish(factors, 0):
        raise not_available()
    to = world.sender.recipient(account, method, factors)
    await world.sender.count(to, world.store, request.seen_from.ip, now)
    await world.store.apply(
        *world.sender.sending(to, _place(challenge), now),
        AppendAudit(
            record=record(
                Event.FACTOR_CODE_SENT,
                SUCCESS,
                at=now,
                origin=request.seen_from,
                account_id=account.id,
                client_id=challenge.client_id,
                method=words_of(method),
            )
        ),
    )
    return CODE_LIFETIME_MS // 1000


async def second_factor(request: SecondFactor, world: SecondFactorWorld) -> TokenPair:
    """Finish a sign-in; return the pair of its new session.

    Raises:
        ValidationError: the method, the code or the client_id has no good form, the account has no such method, or it
            may trust no device here.
        SessionNotFound: no such challenge, spent, over, out of tries, or the account changed meanwhile: sign in again.
        ClientIdMismatch: it was begun under another client_id.
        InvalidCode: wrong, used, or not the newest.
        FactorUnusable: the server cannot read the key of the authenticator app.
        FactorLocked: too many wrong codes in a row.
        RateLimitExceeded: too many wrong codes for this account, whatever the challenge.

    Concurrency: of any number of callers with one challenge or one code one starts a session; parallel guesses never
        get more than five tries, because each is counted before it is compared.
    """
    method, client = parse_method(request.method), parse_client_id(request.client_id)
    code = parse_typed(method, request.code)
    challenge = await _find(request.challenge, world)
    await _check_trust(request, challenge, world)
    now = world.clock.now()
    tries = world.throttle.factor_tries(challenge.account_id, request.seen_from.ip, now)
    refuse_if_throttled(await world.store.apply(*tries), now)

    refused = _Refusing(challenge, method, request.seen_from, world)
    counted = await world.store.apply(CountChallengeTry(challenge_id=challenge.id, max_tries=MAX_TRIES, now=now))
    if counted.lost:
        raise await refused.because(counted.lost.why, now)
    refused.tries = counted.results[0]
    if challenge.client_id != client.whole:
        raise await refused.because("wrong_client", now)
    account = await world.store.find_account(challenge.account_id)
    if account is None or not _still_stands(challenge, account):
        raise await refused.because("changed_meanwhile", now)
    factors = await world.store.list_factors(account.id)
    if method is Method.EMAIL and not confirmed(factors):
        shown = await world.proofs.verify_address(code, _place(challenge), now)
    else:
        shown = await world.proofs.verify(account, factors, method, code, _place(challenge), now)
    if isinstance(shown, NotShown):
        raise await refused.because(shown.reason, now, account)

    trust = world.trust.new(account, client, request.seen_from, now, replaces=request.trusted)
    proven = assurance(_PASSWORD, method)
    started = await world.sessions.start(
        account,
        Proof(event=Event.LOGIN, amr=proven.amr, acr=proven.acr),
        client,
        challenge.transport,
        request.seen_from,
        also=(
            SpendChallenge(challenge_id=challenge.id, now=now),
            *shown.spending,
            *reactivating(factors, challenge.client_id, request.seen_from, now),
            *(
                _telling_of_trust(trust, account, challenge, request.seen_from, now, world)
                if request.trust_device
                else ()
            ),
            *await _telling_of_recovery(shown, account, challenge, request.seen_from, now, world),
            *world.throttle.give_back(tries, now),
            *world.throttle.remember_devices(account.email_key or "", request.seen_from, client, now),
        ),
        replaces=request.replaces,
    )
    if isinstance(started, TokenPair):
        if request.trust_device:
            return replace(started, device_token=trust.value, trusted_for_s=world.trust.days * 86_400)
        return started
    reason = started.why if isinstance(started.change, SpendChallenge) else lost_reason(started.change)
    raise await refused.because(reason, now, account)


async def _check_trust(request: SecondFactor, challenge: Challenge, world: SecondFactorWorld) -> None:
    if not request.trust_device:
        return
    account = await world.store.find_account(challenge.account_id)
    if account is None or not await world.second_steps.may_trust(account, parse_client_id(challenge.client_id)):
        raise ValidationError(details={"trust_device": "not_available"}, detail="no device is trusted here")


class _Refusing:
    """Writes the one audit record of a failure and says what to raise. `tries` counts those made at the challenge."""

    def __init__(self, challenge: Challenge, method: Method, origin: Origin, world: SecondFactorWorld) -> None:
        self._challenge = challenge
        self._method = method
        self._origin = origin
        self._world = world
        self.tries = 0

    async def because(self, reason: str, now: Millis, account: Account | None = None) -> Refusal:
        challenge, world = self._challenge, self._world
        failure = record(
            Event.SECOND_FACTOR,
            FAILURE,
            at=now,
            origin=self._origin,
            account_id=challenge.account_id,
            client_id=challenge.client_id,
            method=words_of(self._method),
            reason=reason,
        )
        await world.store.apply(AppendAudit(record=failure), *self._warning(account, now))
        if reason == "wrong_client":
            return ClientIdMismatch(detail="challenge of another client_id")
        if reason in ("challenge_gone", "challenge_dead", "changed_meanwhile"):
            return SessionNotFound(detail=reason)
        return refusal_of(reason)

    def _warning(self, account: Account | None, now: Millis) -> tuple[Change, ...]:
        """Somebody who knows the password has used up every try: the owner must hear of it, once a challenge."""
        if account is None or self.tries < MAX_TRIES:
            return ()
        return self._world.notices.notice(MailKind.FACTOR_GUESSED, account, self._origin, now)


async def _find(value: str, world: SecondFactorWorld) -> Challenge:
    challenge_id = world.challenges.find_id(value)
    challenge = await world.store.find_challenge(challenge_id) if challenge_id else None
    if challenge is None:
        raise SessionNotFound(detail="no such challenge")
    return challenge


async def _owner(challenge: Challenge, now: Millis, world: SecondFactorWorld) -> Account:
    account = await world.store.find_account(challenge.account_id)
    is_over = challenge.used_at is not None or challenge.expires_at <= now
    if account is None or is_over or not _still_stands(challenge, account):
        raise SessionNotFound(detail="challenge_gone")
    return account


def _still_stands(challenge: Challenge, account: Account) -> bool:
    return account.status is AccountStatus.ACTIVE and account.security_version == challenge.security_version


def _place(challenge: Challenge) -> CodePlace:
    return CodePlace(challenge.id, PURPOSE)


def _telling_of_trust(
    trust: NewTrust, account: Account, challenge: Challenge, origin: Origin, now: Millis, world: SecondFactorWorld
) -> tuple[Change, ...]:
    """From now on the password is enough there: the owner is told."""
    return (
        trust.trusting,
        AppendAudit(
            record=record(
                Event.DEVICE_TRUSTED,
                SUCCESS,
                at=now,
                origin=origin,
                account_id=account.id,
                client_id=challenge.client_id,
                subject=trust.trusting.device.id,
            )
        ),
        *world.notices.notice(MailKind.DEVICE_TRUSTED, account, origin, now, days=str(world.trust.days)),
    )


async def _telling_of_recovery(
    shown: Shown, account: Account, challenge: Challenge, origin: Origin, now: Millis, world: SecondFactorWorld
) -> tuple[Change, ...]:
    """A recovery code is used seldom, and by a thief perhaps: the owner is told, and how many are left."""
    if shown.method is not Method.RECOVERY_CODE:
        return ()
    left = max(0, await world.store.count_recovery_codes(account.id) - 1)
    return (
        AppendAudit(
            record=record(
                Event.RECOVERY_CODE_USED,
                SUCCESS,
                at=now,
                origin=origin,
                account_id=account.id,
                client_id=challenge.client_id,
            )
        ),
        *world.notices.notice(MailKind.RECOVERY_CODE_USED, account, origin, now, left=str(left)),
    )

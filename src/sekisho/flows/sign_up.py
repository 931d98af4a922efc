"""Sign-up: an address and a password become an account once the mailed code comes back.

    send_code    check policy -> count -> breached? -> hash -> pending sign-up with a code -> mail it
    resend_code  count -> find the pending sign-up -> a new code, the older dies -> mail it
    verify_code  count the try -> find the pending sign-up -> compare -> account and session in one commit

Whatever a call writes, it counts first, in a commit of its own: no refusal undoes the count that bounds it.

An address that has an account already gets a *decoy*: it answers every further call alike, its code
is never right, and the owner of the address is told by mail. So nobody learns who has an account.

Spec: NIST SP 800-63B-4 section 3.1.3 (codes); OWASP ASVS 5.0 rows 6.3.8, 6.5.1, 6.6.2, 6.6.3.
"""

from __future__ import annotations

from msgspec import Struct

from sekisho.audit import Event, record
from sekisho.errors import (
    ClientIdMismatch,
    EmailAlreadyExists,
    InvalidCode,
    Refusal,
    SessionNotFound,
    ValidationError,
)
from sekisho.identifiers import ClientId, EmailAddress, parse_client_id, parse_email
from sekisho.ids import could_be_ours, new_account_id, new_handle
from sekisho.model import Account, Discreet, Millis, Origin, PendingSignUp, SessionId, Transport
from sekisho.one_time_codes import OneTimeCodes, parse_code
from sekisho.outbox import MailKind, Outbox
from sekisho.passwords.hashing import HashPool
from sekisho.passwords.policy import PasswordPolicy
from sekisho.passwords.screening import Screening
from sekisho.ports.changes import (
    AddAccount,
    AddPendingSignUp,
    AppendAudit,
    ConsumeCode,
    CountCodeTry,
    CountTry,
    OneTimeCode,
    QueueMail,
    ReplaceCode,
    SpoilSignUps,
)
from sekisho.ports.clock import Clock
from sekisho.ports.storage import Lost, Store
from sekisho.sessions import Proof, Sessions, TokenPair
from sekisho.throttle import Throttle, refuse_if_throttled

PURPOSE = "sign_up"
LIFETIME_MS = 15 * 60_000


class SendCode(Discreet, frozen=True):
    email: str
    password: str
    client_id: str
    locale: str
    seen_from: Origin


class ResendCode(Struct, frozen=True):
    email: str
    client_id: str
    pending: str | None
    seen_from: Origin


class VerifyCode(Discreet, frozen=True):
    """`replaces` is the session that this browser holds until now, if any."""

    email: str
    code: str
    client_id: str
    pending: str | None
    transport: Transport
    seen_from: Origin
    replaces: SessionId | None = None


class CodeSent(Struct, frozen=True):
    """`pending` is the handle of this sign-up; `expires_in` counts seconds."""

    email: str
    pending: str
    expires_in: int = LIFETIME_MS // 1000


class SignUpWorld(Struct, frozen=True, kw_only=True):
    store: Store
    clock: Clock
    passwords: HashPool
    policy: PasswordPolicy
    screening: Screening
    codes: OneTimeCodes
    throttle: Throttle
    outbox: Outbox
    sessions: Sessions
    reveal_existing: bool


async def send_code(request: SendCode, world: SignUpWorld) -> CodeSent:
    """Open a pending sign-up of its own and mail its code.

    Raises:
        ValidationError: the address, the client_id or the password (policy, breached) is not acceptable. A breached one
            counts as one of the network's mails, not of the address's.
        RateLimitExceeded: too many mails to this address or from this network.
        EmailAlreadyExists: only where `signup.reveal_existing` is set.
        ServiceUnavailable: the hash pool is full.
    """
    email, client = parse_email(request.email), parse_client_id(request.client_id)
    world.policy.check(request.password, email=email.address)
    now = world.clock.now()
    sends = await _count_send(email, request.seen_from, now, world)

    existing = await world.store.find_account_by_email(email.key)
    if existing and world.reveal_existing:
        raise EmailAlreadyExists(detail="account exists and settings allow to say so")
    # Asked and hashed for a decoy too: the answer must cost the same.
    async with world.throttle.paying(sends, world.store, now):
        try:
            await world.screening.screen(request.password)
        except ValidationError:
            await world.store.apply(*world.throttle.give_back_sends(sends, now))
            raise
        password_hash = await world.passwords.hash(request.password)

    pending = PendingSignUp(
        id=new_handle(),
        # A decoy's letters go to the owner as the owner wrote the address, not to another spelling of it.
        email=existing.email if existing else email.address,
        email_key=email.key,
        client_id=client.whole,
        locale=existing.locale if existing else request.locale,
        password_hash=password_hash,
        is_decoy=existing is not None,
        created_at=now,
        expires_at=now + LIFETIME_MS,
    )
    code_hash, letters = _new_code(pending, now, world)
    await world.store.apply(
        AddPendingSignUp(
            pending=pending,
            code=OneTimeCode(id=pending.id, purpose=PURPOSE, code_hash=code_hash, expires_at=pending.expires_at),
        ),
        _audit(Event.SIGN_UP_CODE_SENT, "success", email, client, request.seen_from, now, world),
        *letters,
    )
    return CodeSent(email.address, pending.id)


async def resend_code(request: ResendCode, world: SignUpWorld) -> CodeSent:
    """Mail a new code for a pending sign-up; the older one dies and the 15 minutes start again.

    Raises:
        ValidationError: the address or the client_id has no good form.
        SessionNotFound: no pending sign-up, or its time is over.
        ClientIdMismatch: it was opened under another client_id.
        RateLimitExceeded: as for `send_code`.
    """
    email, client = parse_email(request.email), parse_client_id(request.client_id)
    now = world.clock.now()
    await _count_send(email, request.seen_from, now, world)
    pending = await _find_pending(email, client, request.pending, now, world)
    if isinstance(pending, _NotFound):
        raise pending.refusal

    code_hash, letters = _new_code(pending, now, world)
    outcome = await world.store.apply(
        ReplaceCode(id=pending.id, purpose=PURPOSE, code_hash=code_hash, expires_at=now + LIFETIME_MS, now=now),
        _audit(Event.SIGN_UP_CODE_RESENT, "success", email, client, request.seen_from, now, world),
        *letters,
    )
    if outcome.lost:
        raise SessionNotFound(detail=outcome.lost.why)
    return CodeSent(email.address, pending.id)


async def verify_code(request: VerifyCode, world: SignUpWorld) -> TokenPair:
    """Spend the code; the account and its first session exist when this returns.

    Raises:
        ValidationError: a field has no good form.
        SessionNotFound: no pending sign-up, or its time is over, or it is used.
        ClientIdMismatch: it was opened under another client_id.
        InvalidCode: wrong, replaced, or five tries were made; also every code of a decoy.
        RateLimitExceeded: too many wrong codes for this address today, or from this network.

    Concurrency: of parallel right codes one makes the account; parallel guesses never get more than
        five tries, because each is counted before it is compared.
    """
    email, client = parse_email(request.email), parse_client_id(request.client_id)
    code = parse_code(request.code)
    now = world.clock.now()
    tries = world.throttle.code_tries(email.key, request.seen_from.ip, now)
    refuse_if_throttled(await world.store.apply(*tries), now)

    pending = await _find_pending(email, client, request.pending, now, world)
    if isinstance(pending, _NotFound):
        await _note_failure(pending.reason, email, client, request.seen_from, now, world)
        raise pending.refusal
    stored_hash = await _count_try(pending, email, client, request.seen_from, now, world)
    code_hash = world.codes.hash(PURPOSE, pending.id, code)
    if pending.is_decoy or not world.codes.same(stored_hash, code_hash):
        reason = "decoy" if pending.is_decoy else "wrong_code"
        await _note_failure(reason, email, client, request.seen_from, now, world)
        raise InvalidCode(detail=reason)

    account = _new_account(pending, now)
    started = await world.sessions.start(
        account,
        Proof(event=Event.SIGN_UP, amr=("pwd", "otp")),
        client,
        request.transport,
        request.seen_from,
        also=(
            ConsumeCode(id=pending.id, purpose=PURPOSE, code_hash=code_hash, now=now),
            AddAccount(account=account),
            SpoilSignUps(email_key=email.key, except_id=pending.id, code_hash=world.codes.hash_of_nothing()),
            *world.throttle.remember_devices(email.key, request.seen_from, client, now),
            *world.throttle.give_back(tries, now),
        ),
        replaces=request.replaces,
    )
    if isinstance(started, TokenPair):
        return started
    await _note_failure(started.why, email, client, request.seen_from, now, world)
    raise await _refusal_of_lost(started, pending, world)


class _NotFound(Struct, frozen=True):
    """Why there is no sign-up to go on with: the audit's word, and what to raise."""

    reason: str
    refusal: Refusal


async def _count_send(email: EmailAddress, origin: Origin, now: Millis, world: SignUpWorld) -> tuple[CountTry, ...]:
    sends = world.throttle.code_sends(email.key, origin.ip, now)
    refuse_if_throttled(await world.store.apply(*sends), now)
    return sends


async def _find_pending(
    email: EmailAddress, client: ClientId, handle: str | None, now: Millis, world: SignUpWorld
) -> PendingSignUp | _NotFound:
    """Return the sign-up meant: the one named by `handle`, else the newest of this address and client."""
    # A withdrawal puts the keyed hash in the place of the address. What is found by it is older than the rest.
    keys = (email.key, world.throttle.identifier_tag(email.key))
    if handle is None:
        candidates = [found for key in keys for found in await world.store.list_pending_sign_ups(key)]
    else:
        named = await world.store.find_pending_sign_up(handle) if could_be_ours(handle) else None
        candidates = [named] if named and named.email_key in keys else []
    alive = [pending for pending in candidates if pending.expires_at > now]
    if not alive:
        return _NotFound("no_sign_up", SessionNotFound(detail="no pending sign-up"))
    for pending in alive:
        if pending.client_id == client.whole:
            return pending
    return _NotFound("wrong_client", ClientIdMismatch(detail="pending sign-up of another client_id"))


def _new_code(pending: PendingSignUp, now: Millis, world: SignUpWorld) -> tuple[bytes, tuple[QueueMail, ...]]:
    """Return the hash to store and the letter to send; a decoy gets a hash that no code matches and a notice,
    unless its address has withdrawn."""
    if pending.is_decoy and not pending.email:
        return world.codes.hash_of_nothing(), ()
    if pending.is_decoy:
        notice = world.outbox.letter(MailKind.SIGN_UP_EXISTING, to=pending.email, locale=pending.locale, now=now)
        return world.codes.hash_of_nothing(), (notice,)
    code = world.codes.new()
    letter = world.outbox.letter(
        MailKind.SIGN_UP_CODE,
        to=pending.email,
        locale=pending.locale,
        now=now,
        expires_at=now + LIFETIME_MS,
        code=code,
        minutes=str(LIFETIME_MS // 60_000),
    )
    return world.codes.hash(PURPOSE, pending.id, code), (letter,)


async def _count_try(
    pending: PendingSignUp, email: EmailAddress, client: ClientId, origin: Origin, now: Millis, world: SignUpWorld
) -> bytes:
    """Count this try against its code before the comparison; return the stored hash."""
    max_tries = world.throttle.limits.code_tries_per_code
    outcome = await world.store.apply(CountCodeTry(id=pending.id, purpose=PURPOSE, max_tries=max_tries, now=now))
    if outcome.lost is None:
        return bytes(outcome.results[0])
    await _note_failure(outcome.lost.why, email, client, origin, now, world)
    if outcome.lost.why == "code_dead":
        raise InvalidCode(detail="code_dead")
    raise SessionNotFound(detail=outcome.lost.why)


async def _refusal_of_lost(lost: Lost, pending: PendingSignUp, world: SignUpWorld) -> Refusal:
    """The code was right, but somebody else was first. An address that got its account in the
    meantime answers like a decoy, a code replaced in the meantime like a wrong one; a code used in
    the meantime is a sign-up that is over."""
    unused = await world.store.list_pending_sign_ups(pending.email_key)
    if all(other.id != pending.id for other in unused):
        return SessionNotFound(detail=lost.why)
    return InvalidCode(detail=lost.why)


def _new_account(pending: PendingSignUp, now: Millis) -> Account:
    return Account(
        id=new_account_id(),
        email=pending.email,
        email_key=pending.email_key,
        locale=pending.locale,
        password_hash=pending.password_hash,
        created_at=now,
    )


def _audit(
    event: Event,
    outcome: str,
    email: EmailAddress,
    client: ClientId,
    origin: Origin,
    now: Millis,
    world: SignUpWorld,
    reason: str = "",
) -> AppendAudit:
    return AppendAudit(
        record=record(
            event,
            outcome,
            at=now,
            origin=origin,
            client_id=client.whole,
            reason=reason,
            identifier_tag=world.throttle.identifier_tag(email.key),
        )
    )


async def _note_failure(
    reason: str, email: EmailAddress, client: ClientId, origin: Origin, now: Millis, world: SignUpWorld
) -> None:
    await world.store.apply(_audit(Event.SIGN_UP, "failure", email, client, origin, now, world, reason))

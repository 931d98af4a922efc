"""Login: an address and a password become a session.

    count the try -> find the account -> verify (always one hash) -> unusual? note, mail, ask or refuse
                                                                 -> second step, device not trusted? open a challenge
                                                                 -> else start the session, last

Of whom a second step is asked (`mfa.second_step` decides) gets a challenge and nothing else: `second_factor` goes on
from there.

Unknown account, wrong password, disabled account and account without a password: one answer, the
same work. What the flow read is guarded by `security_version`: a login that was hashing while the password
changed starts nothing.

Spec: OWASP ASVS 5.0 rows 6.3.1 and 6.3.8; NIST SP 800-63B-4 section 3.2.2 (throttling).
"""

from __future__ import annotations

import structlog
from msgspec import Struct
from msgspec.structs import replace

from sekisho.anomalies import Anomalies, Judgement
from sekisho.audit import Event, record
from sekisho.errors import InvalidCredentials, Refusal
from sekisho.identifiers import ClientId, EmailAddress, parse_client_id, parse_email
from sekisho.mfa.challenges import Challenges, SecondFactorRequired
from sekisho.mfa.second_step import FirstStep, SecondStep, SecondSteps
from sekisho.model import Account, AccountId, AccountStatus, Discreet, Millis, Origin, SessionId, Transport
from sekisho.notices import Notices
from sekisho.outbox import MailKind
from sekisho.passwords.hashing import HashPool
from sekisho.ports.changes import AppendAudit, Change, CountTry, ReplacePasswordHash
from sekisho.ports.clock import Clock
from sekisho.ports.storage import Lost, Store, StoreUnavailable
from sekisho.sessions import Proof, Sessions, TokenPair
from sekisho.throttle import Throttle, refuse_if_throttled

log = structlog.get_logger("sekisho.login")


class Login(Discreet, frozen=True):
    """`replaces` is the session that this browser holds until now, if any; `trusted` the value of a trusted device that
    came along, untrusted, or ""."""

    email: str
    password: str
    client_id: str
    transport: Transport
    seen_from: Origin
    replaces: SessionId | None = None
    trusted: str = ""


class LoginWorld(Struct, frozen=True, kw_only=True):
    store: Store
    clock: Clock
    passwords: HashPool
    throttle: Throttle
    sessions: Sessions
    second_steps: SecondSteps
    challenges: Challenges
    anomalies: Anomalies
    notices: Notices


async def login(request: Login, world: LoginWorld) -> TokenPair | SecondFactorRequired:
    """Return the pair of a new session, or what stands between the person and it.

    Raises:
        ValidationError: the address or the client_id has no good form.
        InvalidCredentials: everything that is wrong with address or password; hides which.
        RateLimitExceeded: too many failures for this address here, from this network, or (slowed
            down, unless this device signed in before) from everywhere.
        ServiceUnavailable: the hash pool is full.
    """
    email, client = parse_email(request.email), parse_client_id(request.client_id)
    tries = await _count_try(email, client, request.seen_from, world)

    account = await world.store.find_account_by_email(email.key)
    usable_hash = account.password_hash if account and account.status is AccountStatus.ACTIVE else None
    async with world.throttle.paying(tries, world.store, world.clock.now()):
        matches = await world.passwords.verify(request.password, usable_hash)
    # Judged in any case: a sign-in that is refused for being unusual costs what a wrong password costs.
    now = world.clock.now()
    judged = await world.anomalies.judge(AccountId(account.id if account else ""), request.seen_from, now, world.store)
    if account is None or not matches:
        raise await _refusal(_why(account), email, client, account, request.seen_from, world)
    unusual = _unusual(judged, account, client, request.seen_from, now, world)
    if judged.is_refused:
        world.anomalies.count(judged)
        raise await _refusal("too_unusual", email, client, account, request.seen_from, world, also=unusual)
    world.anomalies.count(judged)
    first = FirstStep(account=account, client=client, now=now, trusted=request.trusted, is_unusual=judged.is_asked)
    step = await world.second_steps.ask(first)
    also = (*world.throttle.give_back(tries, now), *unusual)
    if not step.methods:
        started = await _start(account, client, step, also, request, world)
        if isinstance(started, TokenPair):
            await _rehash_if_weak(account, request.password, world)
            return started
        if started.change not in step.using:
            raise await _refusal("changed_meanwhile", email, client, account, request.seen_from, world)
        # The trust in this device was taken back meanwhile.
        step = await world.second_steps.ask(replace(first, trusted=""))
    return await _ask_second_factor(account, step, client, also, request, world)


async def _start(
    account: Account,
    client: ClientId,
    step: SecondStep,
    also: tuple[Change, ...],
    request: Login,
    world: LoginWorld,
) -> TokenPair | Lost:
    """Start the session. A device that spared its owner the second step has a line of its own."""
    now, origin = world.clock.now(), request.seen_from
    spared = record(
        Event.TRUSTED_DEVICE_USED,
        "success",
        at=now,
        origin=origin,
        account_id=account.id,
        client_id=client.whole,
        subject=step.trusted,
    )
    return await world.sessions.start(
        account,
        Proof(event=Event.LOGIN, amr=("pwd",)),
        client,
        request.transport,
        origin,
        also=(
            *also,
            *step.using,
            *([AppendAudit(record=spared)] if step.trusted else []),
            *world.throttle.remember_devices(account.email_key or "", origin, client, now),
        ),
        replaces=request.replaces,
    )


def _unusual(
    judged: Judgement, account: Account, client: ClientId, origin: Origin, now: Millis, world: LoginWorld
) -> tuple[Change, ...]:
    """Return what is written about an unusual sign-in: a line for each reason, and a letter to the owner."""
    lines = tuple(
        AppendAudit(
            record=record(
                Event.SIGN_IN_UNUSUAL,
                "success",
                at=now,
                origin=origin,
                account_id=account.id,
                client_id=client.whole,
                reason=reason,
            )
        )
        for reason in judged.reasons
        if judged.is_noted
    )
    if not judged.is_mailed:
        return lines
    letter = world.notices.notice(MailKind.SIGN_IN_UNUSUAL, account, origin, now, reasons=" ".join(judged.reasons))
    return (*lines, *letter)


async def _ask_second_factor(
    account: Account,
    step: SecondStep,
    client: ClientId,
    also: tuple[Change, ...],
    request: Login,
    world: LoginWorld,
) -> SecondFactorRequired:
    """Open a challenge. The device is not known by this yet: half a sign-in proves too little."""
    now = world.clock.now()
    challenge = world.challenges.new(account, client, request.transport, now)
    asked = record(
        Event.SECOND_FACTOR_ASKED,
        "success",
        at=now,
        origin=request.seen_from,
        account_id=account.id,
        client_id=client.whole,
        method="pwd",
    )
    outcome = await world.store.apply(challenge.opening, *also, AppendAudit(record=asked))
    if outcome.lost:
        raise await _refusal("changed_meanwhile", parse_email(request.email), client, account, request.seen_from, world)
    await _rehash_if_weak(account, request.password, world)
    return SecondFactorRequired(challenge.value, step.methods, trust_days=step.trust_days, suspended=step.suspended)


async def _count_try(email: EmailAddress, client: ClientId, origin: Origin, world: LoginWorld) -> tuple[CountTry, ...]:
    now = world.clock.now()
    known = await world.throttle.is_known_device(world.store, email.key, origin, client)
    tries = world.throttle.login_tries(email.key, origin.ip, now, known_device=known)
    refuse_if_throttled(await world.store.apply(*tries), now)
    return tries


def _why(account: Account | None) -> str:
    if account is None:
        return "unknown_account"
    if account.status is not AccountStatus.ACTIVE:
        return "account_disabled"
    return "wrong_password" if account.password_hash else "no_password"


async def _refusal(
    reason: str,
    email: EmailAddress,
    client: ClientId,
    account: Account | None,
    origin: Origin,
    world: LoginWorld,
    *,
    also: tuple[Change, ...] = (),
) -> InvalidCredentials:
    """Write the one audit record of this failure and return what to raise.

    An account that withdrew while the password was hashed leaves no new trace of its person.
    """
    now: Millis = world.clock.now()
    # Looked for in any case: each failure costs the same.
    owner = await world.store.find_account_by_email(email.key)
    if account is not None and (owner is None or owner.id != account.id):
        account, origin = None, Origin()
    tag = world.throttle.identifier_tag(email.key)
    begun = world.anomalies.failed(origin, tag, now)
    failure = record(
        Event.LOGIN,
        "failure",
        at=now,
        origin=origin,
        account_id=account.id if account else "",
        client_id=client.whole,
        method="pwd",
        reason=reason,
        identifier_tag=tag,
    )
    attacks = (
        AppendAudit(record=record(Event.ATTACK_SEEN, "success", at=now, origin=origin, actor="system", reason=reason))
        for reason in begun
    )
    await world.store.apply(AppendAudit(record=failure), *attacks, *also)
    return InvalidCredentials(detail=reason)


async def _rehash_if_weak(account: Account, password: str, world: LoginWorld) -> None:
    """Store a hash with today's parameters. The person is signed in already: whatever stands in the way (a busy
    pool, a password that does not fit the new algorithm, a password changed just now) waits for another login."""
    old_hash = account.password_hash
    if old_hash is None or not world.passwords.needs_rehash(old_hash):
        return
    try:
        new_hash = await world.passwords.hash(password)
        await world.store.apply(ReplacePasswordHash(account_id=account.id, old_hash=old_hash, new_hash=new_hash))
    except (Refusal, StoreUnavailable) as error:
        log.info("rehash_postponed", account_id=account.id, why=type(error).__name__)

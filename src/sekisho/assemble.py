"""Assemble: the one module that wires everything.

parts         what stands on the settings alone: keys of the master secret, limits, texts
running       parts + an open store + background tasks = the edge, ready to serve
application   `running` as an ASGI application with a lifespan
operator      parts + an open store, for the operator's commands
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from ipaddress import ip_network
from typing import Any

import structlog
from msgspec import Struct
from prometheus_client import start_http_server

from sekisho.admin.world import OperatorWorld
from sekisho.delivery.letters import Letter, render
from sekisho.delivery.mailbox import Mailbox
from sekisho.delivery.smtp import SmtpSender, SmtpSettings
from sekisho.delivery.worker import OutboxWorker
from sekisho.devices import DeviceReader
from sekisho.flows.authenticate import AuthenticateWorld
from sekisho.flows.login import LoginWorld
from sekisho.flows.logout import LogoutWorld
from sekisho.flows.profile import ProfileWorld
from sekisho.flows.refresh import RefreshWorld
from sekisho.flows.session_list import SessionListWorld
from sekisho.flows.sign_up import SignUpWorld
from sekisho.flows.withdrawal import WithdrawalWorld
from sekisho.http.app import Application, Receive, Scope, Send
from sekisho.http.csrf_values import Csrf
from sekisho.http.edge import CaughtMail, Edge, EdgeSettings
from sekisho.http.metrics import Metrics
from sekisho.master_secret import MasterSecret
from sekisho.model import Mail, Millis
from sekisho.one_time_codes import OneTimeCodes
from sekisho.outbox import Outbox
from sekisho.passwords.hashing import HashPool
from sekisho.passwords.parameters import PROFILES
from sekisho.passwords.policy import PasswordPolicy
from sekisho.places import Places
from sekisho.ports.changes import SetMeta
from sekisho.ports.clock import Clock
from sekisho.ports.mail import MailSender
from sekisho.ports.storage import Committed, Store
from sekisho.revocations import Revocations, follow
from sekisho.sessions import Lifetimes, Sessions, SessionTools
from sekisho.settings import Settings
from sekisho.storage.sqlite import SqliteStore
from sekisho.storage.sqlite.connections import Durability
from sekisho.throttle import Limits, Throttle
from sekisho.tokens.access_token import AccessTokens
from sekisho.tokens.refresh_token import RefreshTokens
from sekisho.tokens.session_cookie import SessionCookies
from sekisho.tokens.signing_keys import KeyRing, ensure_keys
from sekisho.upkeep import DAY_MS, UpkeepPlan, keep_up

log = structlog.get_logger("sekisho")

# An access token may be accepted this long after its end by a verifier whose clock is behind.
CLOCK_SKEW_MS = 60_000
MAILBOX_SETTLE_S = 2.0
COUNTS_EVERY_S = 15


class WrongMasterSecret(Exception):
    """The database was made with another master secret. The text is for the operator."""

    def __init__(self) -> None:
        super().__init__(
            "SEKISHO_SECRET is not the master secret that this database was made with: its keys and tokens cannot be "
            "opened. Set the original secret (in dev it is in .sekisho/secret), or point SEKISHO_DATABASE_URL to "
            "another file."
        )


class SystemClock:
    def now(self) -> Millis:
        return time.time_ns() // 1_000_000


class Parts(Struct, frozen=True, kw_only=True):
    """What stands on the settings alone. Closing the hash pool is the owner's business."""

    settings: Settings
    clock: Clock
    master: MasterSecret
    passwords: HashPool
    policy: PasswordPolicy
    throttle: Throttle
    outbox: Outbox
    access_ms: int

    @property
    def journal_ms(self) -> int:
        return self.access_ms + CLOCK_SKEW_MS


def parts(settings: Settings, clock: Clock | None = None) -> Parts:
    """Return the parts for these settings."""
    master = MasterSecret(settings.master_secret)
    return Parts(
        settings=settings,
        clock=clock or SystemClock(),
        master=master,
        passwords=HashPool(
            PROFILES[settings.password.hash], threads=settings.password.threads, max_waiting=settings.password.queue
        ),
        policy=PasswordPolicy(settings.password.profile, (settings.product_name, "sekisho")),
        throttle=Throttle(master, _limits(settings)),
        outbox=Outbox(master),
        access_ms=settings.jwt.access_minutes * 60_000,
    )


async def open_store(settings: Settings, master: MasterSecret, durability: Durability = "full") -> Store:
    """Return the open store of these settings. `durability` "off" is for tests only.

    Raises:
        StoreCannotOpen: with what to do.
        WrongMasterSecret: the database was made with another one; nothing is created in it.
    """
    store = await SqliteStore.open(settings.database_path, durability=durability)
    check = master.fingerprint()
    if (await store.apply(SetMeta(name="master_secret_check", value=check))).results[0] != check:
        await store.close()
        raise WrongMasterSecret
    return store


@asynccontextmanager
async def operator(settings: Settings) -> AsyncIterator[OperatorWorld]:
    """Give the operator's commands what they need, for as long as the block runs."""
    have = parts(settings)
    try:
        store = await open_store(settings, have.master)
        try:
            yield OperatorWorld(
                store=store,
                clock=have.clock,
                master=have.master,
                passwords=have.passwords,
                policy=have.policy,
                throttle=have.throttle,
                outbox=have.outbox,
                journal_ms=have.journal_ms,
                signing_algorithm=settings.jwt.algorithm,
                verify_for_ms=have.journal_ms,
            )
        finally:
            await store.close()
    finally:
        have.passwords.close()


@asynccontextmanager
async def running(
    settings: Settings, clock: Clock | None = None, durability: Durability = "full"
) -> AsyncIterator[Edge]:
    """Open everything, keep the background tasks going, and yield the edge; close in reverse order.

    A clock that stands still and `durability` "off" are for tests.
    """
    async with AsyncExitStack() as stack:
        have = parts(settings, clock)
        stack.callback(have.passwords.close)
        store = await open_store(settings, have.master, durability)
        stack.push_async_callback(store.close)

        revocations = Revocations()
        await revocations.load(store)
        keys = await _key_ring(have, store)
        mailbox = Mailbox(_renderer(settings), have.clock) if settings.mode == "dev" else None
        worker = OutboxWorker(store, have.outbox.open, mailbox or _smtp(settings, have.clock), have.clock)
        store.subscribe(partial(_on_commit, revocations, worker))

        async def reload_keys() -> None:
            keys.load(await store.list_signing_keys(), have.clock.now())

        edge = _edge(have, store, keys, revocations, _mailbox_reader(mailbox, worker))
        background: list[Coroutine[Any, Any, None]] = [
            worker.run(),
            follow(store, revocations, reload_keys, report=_report_follow),
            keep_up(store, have.clock, have.master, revocations, _upkeep_plan(settings, have), reload_keys),
        ]
        if settings.metrics_port is not None:
            server, _ = start_http_server(settings.metrics_port, "127.0.0.1", edge.metrics.registry)
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            background.append(_refresh_counts(edge))
        tasks = [asyncio.create_task(_guarded(task)) for task in background]
        stack.push_async_callback(_stop, tasks)
        yield edge


class Served:
    """`running` as an ASGI application: the lifespan opens and closes everything behind it.

    Mounted inside another application, whose server does not run the lifespan of what it mounts, use
    `async with running(settings) as edge` in the outer lifespan and mount `Application(edge)`.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._application: Application | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif self._application is not None:
            await self._application(scope, receive, send)
        else:
            raise RuntimeError("the lifespan has not run: serve with lifespan on, or see sekisho.assemble.Served")

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        async with running(self._settings) as edge:
            self._application = Application(edge)
            await send({"type": "lifespan.startup.complete"})
            await receive()
            self._application = None
        await send({"type": "lifespan.shutdown.complete"})


def application(settings: Settings) -> Served:
    """Return the whole server as one ASGI application with a lifespan."""
    return Served(settings)


def _edge(
    have: Parts,
    store: Store,
    keys: KeyRing,
    revocations: Revocations,
    mailbox: Callable[[], Coroutine[Any, Any, list[CaughtMail]]] | None,
) -> Edge:
    settings, clock = have.settings, have.clock
    access_tokens = AccessTokens(
        keys,
        revocations,
        issuer=settings.public_url,
        audience=settings.audience or settings.public_url,
        lifetime_s=have.access_ms // 1000,
        extra_claims=frozenset(settings.jwt.claims),
    )
    refresh_tokens, session_cookies = RefreshTokens(have.master), SessionCookies(have.master)
    sessions = Sessions(
        SessionTools(
            store=store,
            clock=clock,
            refresh_tokens=refresh_tokens,
            session_cookies=session_cookies,
            access_tokens=access_tokens,
            devices=DeviceReader(),
            places=Places(settings.places_file),
            outbox=have.outbox,
            lifetimes=_lifetimes(settings, have.journal_ms),
        )
    )

    async def is_ready() -> bool:
        return await store.find_meta("master_secret_check") is not None and bool(keys.active)

    return Edge(
        settings=_edge_settings(settings),
        csrf=Csrf(have.master, cookie_name=settings.csrf.cookie_name, header_name=settings.csrf.header_name),
        metrics=Metrics(),
        authenticate=AuthenticateWorld(
            store=store,
            clock=clock,
            access_tokens=access_tokens,
            session_cookies=session_cookies,
            sessions=sessions,
        ),
        sign_up=SignUpWorld(
            store=store,
            clock=clock,
            passwords=have.passwords,
            policy=have.policy,
            codes=OneTimeCodes(have.master),
            throttle=have.throttle,
            outbox=have.outbox,
            sessions=sessions,
            reveal_existing=settings.signup.reveal_existing,
        ),
        login=LoginWorld(store=store, clock=clock, passwords=have.passwords, throttle=have.throttle, sessions=sessions),
        refresh=RefreshWorld(clock=clock, refresh_tokens=refresh_tokens, sessions=sessions),
        logout=LogoutWorld(
            store=store,
            clock=clock,
            sessions=sessions,
            refresh_tokens=refresh_tokens,
            session_cookies=session_cookies,
        ),
        session_list=SessionListWorld(store=store, clock=clock, sessions=sessions),
        profile=ProfileWorld(store=store, clock=clock),
        withdrawal=WithdrawalWorld(
            store=store,
            clock=clock,
            passwords=have.passwords,
            throttle=have.throttle,
            outbox=have.outbox,
            sessions=sessions,
        ),
        jwks=keys.jwks,
        is_ready=is_ready,
        counts=store.counts,
        mailbox=mailbox,
    )


def _limits(settings: Settings) -> Limits:
    limits = settings.limits
    return Limits(
        login_failures_per_identifier_and_network=limits.login_failures,
        login_failures_per_network=limits.login_network_failures,
        login_window_seconds=limits.login_minutes * 60,
        login_failures_per_identifier_a_day=limits.login_failures_per_day,
        code_sends_per_address=limits.code_sends,
        code_sends_per_address_a_day=limits.code_sends_per_day,
        code_sends_per_network=limits.code_network_sends,
        code_sends_window_seconds=limits.code_minutes * 60,
        code_tries_per_code=limits.code_tries,
        wrong_codes_per_address_a_day=limits.code_failures_per_day,
    )


def _lifetimes(settings: Settings, journal_ms: int) -> Lifetimes:
    return Lifetimes(
        idle_ms=settings.session.idle_days * DAY_MS,
        absolute_ms=settings.session.absolute_days * DAY_MS,
        grace_ms=settings.session.grace_seconds * 1000,
        journal_ms=journal_ms,
        max_sessions=settings.session.max_per_account,
    )


def _edge_settings(settings: Settings) -> EdgeSettings:
    return EdgeSettings(
        public_origin="/".join(settings.public_url.split("/")[:3]),
        allowed_origins=frozenset(settings.allowed_origins),
        any_localhost=settings.mode == "dev",
        trusted_proxies=tuple(ip_network(network) for network in settings.trusted_proxies),
        metrics_on_main_port=settings.metrics == "loopback",
    )


def _upkeep_plan(settings: Settings, have: Parts) -> UpkeepPlan:
    rotates = settings.jwt.algorithm != "HS256"
    return UpkeepPlan(
        signing_algorithm=settings.jwt.algorithm,
        rotate_after_ms=settings.jwt.rotate_days * DAY_MS if rotates else None,
        verify_for_ms=have.journal_ms,
    )


async def _key_ring(have: Parts, store: Store) -> KeyRing:
    jwt = have.settings.jwt
    if jwt.algorithm == "HS256":
        assert jwt.secret_key is not None, "the settings demand a key for HS256"
        return KeyRing.symmetric(jwt.secret_key.get_secret_value().encode())
    ring, now = KeyRing(have.master), have.clock.now()
    ring.load(await ensure_keys(store, have.master, jwt.algorithm, now), now)
    return ring


def _renderer(settings: Settings) -> Callable[[Mail], Letter]:
    return partial(render, product_name=settings.product_name, public_url=settings.public_url)


def _smtp(settings: Settings, clock: Clock) -> MailSender:
    mail = settings.mail
    smtp = SmtpSettings(
        host=mail.host,
        port=mail.actual_port,
        from_address=mail.sender,
        user=mail.user,
        password=mail.password.get_secret_value() if mail.password else "",
        tls="none" if mail.tls == "off" else mail.tls,
    )
    return SmtpSender(smtp, _renderer(settings), clock)


def _mailbox_reader(
    mailbox: Mailbox | None, worker: OutboxWorker
) -> Callable[[], Coroutine[Any, Any, list[CaughtMail]]] | None:
    if mailbox is None:
        return None

    async def read() -> list[CaughtMail]:
        await worker.settle(MAILBOX_SETTLE_S)
        return [
            CaughtMail(to=caught.to, subject=caught.subject, text=caught.text, html=caught.html, sent_at=caught.sent_at)
            for caught in mailbox.letters()
        ]

    return read


def _on_commit(revocations: Revocations, worker: OutboxWorker, committed: Committed) -> None:
    """Take over what this process has just committed, before its caller hears of it."""
    if committed.journal:
        revocations.add(committed.journal)
    if committed.mail_queued:
        worker.wake()


def _report_follow(error: Exception) -> None:
    log.warning("follow_failed", error=str(error))


async def _refresh_counts(edge: Edge) -> None:
    while True:
        edge.metrics.set_counts(await edge.counts())
        await asyncio.sleep(COUNTS_EVERY_S)


async def _guarded(task: Coroutine[Any, Any, None]) -> None:
    """Run a background task; one that dies says so at once instead of when it is collected."""
    try:
        await task
    except Exception:
        log.exception("background_task_died")
        raise


async def _stop(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

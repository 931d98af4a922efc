"""A small world for the flows: the real wiring of `assemble`, a clock that stands still, mail that is caught.

Nothing in it is faked but time. The verbs say what people, apps and operators do.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pyotp
from msgspec.structs import replace

from sekisho.admin.world import OperatorWorld
from sekisho.assemble import running
from sekisho.flows.enrolment import Enrol, confirm, enrol
from sekisho.flows.login import Login, LoginWorld, login
from sekisho.flows.refresh import Refresh, refresh
from sekisho.flows.second_factor import SecondFactor, SecondFactorWorld, second_factor
from sekisho.flows.sign_up import CodeSent, ResendCode, SendCode, VerifyCode, resend_code, send_code, verify_code
from sekisho.http.edge import CaughtMail, Edge
from sekisho.identifiers import parse_email
from sekisho.ids import new_account_id
from sekisho.master_secret import MasterSecret
from sekisho.mfa.challenges import SecondFactorRequired
from sekisho.model import (
    Account,
    AccountId,
    AccountStatus,
    AuditRecord,
    Millis,
    Origin,
    Principal,
    Session,
    SessionId,
    Transport,
)
from sekisho.passwords.encoded import make_hash
from sekisho.passwords.parameters import PROFILES
from sekisho.ports.changes import AddAccount, SetAccountStatus
from sekisho.ports.storage import AuditFilter, Store
from sekisho.revocations import JOURNAL_MS
from sekisho.sessions import TokenPair
from sekisho.settings import Settings, load
from storage.fast import template

START_AT: Millis = 1_800_000_000_000
SECRET = "uT4mXw9ZkQ2rB7sVe1LdYc6HnPj3GfAa8KiO5oRqWzE"

HANAKO = "hanako@mail.test"
JIRO = "jiro@mail.test"
PASSWORD = "eleven quiet lanterns"
# Kept cheap for the suite's sake; it is one of the profiles that production allows.
HASH_PROFILE = "low_memory"

HOME = Origin(ip="203.0.113.7", user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
ELSEWHERE = Origin(ip="198.51.100.23", user_agent="curl/8.14.1")

_CODE = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")


class StandingClock:
    """Time moves when the test says so."""

    def __init__(self) -> None:
        self._now = START_AT

    def now(self) -> Millis:
        return self._now

    def advance(self, *, seconds: float = 0, minutes: float = 0, days: float = 0) -> None:
        self._now += round((seconds + minutes * 60 + days * 86_400) * 1000)


def a_network(number: int) -> Origin:
    """Return an origin in the IPv4 network of this number, all different up to 65,535."""
    return Origin(ip=f"10.7.{number // 256}.{number % 256}", user_agent=HOME.user_agent)


@cache
def hash_of(password: str, profile: str = HASH_PROFILE) -> str:
    """Return one encoded hash of the password, computed once per test process."""
    return make_hash(password.encode(), PROFILES[profile])


class World:
    """Made by `new_world`. `folder` holds the database and nothing else that matters."""

    def __init__(self, folder: Path, clock: StandingClock, settings: Settings) -> None:
        self.folder = folder
        self.clock = clock
        self.settings = settings
        self.master = MasterSecret(settings.master_secret)
        self._running = AsyncExitStack()
        self._edge: Edge | None = None

    async def start(self) -> None:
        self._edge = await self._running.enter_async_context(running(self.settings, self.clock, durability="off"))

    async def stop(self) -> None:
        self._edge = None
        await self._running.aclose()

    async def restart(self) -> None:
        """Stop the server and start it again on the same file; nothing in memory survives."""
        await self.stop()
        await self.start()

    @property
    def edge(self) -> Edge:
        assert self._edge is not None, "the server is stopped"
        return self._edge

    @property
    def store(self) -> Store:
        return self.edge.login.store

    @property
    def now(self) -> Millis:
        return self.clock.now()

    async def send_code(
        self,
        email: str = HANAKO,
        password: str = PASSWORD,
        *,
        client_id: str = "web",
        locale: str = "en",
        origin: Origin = HOME,
    ) -> CodeSent:
        return await send_code(SendCode(email, password, client_id, locale, origin), self.edge.sign_up)

    async def resend_code(
        self, email: str = HANAKO, *, pending: str | None = None, client_id: str = "web", origin: Origin = HOME
    ) -> CodeSent:
        return await resend_code(ResendCode(email, client_id, pending, origin), self.edge.sign_up)

    async def verify_code(
        self,
        code: str,
        email: str = HANAKO,
        *,
        pending: str | None = None,
        client_id: str = "web",
        transport: Transport = Transport.BODY,
        origin: Origin = HOME,
        replaces: SessionId | None = None,
    ) -> TokenPair:
        request = VerifyCode(email, code, client_id, pending, transport, origin, replaces)
        return await verify_code(request, self.edge.sign_up)

    async def signed_up(
        self,
        email: str = HANAKO,
        password: str = PASSWORD,
        *,
        client_id: str = "web",
        transport: Transport = Transport.BODY,
        origin: Origin = HOME,
    ) -> TokenPair:
        """Go the whole way from the address to the first session."""
        sent = await self.send_code(email, password, client_id=client_id, origin=origin)
        return await self.verify_code(
            await self.code(email),
            email,
            pending=sent.pending,
            client_id=client_id,
            transport=transport,
            origin=origin,
        )

    async def account(self, email: str = HANAKO, *, name: str = "", password_hash: str | None = "") -> Account:
        """Return the account of this address, made without a sign-up where there is none.

        password_hash: "" for that of `PASSWORD`; None for an account without a password.
        """
        address = parse_email(email)
        found = await self.store.find_account_by_email(address.key)
        if found:
            return found
        account = Account(
            id=new_account_id(),
            email=address.address,
            email_key=address.key,
            name=name,
            password_hash=hash_of(PASSWORD) if password_hash == "" else password_hash,
            created_at=self.now,
        )
        await self.store.apply(AddAccount(account=account))
        return account

    async def login(
        self,
        email: str = HANAKO,
        password: str = PASSWORD,
        *,
        client_id: str = "web",
        transport: Transport = Transport.BODY,
        origin: Origin = HOME,
        replaces: SessionId | None = None,
        world: LoginWorld | None = None,
    ) -> TokenPair:
        """Log in to an account without a second factor."""
        request = Login(email, password, client_id, transport, origin, replaces)
        entered = await login(request, world or self.edge.login)
        assert isinstance(entered, TokenPair), "a second factor was asked for"
        return entered

    async def asked(
        self,
        email: str = HANAKO,
        password: str = PASSWORD,
        *,
        client_id: str = "web",
        transport: Transport = Transport.BODY,
        origin: Origin = HOME,
        world: LoginWorld | None = None,
    ) -> SecondFactorRequired:
        """Log in to an account with a second factor, up to the question for it."""
        entered = await login(Login(email, password, client_id, transport, origin), world or self.edge.login)
        assert isinstance(entered, SecondFactorRequired), "no second factor was asked for"
        return entered

    async def answer(
        self,
        asked: SecondFactorRequired,
        code: str,
        *,
        method: str = "totp",
        client_id: str = "web",
        origin: Origin = HOME,
        replaces: SessionId | None = None,
        world: SecondFactorWorld | None = None,
    ) -> TokenPair:
        request = SecondFactor(asked.challenge, method, code, client_id, origin, replaces)
        return await second_factor(request, world or self.edge.second_factor)

    async def enrolled(self, pair: TokenPair, *, name: str = "") -> Enrolled:
        """Enrol an authenticator app in this session, which must be fresh. The step of its first code is used up."""
        who = principal_of(pair)
        begun = await enrol(Enrol("totp", name), who, HOME, self.edge.factors)
        app = App(begun.secret or "", self.clock)
        done = await confirm(begun.id, app.code(), who, HOME, self.edge.factors)
        self.clock.advance(seconds=30)
        return Enrolled(app, done.factor.id, done.recovery_codes or ())

    async def signed_in(
        self,
        email: str = HANAKO,
        *,
        client_id: str = "web",
        transport: Transport = Transport.BODY,
        origin: Origin = HOME,
        replaces: SessionId | None = None,
    ) -> TokenPair:
        """Log in to the account of this address, which is made if need be."""
        await self.account(email)
        return await self.login(email, client_id=client_id, transport=transport, origin=origin, replaces=replaces)

    async def refresh(
        self, token: str, *, client_id: str = "web", origin: Origin = HOME, believed: str | None = None
    ) -> TokenPair:
        return await refresh(Refresh(token, client_id, origin, believed), self.edge.refresh)

    def operator(self) -> OperatorWorld:
        """Return what the operator's commands stand on, beside the running server."""
        sign_up = self.edge.sign_up
        return OperatorWorld(
            store=self.store,
            clock=self.clock,
            master=self.master,
            passwords=sign_up.passwords,
            policy=sign_up.policy,
            screening=sign_up.screening,
            throttle=sign_up.throttle,
            outbox=sign_up.outbox,
            not_me=self.edge.not_me.codes,
            journal_ms=JOURNAL_MS,
            signing_algorithm=self.settings.jwt.algorithm,
            verify_for_ms=JOURNAL_MS,
        )

    async def disable(self, account_id: AccountId) -> None:
        """Disable without ending sessions, so that each door is seen to be closed by itself."""
        active, disabled = AccountStatus.ACTIVE.value, AccountStatus.DISABLED.value
        outcome = await self.store.apply(SetAccountStatus(account_id=account_id, expected=active, status=disabled))
        assert outcome.lost is None

    async def mail(self, to: str | None = None) -> list[CaughtMail]:
        """Return the letters that have arrived, oldest first."""
        assert self.edge.mailbox is not None
        caught = await self.edge.mailbox()
        return [letter for letter in reversed(caught) if to is None or letter.to == to]

    async def code(self, to: str = HANAKO) -> str:
        """Return the code of the newest letter to this address."""
        return await self.code_in(-1, to)

    async def code_in(self, number: int, to: str = HANAKO) -> str:
        found = _CODE.search((await self.mail(to))[number].text)
        assert found is not None, "a letter without a code"
        return found[0]

    async def audit(self, event: str | None = None, *, outcome: str | None = None) -> list[AuditRecord]:
        """Return the audit records, oldest first."""
        lines = await self.store.list_audit(AuditFilter(event=event, outcome=outcome, limit=1000))
        return list(reversed(lines))

    async def session(self, of: TokenPair | SessionId) -> Session:
        """Return the row as it is now."""
        found = await self.store.find_session(of.session.id if isinstance(of, TokenPair) else of)
        assert found is not None
        return found

    async def is_live(self, pair: TokenPair) -> bool:
        row = await self.session(pair)
        return row.ended_at is None and self.now < min(row.idle_expires_at, row.expires_at)

    async def live_sessions(self, account_id: AccountId) -> list[Session]:
        return await self.store.list_sessions(account_id, self.now)

    async def live_refresh_tokens(self, *pairs: TokenPair) -> int:
        """Count the different tokens among these that would rotate if they were presented now."""
        live = 0
        for token in {pair.credential for pair in pairs}:
            presented = self.edge.refresh.refresh_tokens.open(token)
            row = await self.session(presented.session_id)
            over = row.ended_at is not None or self.now >= min(row.idle_expires_at, row.expires_at)
            live += not over and presented.counter >= row.counter and presented.secret_hash == row.secret_hash
        return live

    def files(self) -> bytes:
        """Return every byte of the database on disk. Stop the server first."""
        assert self._edge is None
        path = self.settings.database_path
        return b"".join(file.read_bytes() for file in sorted(path.parent.glob(path.name + "*")))


class App:
    """An authenticator app on somebody's phone, whose clock is right."""

    def __init__(self, secret: str, clock: StandingClock) -> None:
        self._codes = pyotp.HOTP(secret)
        self._clock = clock

    def code(self, *, steps_ahead: int = 0) -> str:
        return self._codes.at(self._clock.now() // 30_000 + steps_ahead)

    def wrong_code(self) -> str:
        """Return six digits that no step near now has."""
        near = {self.code(steps_ahead=ahead) for ahead in range(-5, 6)}
        return next(code for number in range(100) if (code := f"{number:06}") not in near)


class Enrolled(NamedTuple):
    app: App
    factor_id: str
    recovery_codes: tuple[str, ...]


WorldWith = Callable[[Mapping[str, object]], Awaitable[World]]


def principal_of(pair: TokenPair) -> Principal:
    """Return who a protected call with this pair would be found to be."""
    return Principal(pair.account.id, pair.session.id, pair.session.client_id)


def with_device(origin: Origin, token: str) -> Origin:
    """Return the origin as a browser that carries this device cookie."""
    return replace(origin, device_token=token)


@asynccontextmanager
async def new_world(folder: Path, overrides: Mapping[str, object] | None = None) -> AsyncIterator[World]:
    """Give a running server on an empty database in `folder`.

    overrides: settings by path, as `{"session.grace_seconds": 0}`.
    """
    environ = {"SEKISHO_SECRET": SECRET, "SEKISHO_PASSWORD__HASH": HASH_PROFILE}
    settings = load("dev", environ=environ, cwd=folder, overrides=overrides or {})
    settings.database_path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(template(), settings.database_path)
    world = World(folder, StandingClock(), settings)
    await world.start()
    try:
        yield world
    finally:
        await world.stop()

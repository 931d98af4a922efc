"""A production server with accounts in it: its folder, its settings, its processes, and a look into its database."""

from __future__ import annotations

import asyncio
import base64
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from faults.engines import Engine, Sqlite
from faults.wire import Answer, Wire, heard
from free_ports import free_port
from live_server import LiveServer, live_server, sekisho
from sekisho.master_secret import MasterSecret
from sekisho.model import Account, AccountId, AccountStatus
from sekisho.passwords.encoded import make_hash
from sekisho.passwords.parameters import PROFILES
from sekisho.ports.changes import AddAccount
from sekisho.tokens.refresh_token import Presented, RefreshTokens

SECRET = "rJ5mVb0nT7hYq2uKxW9sDf4gLz8cAe1pQ6oIi3vBtEyUkMw"
PASSWORD = "korewa nagai himitsu"
LAUNCHER = Path(__file__).with_name("faulty_server.py")

# So wide that a load from one address meets none of them; what a test is about, it sets itself.
OPEN_LIMITS = {
    "SEKISHO_LIMITS__LOGIN_FAILURES": "1000",
    "SEKISHO_LIMITS__LOGIN_NETWORK_FAILURES": "100000",
    "SEKISHO_LIMITS__LOGIN_FAILURES_PER_DAY": "10000",
    "SEKISHO_LIMITS__CODE_SENDS": "100",
    "SEKISHO_LIMITS__CODE_NETWORK_SENDS": "100000",
    "SEKISHO_LIMITS__CODE_SENDS_PER_DAY": "1000",
    "SEKISHO_PASSWORD__QUEUE": "1000",
}


@cache
def password_hash() -> str:
    """One real hash of today's parameters for all accounts: making it once is what makes seeding cheap."""
    return make_hash(PASSWORD.encode(), PROFILES["standard"])


class Pair(msgspec.Struct, frozen=True):
    """What a client holds after a sign-in or refresh."""

    access_token: str
    refresh_token: str

    @classmethod
    def of(cls, answer: Answer, status: int = 200) -> Pair:
        assert answer.status == status, (answer.status, answer.body)
        given = answer.json()
        return cls(given["access_token"], given["refresh_token"])

    @property
    def presented(self) -> Presented:
        return opened(self.refresh_token)

    @property
    def sid(self) -> str:
        return self.presented.session_id

    @property
    def kid(self) -> str:
        return str(_json_of(self.access_token.split(".")[0])["kid"])

    @property
    def claims(self) -> Any:
        return _json_of(self.access_token.split(".")[1])


def _json_of(part: str) -> Any:
    return msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def opened(refresh_token: str) -> Presented:
    return RefreshTokens(MasterSecret(SECRET.encode())).open(refresh_token)


def port_of(server: LiveServer) -> int:
    return int(server.url.rpartition(":")[2])


def ports_of(servers: Iterable[LiveServer]) -> list[int]:
    return [port_of(server) for server in servers]


class Site:
    """One installation in a folder. `smtp_port` names a port on which nothing listens unless the test does."""

    def __init__(self, folder: Path, engine: Engine | None = None, **settings: str) -> None:
        self.folder = folder
        self.engine = engine or Sqlite(folder)
        self.smtp_port = free_port()
        self.environ = {
            "SEKISHO_SECRET": SECRET,
            "SEKISHO_PUBLIC_URL": "https://auth.example.com",
            **self.engine.environ,
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(self.smtp_port),
            "SMTP_FROM": "Sekisho <no-reply@example.com>",
            "SEKISHO_MAIL__TLS": "off",
            "SEKISHO_SESSION__MAX_PER_ACCOUNT": "1000",
            **OPEN_LIMITS,
            **settings,
        }

    @property
    def database(self) -> Path:
        """The file of SQLite."""
        assert isinstance(self.engine, Sqlite)
        return self.engine.path

    async def seed(self, *accounts: Account) -> None:
        """Put accounts in past the HTTP way; no server may be running."""
        store = await self.engine.open()
        try:
            for first in range(0, len(accounts), 500):
                outcome = await store.apply(*(AddAccount(account=each) for each in accounts[first : first + 500]))
                assert outcome.lost is None
        finally:
            await store.close()

    @contextmanager
    def serving(
        self, *, crash_at: str = "", port: int | None = None, wrapper: tuple[str, ...] = (), **settings: str
    ) -> Iterator[LiveServer]:
        """Run `sekisho serve`; `crash_at` (`point:count`) starts it through the launcher that has crash points."""
        program = ("-m", "sekisho") if not crash_at else (str(LAUNCHER), crash_at)
        with live_server(
            self.folder, "serve", port, program=program, wrapper=wrapper, **{**self.environ, **settings}
        ) as server:
            yield server

    @contextmanager
    def nodes(self, *, many: int | None = None, crash_at: str = "", **settings: str) -> Iterator[list[LiveServer]]:
        """Run several nodes, by default as many as the engine is for: one on SQLite, two on servers.

        crash_at: the first one's.
        """
        managers = [self.serving(crash_at=crash_at, **settings)]
        managers += [self.serving(**settings) for _ in range((many or self.engine.nodes) - 1)]
        with ExitStack() as stack, ThreadPoolExecutor() as pool:
            # They start side by side.
            starting = [pool.submit(stack.enter_context, manager) for manager in managers]
            yield [each.result() for each in starting]

    def command(self, *words: str, **settings: str) -> Any:
        return sekisho(*words, folder=self.folder, **{**self.environ, **settings})

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Look into the database as another process would."""
        return self.engine.rows(sql, *values)

    def value(self, sql: str, *values: Any) -> Any:
        return self.rows(sql, *values)[0][0]


def account(number: int, **given: Any) -> Account:
    """The account of client `number`: its address is the canary that nobody else may ever see."""
    email = f"canary-{number}@example.com"
    values: dict[str, Any] = {
        "id": AccountId(secrets.token_urlsafe(16)),
        "email": email,
        "email_key": email,
        "password_hash": password_hash(),
        "created_at": time.time_ns() // 1_000_000,
    }
    return Account(**{**values, **given})


def disabled_account(number: int) -> Account:
    return account(number, status=AccountStatus.DISABLED)


async def sign_in(wire: Wire, number: int = 0, client_id: str = "app:0123456789abcdef0123") -> Pair:
    body = {"email": f"canary-{number}@example.com", "password": PASSWORD, "client_id": client_id}
    return Pair.of(heard(await wire.call("POST", "auth/login", body)))


async def refresh(wire: Wire, token: str, client_id: str = "app:0123456789abcdef0123") -> Answer:
    return await wire.call("POST", "auth/refresh", {"refresh_token": token, "client_id": client_id})


async def until(holds: Callable[[], bool], within_s: float, what: str) -> None:
    """Look again and again until it holds."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        await asyncio.sleep(0.02)


def memory_kib(server: LiveServer) -> int:
    """The resident memory of the server process."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])

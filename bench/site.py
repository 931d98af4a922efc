"""A seeded installation: a database with many accounts and sessions, and the secrets of all their clients.

The rows are copies of one account and one session that the store itself made, with other ids, addresses and
secrets, in one transaction and with the indexes built afterwards: a million in well under a minute.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import apsw
from msgspec import Struct, structs

from sekisho.ids import new_account_id
from sekisho.master_secret import MasterSecret
from sekisho.model import Account, AccountId, Origin, Session, SessionId, SigningKey, Transport
from sekisho.passwords.encoded import make_hash
from sekisho.passwords.parameters import PROFILES
from sekisho.ports.changes import AddAccount, SetMeta, StartSession
from sekisho.revocations import Revocations
from sekisho.rfc import base64url
from sekisho.storage.sqlite import SqliteStore
from sekisho.storage.sqlite.migration import migrate
from sekisho.tokens.access_token import AccessTokens
from sekisho.tokens.refresh_token import RefreshTokens
from sekisho.tokens.session_cookie import SessionCookies
from sekisho.tokens.session_values import hash_secret
from sekisho.tokens.signing_keys import KeyRing, ensure_keys

PUBLIC_URL = "https://auth.example.com"
CLIENT_ID = "bench"
PASSWORD = "correct horse battery staple"  # noqa: S105 - of accounts that exist for minutes
HASH_PROFILE = "standard"
ALGORITHM = "ES256"
SESSIONS_IN_A_LIST = 5

# Beyond what any run can reach, so that no figure is one of refusals.
LIMITS = {
    "LOGIN_FAILURES": "1000",
    "LOGIN_NETWORK_FAILURES": "100000",
    "LOGIN_FAILURES_PER_DAY": "10000",
    "CODE_NETWORK_SENDS": "100000",
}

_DAY_MS = 86_400_000
_ID_BYTES = 16
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"


class Site(Struct, frozen=True):
    """Of every twenty sessions 17 travel in the body, two by session cookie, and one belongs to an account with a list
    of five. `values` holds id and secret of each, 32 bytes together; `accounts` the ids, account i has address i."""

    folder: Path
    secret: str
    size: int
    values: bytes
    accounts: list[str]
    keys: list[SigningKey]
    seeded_s: float

    @property
    def database(self) -> Path:
        return self.folder / "sekisho.db"

    @property
    def body_sessions(self) -> range:
        return range(self.size * 17 // 20)

    @property
    def cookie_sessions(self) -> range:
        return range(self.body_sessions.stop, self.size * 19 // 20)

    @property
    def listed_sessions(self) -> range:
        return range(self.cookie_sessions.stop, self.size)

    def session_id(self, index: int) -> SessionId:
        return SessionId(base64url.encode(self.values[32 * index : 32 * index + 16]))

    def session_secret(self, index: int) -> bytes:
        return self.values[32 * index + 16 : 32 * index + 32]

    def account_of(self, index: int) -> int:
        """Return the number of the account that a session belongs to."""
        begin = self.listed_sessions.start
        return index if index < begin else begin + (index - begin) // SESSIONS_IN_A_LIST

    def refresh_token(self, index: int, minter: RefreshTokens) -> str:
        return minter.mint(self.session_id(index), self.session_secret(index), 0)

    def session_cookie(self, index: int, minter: SessionCookies) -> str:
        return minter.mint(self.session_id(index), self.session_secret(index))

    def access_tokens(self, indexes: Iterable[int]) -> Iterator[str]:
        """Yield a fresh access token of each session, signed as the server would."""
        ring, now = KeyRing(self.master()), _now()
        ring.load(self.keys, now)
        minter = AccessTokens(ring, Revocations(), issuer=PUBLIC_URL, audience=PUBLIC_URL, lifetime_s=3600)
        account, session = _first_account(now), _first_session(AccountId(""), now)
        for index in indexes:
            owner = structs.replace(account, id=AccountId(self.accounts[self.account_of(index)]))
            one = structs.replace(session, id=self.session_id(index), account_id=owner.id)
            yield minter.mint(one, owner, now).token

    def master(self) -> MasterSecret:
        return MasterSecret(self.secret.encode())

    def environment(self, port: int, smtp_port: int) -> dict[str, str]:
        """Return the settings for `sekisho serve` on this site."""
        return {
            "SEKISHO_SECRET": self.secret,
            "SEKISHO_DATABASE_URL": f"sqlite:///{self.database}",
            "SEKISHO_PUBLIC_URL": PUBLIC_URL,
            "SEKISHO_PORT": str(port),
            "SEKISHO_PASSWORD__HASH": HASH_PROFILE,
            "SEKISHO_JWT__ALGORITHM": ALGORITHM,
            "SEKISHO_JWT__ACCESS_MINUTES": "60",
            "SEKISHO_MAIL__HOST": "127.0.0.1",
            "SEKISHO_MAIL__PORT": str(smtp_port),
            "SEKISHO_MAIL__FROM": "no-reply@example.com",
            "SEKISHO_MAIL__TLS": "off",
            **{f"SEKISHO_LIMITS__{name}": value for name, value in LIMITS.items()},
        }


def email_of(account: int) -> str:
    return f"person-{account}@example.com"


async def seed(folder: Path, size: int) -> Site:
    """Make a database in `folder` with `size` accounts and sessions."""
    begun = time.monotonic()
    secret = secrets.token_urlsafe(48)
    database = folder / "sekisho.db"
    migrate(database)
    keys = await _start(database, MasterSecret(secret.encode()))
    site = Site(
        folder=folder,
        secret=secret,
        size=size,
        values=secrets.token_bytes(32 * size),
        accounts=sorted(new_account_id() for _ in range(size)),
        keys=keys,
        seeded_s=0.0,
    )
    _multiply(site)
    return structs.replace(site, seeded_s=time.monotonic() - begun)


async def _start(database: Path, master: MasterSecret) -> list[SigningKey]:
    """Let the store itself make the first account and session, and the keys."""
    store, now = await SqliteStore.open(database, durability="off"), _now()
    try:
        account = _first_account(now)
        await store.apply(SetMeta(name="master_secret_check", value=master.fingerprint()))
        await store.apply(AddAccount(account=account))
        await store.apply(
            StartSession(
                session=_first_session(account.id, now),
                security_version=account.security_version,
                max_sessions=SESSIONS_IN_A_LIST,
                journal_until_at=now,
                origin=Origin(),
                now=now,
            )
        )
        return await ensure_keys(store, master, ALGORITHM, now)
    finally:
        await store.close()


def _multiply(site: Site) -> None:
    connection = apsw.Connection(str(site.database))
    try:
        connection.pragma("synchronous", "OFF")
        connection.pragma("cache_size", -512 * 1024)
        connection.execute("BEGIN IMMEDIATE")
        account, session = _only_row(connection, "accounts"), _only_row(connection, "sessions")
        connection.execute("DELETE FROM sessions; DELETE FROM accounts")
        indexes = connection.execute(
            "SELECT name, sql FROM sqlite_master "
            "WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('accounts', 'sessions')"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        _insert(connection, "accounts", account, _account_values(site))
        _insert(connection, "sessions", session, _session_values(site))
        for _, sql in indexes:
            connection.execute(str(sql))
        connection.execute("COMMIT; ANALYZE")
        connection.pragma("wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _only_row(connection: apsw.Connection, table: str) -> dict[str, Any]:
    cursor = connection.execute(f"SELECT * FROM {table}")  # noqa: S608 - our own names
    names = [column[0] for column in cursor.description]
    return dict(zip(names, cursor.fetchall()[0], strict=True))


def _insert(connection: apsw.Connection, table: str, model: dict[str, Any], rows: Iterator[dict[str, Any]]) -> None:
    """Insert copies of `model`, each with its own values."""
    first = model | next(rows)
    names = ", ".join(first)
    slots = ", ".join(f":{name}" for name in first)
    statement = f"INSERT INTO {table} ({names}) VALUES ({slots})"  # noqa: S608 - our own names
    connection.execute(statement, first)
    connection.executemany(statement, (model | row for row in rows))


def _account_values(site: Site) -> Iterator[dict[str, Any]]:
    for number, account_id in enumerate(site.accounts):
        email = email_of(number)
        yield {"id": account_id, "email": email, "email_key": email}


def _session_values(site: Site) -> Iterator[dict[str, Any]]:
    """Yield in the order of the ids: the tree grows at its end, which is several times faster."""
    cookies = site.cookie_sessions
    for session_id, index in sorted((site.session_id(index), index) for index in range(site.size)):
        yield {
            "id": session_id,
            "account_id": site.accounts[site.account_of(index)],
            "transport": Transport.SESSION.value if index in cookies else Transport.BODY.value,
            "secret_hash": hash_secret(site.session_secret(index)),
        }


def _first_account(now: int) -> Account:
    return Account(
        id=new_account_id(),
        email="first@example.com",
        email_key="first@example.com",
        password_hash=make_hash(PASSWORD.encode(), PROFILES[HASH_PROFILE]),
        created_at=now,
    )


def _first_session(account_id: AccountId, now: int) -> Session:
    return Session(
        id=SessionId(base64url.encode(secrets.token_bytes(_ID_BYTES))),
        account_id=account_id,
        client_id=CLIENT_ID,
        transport=Transport.BODY,
        secret_hash=hash_secret(secrets.token_bytes(_ID_BYTES)),
        auth_time_at=now,
        amr=("pwd",),
        user_agent=_AGENT,
        ip="127.0.0.1",
        created_at=now,
        last_seen_at=now,
        rotated_at=now,
        idle_expires_at=now + 30 * _DAY_MS,
        expires_at=now + 90 * _DAY_MS,
    )


def _now() -> int:
    return time.time_ns() // 1_000_000

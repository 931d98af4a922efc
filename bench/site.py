"""A seeded installation: a database with many accounts and sessions, and the secrets of all their clients."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct, structs

from sekisho.ids import new_account_id
from sekisho.master_secret import MasterSecret
from sekisho.model import Account, AccountId, Session, SessionId, SigningKey, Transport
from sekisho.passwords.encoded import make_hash
from sekisho.passwords.parameters import PROFILES
from sekisho.revocations import Revocations
from sekisho.rfc import base64url
from sekisho.tokens.access_token import AccessTokens
from sekisho.tokens.refresh_token import RefreshTokens
from sekisho.tokens.session_cookie import SessionCookies
from sekisho.tokens.session_values import hash_secret
from sekisho.tokens.signing_keys import KeyRing

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
    of five. `values` holds id and secret of each, 32 bytes together; `accounts` the ids, account i has address i.

    url: of the database. redis_url: of the Redis that decides rotations, if one does."""

    folder: Path
    url: str
    secret: str
    size: int
    values: bytes
    accounts: list[str]
    keys: list[SigningKey]
    seeded_s: float
    redis_url: str = ""

    @property
    def is_postgres(self) -> bool:
        return self.url.startswith("postgresql")

    @property
    def database_path(self) -> Path:
        """Where the SQLite database is."""
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
        ring, now = KeyRing(self.master()), now_ms()
        ring.load(self.keys, now)
        minter = AccessTokens(ring, Revocations(), issuer=PUBLIC_URL, audience=PUBLIC_URL, lifetime_s=3600)
        account, session = first_account(now), first_session(AccountId(""), now)
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
            "SEKISHO_DATABASE_URL": self.url,
            "SEKISHO_PUBLIC_URL": PUBLIC_URL,
            "SEKISHO_PORT": str(port),
            "SEKISHO_PASSWORD__HASH": HASH_PROFILE,
            "SEKISHO_JWT__ALGORITHM": ALGORITHM,
            "SEKISHO_JWT__ACCESS_MINUTES": "60",
            "SEKISHO_MAIL__HOST": "127.0.0.1",
            "SEKISHO_MAIL__PORT": str(smtp_port),
            "SEKISHO_MAIL__FROM": "no-reply@example.com",
            "SEKISHO_MAIL__TLS": "off",
            **({"SEKISHO_REDIS_URL": self.redis_url, "SEKISHO_REDIS__SESSIONS": "true"} if self.redis_url else {}),
            **{f"SEKISHO_LIMITS__{name}": value for name, value in LIMITS.items()},
        }


def email_of(account: int) -> str:
    return f"person-{account}@example.com"


def first_account(now: int) -> Account:
    """Return the account that all others are copies of."""
    return Account(
        id=new_account_id(),
        email="first@example.com",
        email_key="first@example.com",
        password_hash=make_hash(PASSWORD.encode(), PROFILES[HASH_PROFILE]),
        created_at=now,
    )


def first_session(account_id: AccountId, now: int) -> Session:
    """Return the session that all others are copies of."""
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


def now_ms() -> int:
    return time.time_ns() // 1_000_000

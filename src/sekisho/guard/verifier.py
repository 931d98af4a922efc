"""Verify access tokens in the API's own process.

    remembered? -> signature, type, issuer, audience -> times -> key still shown

A token that was verified is remembered by its whole text. That spares the signature only: times and key are asked
each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from threading import Lock
from time import monotonic, time
from typing import TYPE_CHECKING

from msgspec import Struct

from sekisho.errors import AccessTokenExpired, ServiceUnavailable, Unauthorized
from sekisho.guard.keys import RETRY_AFTER_S, Keys, PublishedKeys, SharedKey
from sekisho.guard.tokens import Known, read_token
from sekisho.rfc.jwt import UnknownKey

if TYPE_CHECKING:
    from sekisho.guard.fetching import Server
    from sekisho.guard.flight import Flight
    from sekisho.guard.principal import Principal
    from sekisho.guard.remote import JwksFetch

CACHE_SIZE = 4096
MAX_LEEWAY_S = 60.0
FETCH_S = 6.0
# For keys that are too old, then for one that is unknown. More would be one request going round in circles.
MAX_WAITS = 2


class Health(Struct, frozen=True, kw_only=True):
    """How a verifier stands, for a status page or a metric.

    keys_age_s: since the keys were fetched; None before the first time. remembered: verified tokens in memory.
    clock_behind_s: by how much this machine's clock is behind the server's, as far as the server says.
    """

    keys_age_s: float | None
    remembered: int
    clock_behind_s: float


class Verifier:
    """Says who is calling, from an access token, without asking the server for each request.

    Args:
        issuer: the server's public address, as tokens say it (`SEKISHO_PUBLIC_URL`).
        audience: this API, as tokens say it (`SEKISHO_AUDIENCE`; by default that is the issuer).
        server_url: where the server is reached from here, if that is another address.
        secret_key: the key of `SEKISHO_JWT__SECRET_KEY`, if the server signs with HS256. Then nothing is fetched.
        permissions: what each role allows: `{"editor": ["articles.write"]}`.
        leeway_s: how far a token may lie in the future (0 to 60). Its end has no leeway.
        cache_size: how many verified tokens are remembered.
        keys, server, clock, monotonic: for tests, and for keys or connections of your own.

    Raises:
        ValueError: a setting that cannot be meant: an http address that is not this machine's, a leeway above 60.

    Concurrency: any number of threads and event loops at once. Nothing is started before the first token.
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        *,
        server_url: str | None = None,
        secret_key: str | bytes | None = None,
        permissions: Mapping[str, Iterable[str]] | None = None,
        leeway_s: float = 5.0,
        cache_size: int = CACHE_SIZE,
        keys: Keys | None = None,
        server: Server | None = None,
        clock: Callable[[], float] = time,
        monotonic: Callable[[], float] = monotonic,
    ) -> None:
        if not issuer or not audience or isinstance(permissions, str):
            raise ValueError("issuer and audience must be given, as the tokens say them")
        if not 0 <= leeway_s <= MAX_LEEWAY_S:
            raise ValueError(
                f"leeway_s must be 0 to {MAX_LEEWAY_S:.0f}; {leeway_s!r} would accept what is not valid yet"
            )
        if cache_size < 1:
            raise ValueError("cache_size must be at least 1")
        self.issuer = issuer
        self.audience = audience
        self._permissions = {role: frozenset(names) for role, names in (permissions or {}).items()}
        self._leeway_s = leeway_s
        self._clock = clock
        self._monotonic = monotonic
        self._cache: dict[str, Known] = {}
        self._cache_size = cache_size
        self._lock = Lock()
        self._jwks: JwksFetch | None = None
        self._keys: Keys
        if keys is not None:
            self._keys = keys
        elif secret_key is not None:
            self._keys = SharedKey(secret_key.encode() if isinstance(secret_key, str) else secret_key)
        else:
            self._keys = self._published(server, server_url or issuer)

    def verify(self, token: str) -> Principal:
        """Return who is calling.

        Args:
            token: untrusted, without the word `Bearer`.

        Raises:
            Unauthorized: malformed, forged, not yet valid, or another's issuer, audience or type.
            AccessTokenExpired: genuine, but its time or its key's time is over: the client refreshes and repeats.
            ServiceUnavailable: there are no keys to judge by, and the server does not answer. Nothing is known
                about the token.
        """
        waited = 0
        while True:
            known = self._known(token, waited)
            if isinstance(known, Known):
                return self._checked(known)
            known.wait()
            waited += 1

    async def verify_async(self, token: str) -> Principal:
        """As `verify`, without holding up the event loop where keys must be fetched."""
        waited = 0
        while True:
            known = self._known(token, waited)
            if isinstance(known, Known):
                return self._checked(known)
            await import_module("sekisho.guard.aio").wait(known)
            waited += 1

    def health(self) -> Health:
        """Return how this verifier stands."""
        return Health(
            keys_age_s=self._keys.age_s(self._monotonic()),
            remembered=len(self._cache),
            clock_behind_s=self._jwks.ahead_s if self._jwks else 0.0,
        )

    def _known(self, token: str, waited: int) -> Known | Flight:
        """Return the genuine token, or what must be waited for first."""
        now = self._monotonic()
        flight = self._keys.due(now)
        if flight is not None and waited < MAX_WAITS:
            return flight
        known = self._cache.get(token)
        if known is not None:
            return known
        if not self._keys.are_usable(now):
            raise ServiceUnavailable(detail="no keys to verify with", retry_after=int(RETRY_AFTER_S))
        try:
            known = read_token(
                token,
                find_key=self._keys.find,
                issuer=self.issuer,
                audience=self.audience,
                permissions=self._permissions,
            )
        except UnknownKey:
            flight = self._keys.missing(now)
            if flight is not None and waited < MAX_WAITS:
                return flight
            raise Unauthorized(detail="unknown kid") from None
        self._remember(token, known)
        return known

    def _checked(self, known: Known) -> Principal:
        now = self._clock()
        if self._jwks is not None and self._jwks.ahead_s > self._leeway_s:
            # Our clock is wrong by more than clocks differ: the later of the two judges, so that nothing lives longer.
            now += self._jwks.ahead_s
        if known.not_before > now + self._leeway_s:
            raise Unauthorized(detail="not yet valid: is this machine's clock behind?")
        if now >= known.expires:
            raise AccessTokenExpired(detail="exp")
        if not self._keys.accepts(known.kid):
            raise AccessTokenExpired(detail="key no longer shown")
        return known.principal

    def _remember(self, token: str, known: Known) -> None:
        with self._lock:
            self._cache[token] = known
            if len(self._cache) > self._cache_size:
                del self._cache[next(iter(self._cache))]

    def _published(self, server: Server | None, url: str) -> PublishedKeys:
        # Late: TLS and HTTP take longer to import than all the rest of the guard.
        fetching, remote = (import_module(f"sekisho.guard.{name}") for name in ("fetching", "remote"))
        self._jwks = fetch = remote.JwksFetch(server or fetching.Server(url), self._clock)
        return PublishedKeys(fetch, monotonic=self._monotonic, report=remote.Reports("keys"), longest_s=FETCH_S)

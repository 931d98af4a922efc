"""Verify access tokens in the API's own process.

    remembered? -> signature, type, issuer, audience -> times -> key still shown -> not revoked

A token that was verified is remembered by its whole text. That spares the signature only: times, key and revocation
are asked each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from threading import Lock
from time import monotonic, time
from typing import TYPE_CHECKING

from msgspec import Struct

from sekisho.errors import AccessTokenExpired, ServiceUnavailable, SessionRevoked, Unauthorized
from sekisho.guard.asking import Asking
from sekisho.guard.feed import Feed
from sekisho.guard.keys import RETRY_AFTER_S, Keys, PublishedKeys, SharedKey
from sekisho.guard.principal import Principal
from sekisho.guard.revoked import Revocation, Revoked
from sekisho.guard.tokens import Known, read_token
from sekisho.rfc.jwt import UnknownKey

if TYPE_CHECKING:
    from sekisho.guard.fetching import Server
    from sekisho.guard.flight import Flight
    from sekisho.guard.remote import JwksFetch

CACHE_SIZE = 4096
MAX_LEEWAY_S = 60.0
FETCH_S = 6.0
# For keys that are too old, for one that is unknown, for the first snapshot of the feed, for an answer. More would be
# one request going round in circles.
MAX_WAITS = 4
FIRST_SNAPSHOT_S = 3.0
LONGEST_TOKEN_S = 60 * 60
FAIL_CLOSED_AFTER_S = 60.0
# Two signs of life, and one that is late.
LEAST_SILENCE_S = 11.0


class Health(Struct, frozen=True, kw_only=True):
    """How a verifier stands, for a status page or a metric.

    keys_age_s: since the keys were fetched; None before the first time. remembered: verified tokens in memory.
    clock_behind_s: by how much this machine's clock is behind the server's, as far as the server says.
    feed: `off`, `starting`, `in_step` or `silent`. feed_silent_s: since its last sign of life. revocations: in memory.
    """

    keys_age_s: float | None
    remembered: int
    clock_behind_s: float
    feed: str
    feed_silent_s: float
    revocations: int


class Verifier:
    """Says who is calling, from an access token, without asking the server for each request.

    Args:
        issuer: the server's public address, as tokens say it (`SEKISHO_PUBLIC_URL`).
        audience: this API, as tokens say it (`SEKISHO_AUDIENCE`; by default that is the issuer).
        server_url: where the server is reached from here, if that is another address.
        secret_key: the key of `SEKISHO_JWT__SECRET_KEY`, if the server signs with HS256. Then nothing is fetched.
        feed_key: of `sekisho guard-key add`: the verifier hears of revocations within a second. Without it a token
            counts until it expires.
        fail_closed_after_s, fail_open_after_s, ask_after_s: what happens when the feed has been silent for so long; one
            of them. Closed (the default, 60): nothing is accepted. Open: tokens count as far as is known; before the
            first snapshot nothing is accepted for so long. Ask: the server is asked about each token.
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
        feed_key: str | None = None,
        fail_closed_after_s: float | None = None,
        fail_open_after_s: float | None = None,
        ask_after_s: float | None = None,
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
        self.permissions = {role: frozenset(names) for role, names in (permissions or {}).items()}
        self._leeway_s = leeway_s
        self._given_server = server
        self._server_url = server_url or issuer
        self._clock = clock
        self._monotonic = monotonic
        self._cache: dict[str, Known] = {}
        self._cache_size = cache_size
        self._lock = Lock()
        self._revoked = Revoked()
        self._when_silent, self._silence_s = _policy(fail_closed_after_s, fail_open_after_s, ask_after_s)
        self._feed: Feed | None = None
        self._asking: Asking | None = None
        if feed_key is not None:
            self._listen(feed_key, server or _server(server_url or issuer))
        self._jwks: JwksFetch | None = None
        self._keys: Keys
        if keys is not None:
            self._keys = keys
        elif secret_key is not None:
            self._keys = SharedKey(secret_key.encode() if isinstance(secret_key, str) else secret_key)
        else:
            self._keys = self._published(server or _server(server_url or issuer))

    def verify(self, token: str) -> Principal:
        """Return who is calling.

        Args:
            token: untrusted, without the word `Bearer`.

        Raises:
            Unauthorized: malformed, forged, not yet valid, or another's issuer, audience or type.
            SessionRevoked: genuine and in time, but its session, its client or the token itself was revoked.
            AccessTokenExpired: genuine, but its time or its key's time is over: the client refreshes and repeats.
            ServiceUnavailable: there are no keys to judge by, or the feed has been silent for too long, and the server
                does not answer. Nothing is known about the token.
        """
        waited = 0
        while True:
            found = self._look(token, waited)
            if isinstance(found, Principal):
                return found
            found.wait()
            waited += 1

    async def verify_async(self, token: str) -> Principal:
        """As `verify`, without holding up the event loop where keys must be fetched."""
        waited = 0
        while True:
            found = self._look(token, waited)
            if isinstance(found, Principal):
                return found
            await import_module("sekisho.guard.aio").wait(found)
            waited += 1

    def health(self) -> Health:
        """Return how this verifier stands."""
        return Health(
            keys_age_s=self._keys.age_s(self._monotonic()),
            remembered=len(self._cache),
            clock_behind_s=self._jwks.ahead_s if self._jwks else 0.0,
            feed=self._feed_state(),
            feed_silent_s=self._feed.silent_s(self._monotonic()) if self._feed else 0.0,
            revocations=len(self._revoked),
        )

    @property
    def server(self) -> Server:
        """The server, for other questions than those of a verifier."""
        return self._given_server or _server(self._server_url)

    @property
    def hears(self) -> bool:
        """Whether the feed is in step: what is revoked is known at once."""
        feed = self._feed
        return feed is not None and feed.in_step_at is not None and feed.silent_s(self._monotonic()) < LEAST_SILENCE_S

    def is_revoked(self, principal: Principal) -> bool:
        """Whether the feed has named the principal's session or client. Starts the feed, if it has not been."""
        if self._feed is not None:
            self._feed.start(FIRST_SNAPSHOT_S)
        app = principal.client_id.partition(":")[0]
        return self._revoked.names(principal.session_id, principal.token_id, principal.client_id, app)

    def revoke_locally(self, session_id: str) -> None:
        """Refuse a session's tokens in this process from now on, whatever the server knows: for an API that has just
        ended the session, and for tests."""
        until = datetime.fromtimestamp(self._clock() + LONGEST_TOKEN_S, UTC)
        self._revoked.add((Revocation(0, "sid", session_id, until),))

    def close(self) -> None:
        """Stop listening to the feed. What was verified so far stays as it was."""
        if self._feed is not None:
            self._feed.stop()

    def _feed_state(self) -> str:
        if self._feed is None:
            return "off"
        if self._feed.in_step_at is None:
            return "starting"
        return "silent" if self._feed.silent_s(self._monotonic()) > self._silence_s else "in_step"

    def _look(self, token: str, waited: int) -> Principal | Flight:
        """Return who is calling, or what must be waited for first."""
        known = self._known(token, waited)
        if not isinstance(known, Known):
            return known
        principal = self._checked(known)
        if self._revoked.names(principal.session_id, principal.token_id, principal.client_id, known.app):
            raise SessionRevoked(detail="in the feed")
        feed = self._feed
        if feed is None:
            return principal
        now = self._monotonic()
        silent_s = feed.silent_s(now)
        if feed.in_step_at is not None and silent_s <= self._silence_s:
            return principal
        return self._while_silent(token, principal, silent_s, waited)

    def _while_silent(self, token: str, principal: Principal, silent_s: float, waited: int) -> Principal | Flight:
        """The feed has said nothing for too long, or nothing yet."""
        if self._when_silent == "open" and silent_s > self._silence_s:
            return principal
        if self._asking is None:
            raise ServiceUnavailable(detail=f"the feed has been silent for {silent_s:.0f} s", retry_after=5)
        answer = self._asking.counts(token, self._monotonic(), may_wait=waited < MAX_WAITS)
        if answer is True:
            return principal
        if answer is False:
            raise SessionRevoked(detail="the server says so")
        return answer

    def _known(self, token: str, waited: int) -> Known | Flight:
        """Return the genuine token, or what must be waited for first."""
        now = self._monotonic()
        if self._feed is not None:
            first = self._feed.start(FIRST_SNAPSHOT_S)
            if not first.is_done and self._feed.silent_s(now) < FIRST_SNAPSHOT_S and waited < MAX_WAITS:
                return first
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
                permissions=self.permissions,
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
        if self._revoked.names_key(known.kid):
            raise AccessTokenExpired(detail="key revoked")
        return known.principal

    def _remember(self, token: str, known: Known) -> None:
        with self._lock:
            self._cache[token] = known
            if len(self._cache) > self._cache_size:
                del self._cache[next(iter(self._cache))]

    def _listen(self, key: str, server: Server) -> None:
        remote = import_module("sekisho.guard.remote")
        if not key.startswith("skg_"):
            raise ValueError("feed_key must be the text that `sekisho guard-key add` showed; it begins with skg_")
        self._feed = Feed(
            remote.HttpLine(server, key),
            self._revoked,
            monotonic=self._monotonic,
            clock=self._clock,
            report=remote.Reports("feed"),
        )
        if self._when_silent == "ask":
            ask = partial(remote.ask_about, server, key)
            self._asking = Asking(ask, monotonic=self._monotonic, longest_s=FETCH_S)

    def _published(self, server: Server) -> PublishedKeys:
        remote = import_module("sekisho.guard.remote")
        self._jwks = fetch = remote.JwksFetch(server, self._clock)
        return PublishedKeys(fetch, monotonic=self._monotonic, report=remote.Reports("keys"), longest_s=FETCH_S)


def _server(url: str) -> Server:
    # Late: TLS and HTTP take longer to import than all the rest of the guard.
    server: Server = import_module("sekisho.guard.fetching").Server(url)
    return server


def _policy(closed_s: float | None, open_s: float | None, ask_s: float | None) -> tuple[str, float]:
    given = [(name, s) for name, s in (("closed", closed_s), ("open", open_s), ("ask", ask_s)) if s is not None]
    if len(given) > 1:
        raise ValueError("give one of fail_closed_after_s, fail_open_after_s and ask_after_s")
    name, seconds = given[0] if given else ("closed", FAIL_CLOSED_AFTER_S)
    if not LEAST_SILENCE_S <= seconds < float("inf"):
        raise ValueError(
            f"a silence shorter than {LEAST_SILENCE_S:.0f} s is none: the server says something every five"
        )
    return name, seconds

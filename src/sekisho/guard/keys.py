"""The issuer's keys: fetched once, kept, looked at again before they grow old.

    age < 30 s    used
    30 to 60 s    used, and fetched again beside the requests
    > 60 s        waited for, once; while the issuer is away the old ones go on, for a day at most
    unknown kid   fetched again, at most every 30 s; all who meet it wait for one answer

So a key that the issuer stops showing (compromised) is refused within a minute without any feed, and made-up kids
cost the issuer two requests a minute.

Spec: RFC 7517 section 5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Protocol

from sekisho.guard.flight import Flight, fly
from sekisho.rfc import jwk, jwt
from sekisho.rfc.keys import KeyRefused, SymmetricKey, VerificationKey

REFRESH_AFTER_S = 30.0
WAIT_AFTER_S = 60.0
RETRY_AFTER_S = 30.0
STALE_FOR_S = 24 * 60 * 60.0
REMEMBERED = 100
_NEVER = float("-inf")
_FOREVER = float("inf")


class KeysUnreadable(Exception):
    """The issuer did not answer, or with something that is no key set. Never quotes it."""


class Keys(Protocol):
    """What a verifier needs of keys."""

    def accepts(self, kid: str) -> bool:
        """Whether the key's signatures count now."""

    def find(self, kid: str) -> VerificationKey:
        """Return the key, also one that no longer counts.

        Raises:
            UnknownKey: never seen.
        """

    def due(self, now: float) -> Flight | None:
        """Return what must be waited for before the keys may be used; None: go on."""

    def missing(self, now: float) -> Flight | None:
        """A kid is unknown: return what may bring it; None: nothing can before a while."""

    def are_usable(self, now: float) -> bool:
        """Whether there are keys that are not too old to count."""

    def age_s(self, now: float) -> float | None:
        """How old they are; None: there are none."""


class SharedKey:
    """The one HS256 key of a setting.

    Raises:
        KeyRefused: shorter than 32 bytes.
    """

    __slots__ = ("_key",)

    def __init__(self, secret: bytes) -> None:
        self._key = SymmetricKey(secret)

    def accepts(self, kid: str) -> bool:
        return kid == self._key.kid

    def find(self, kid: str) -> VerificationKey:
        if kid != self._key.kid:
            raise jwt.UnknownKey("unknown kid")
        return self._key

    def due(self, now: float) -> Flight | None:
        return None

    def missing(self, now: float) -> Flight | None:
        return None

    def are_usable(self, now: float) -> bool:
        return True

    def age_s(self, now: float) -> float | None:
        return 0.0


class PublishedKeys:
    """The keys of a JWKS.

    Args:
        fetch: returns the JSON; raises `KeysUnreadable`. Called in a thread, one call at a time.
        monotonic: seconds of a clock that never steps.
        report: told in a few words why a fetch failed, and "" when one succeeded.
        longest_s: a fetch takes no longer.

    Concurrency: any number of threads. A new set replaces the old one as a whole.
    """

    __slots__ = (
        "_fetch",
        "_fetched_at",
        "_flight",
        "_known",
        "_lock",
        "_longest_s",
        "_monotonic",
        "_report",
        "_shown",
        "_tried_at",
    )

    def __init__(
        self,
        fetch: Callable[[], bytes],
        *,
        monotonic: Callable[[], float],
        report: Callable[[str], None],
        longest_s: float,
    ) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._report = report
        self._longest_s = longest_s
        self._lock = Lock()
        self._shown: Mapping[str, VerificationKey] = {}
        self._known: dict[str, VerificationKey] = {}
        self._fetched_at = self._tried_at = _NEVER
        self._flight: Flight | None = None

    def accepts(self, kid: str) -> bool:
        return kid in self._shown

    def find(self, kid: str) -> VerificationKey:
        key = self._known.get(kid)
        if key is None:
            raise jwt.UnknownKey("unknown kid")
        return key

    def due(self, now: float) -> Flight | None:
        age = now - self._fetched_at
        if age < REFRESH_AFTER_S:
            return None
        flight = self._under_way(now)
        return flight if age >= WAIT_AFTER_S else None

    def missing(self, now: float) -> Flight | None:
        return self._under_way(now)

    def are_usable(self, now: float) -> bool:
        return now - self._fetched_at < STALE_FOR_S

    def age_s(self, now: float) -> float | None:
        return None if self._fetched_at == _NEVER else now - self._fetched_at

    def _under_way(self, now: float) -> Flight | None:
        """Return the one fetch that runs, a new one if the last try is long enough ago, or None."""
        with self._lock:
            flight = self._flight
            if flight is not None and not flight.is_done:
                # One that hangs beyond its time (a name server) is waited for by nobody, and no second one starts.
                return flight if now - self._tried_at < self._longest_s else None
            if now - self._tried_at < RETRY_AFTER_S:
                return None
            self._tried_at = now
            self._flight = fly(self._fetch_once, self._longest_s, "keys")
            return self._flight

    def _fetch_once(self) -> None:
        try:
            found = jwk.parse_jwks(self._fetch())
        except (KeysUnreadable, KeyRefused) as error:
            self._report(str(error))
            return
        # Keys that are no longer shown are kept to tell `expired` from `forged`.
        known: dict[str, VerificationKey] = {**self._known, **found}
        for kid in list(known)[: max(0, len(known) - REMEMBERED)]:
            if kid not in found:
                del known[kid]
        self._known = known
        self._shown = found
        self._fetched_at = self._monotonic()
        self._report("")

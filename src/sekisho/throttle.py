"""Limits: which buckets a try counts against. The store does the counting, atomically, before the work.

A try is counted first and given back on success, so that parallel guesses cannot pass a limit. Buckets
are keyed hashes: a stolen database names no address. Nobody is locked out for good: per account there
is only a growing delay, and a device that signed in before is exempt from it.

Spec: ASVS 6.1.1, 6.3.1; NIST SP 800-63B-4 section 3.2.2; DESIGN section 8.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from msgspec import Struct

from sekisho.errors import RateLimitExceeded
from sekisho.master_secret import MasterSecret
from sekisho.model import Millis
from sekisho.ports.changes import CountTry, GiveBackTry
from sekisho.ports.storage import Outcome
from sekisho.rfc import base64url

_SECOND_MS = 1000
_DAY_MS = 24 * 60 * 60 * _SECOND_MS
_IPV6_PREFIX = 64


class Limits(Struct, frozen=True, kw_only=True):
    """How many tries in which time. There is no number that means "off".

    Raises:
        ValueError: a number below 1, or a first delay above the longest.
    """

    login_failures_per_identifier_and_network: int = 5
    login_failures_per_network: int = 50
    login_window_seconds: int = 5 * 60
    login_failures_per_identifier_a_day: int = 20
    login_first_delay_seconds: int = 30
    login_max_delay_seconds: int = 60 * 60
    code_sends_per_address: int = 3
    code_sends_per_address_a_day: int = 10
    code_sends_per_network: int = 20
    code_sends_window_seconds: int = 5 * 60
    code_tries_per_code: int = 5
    wrong_codes_per_address_a_day: int = 20

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        if self.login_first_delay_seconds > self.login_max_delay_seconds:
            raise ValueError("login_first_delay_seconds is above login_max_delay_seconds")


def network(ip: str) -> str:
    """Return what counts as one sender: the IPv4 address, or the /64 of an IPv6 address, in which every
    customer has 2^64 addresses. "" for no or a malformed address: all of those share one bucket."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    bits = int(address) >> (128 - _IPV6_PREFIX) << (128 - _IPV6_PREFIX)
    return f"{ipaddress.IPv6Address(bits)}/{_IPV6_PREFIX}"


class Throttle:
    """Names buckets and their limits; keeps no state of its own."""

    def __init__(self, master: MasterSecret, limits: Limits | None = None) -> None:
        self._master = master
        self.limits = limits or Limits()

    def login_tries(self, email_key: str, ip: str, now: Millis, *, known_device: bool) -> tuple[CountTry, ...]:
        """Return the tries of one login. A known device is spared the delay that strangers may have
        caused, never the two limits of its own network."""
        limits, window_ms = self.limits, self.limits.login_window_seconds * _SECOND_MS
        net = network(ip)
        by_network = (
            self._count(
                "login", email_key, net, limit=limits.login_failures_per_identifier_and_network, ms=window_ms, now=now
            ),
            self._count("login_network", net, limit=limits.login_failures_per_network, ms=window_ms, now=now),
        )
        return by_network if known_device else (*by_network, self._login_delay(email_key, now))

    def password_tries(self, account_id: str, ip: str, now: Millis) -> tuple[CountTry, ...]:
        """Return the tries of a call that asks a signed-in account for its password."""
        limit, window_ms = (
            self.limits.login_failures_per_identifier_and_network,
            self.limits.login_window_seconds * _SECOND_MS,
        )
        return (self._count("password", account_id, network(ip), limit=limit, ms=window_ms, now=now),)

    def code_sends(self, email_key: str, ip: str, now: Millis) -> tuple[CountTry, ...]:
        """Return the tries of sending one code. Never given back: the mail is out."""
        limits, window_ms = self.limits, self.limits.code_sends_window_seconds * _SECOND_MS
        per_day = limits.code_sends_per_address_a_day
        return (
            self._count("code_send", email_key, limit=limits.code_sends_per_address, ms=window_ms, now=now),
            self._count("code_send_day", email_key, limit=per_day, ms=_DAY_MS, now=now),
            self._count("code_send_network", network(ip), limit=limits.code_sends_per_network, ms=window_ms, now=now),
        )

    def code_tries(self, email_key: str, now: Millis) -> tuple[CountTry, ...]:
        """Return the try of typing a code, over all codes of the address: resending buys no guesses."""
        limit = self.limits.wrong_codes_per_address_a_day
        return (self._count("code_try_day", email_key, limit=limit, ms=_DAY_MS, now=now),)

    def give_back(self, tries: Iterable[CountTry], now: Millis) -> tuple[GiveBackTry, ...]:
        """Return the changes that undo these tries, for the commit of the success."""
        return tuple(GiveBackTry(key=each.key, now=now) for each in tries)

    def refuse_if_throttled(self, outcome: Outcome, now: Millis) -> None:
        """Raise if the outcome was lost to a limit; other losses are the flow's business.

        Raises:
            RateLimitExceeded: `retry_after` in whole seconds, at least 1, rounded up.
        """
        lost = outcome.lost
        if lost is not None and isinstance(lost.change, CountTry):
            wait_ms = (lost.retry_at or now) - now
            raise RateLimitExceeded(detail=lost.why, retry_after=max(1, -(-wait_ms // _SECOND_MS)))

    def identifier_tag(self, email_key: str) -> str:
        """Return a keyed hash of an identifier, for audit and known devices."""
        return base64url.encode(self._master.tag("identifier", email_key))

    def device_tag(self, token: str) -> str:
        """Return a keyed hash of a device cookie; "" without one, which no device has."""
        return base64url.encode(self._master.tag("device", token)) if token else ""

    def _login_delay(self, email_key: str, now: Millis) -> CountTry:
        return CountTry(
            key=self._key("login_day", email_key),
            limit=self.limits.login_failures_per_identifier_a_day,
            window_ms=_DAY_MS,
            now=now,
            first_delay_ms=self.limits.login_first_delay_seconds * _SECOND_MS,
            max_delay_ms=self.limits.login_max_delay_seconds * _SECOND_MS,
        )

    def _count(self, rule: str, *parts: str, limit: int, ms: int, now: Millis) -> CountTry:
        return CountTry(key=self._key(rule, *parts), limit=limit, window_ms=ms, now=now)

    def _key(self, rule: str, *parts: str) -> bytes:
        return self._master.tag("throttle", rule, *parts)

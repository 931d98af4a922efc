"""Limits: which buckets a try counts against. The store does the counting, atomically, before the work.

A try is counted first and given back on success, so that parallel guesses cannot pass a limit. Buckets
are keyed hashes: a stolen database names no address. Nobody is locked out for good: per account there
is only a growing delay, and a device that signed in before is exempt from it.

Spec: ASVS 6.1.1, 6.3.1; NIST SP 800-63B-4 section 3.2.2; DESIGN section 8.
"""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from msgspec import Struct

from sekisho.errors import RateLimitExceeded, ServiceUnavailable
from sekisho.identifiers import ClientId
from sekisho.master_secret import MasterSecret
from sekisho.model import Millis, Origin
from sekisho.ports.changes import CountTry, ForgetTries, GiveBackTry, RememberDevice
from sekisho.ports.storage import AccountReads, Outcome, Store
from sekisho.rfc import base64url

_SECOND_MS = 1000
# The first of `code_sends`; the network's comes last.
_SENDS_OF_ADDRESS = 2
_DAY_MS = 24 * 60 * 60 * _SECOND_MS
_IPV6_PREFIX = 64
_SHORTEST_DEVICE_PART = 16

# Rules that count a whole network and guard no single account.
_COARSE = frozenset({"login_network", "code_send_network", "code_try_network"})


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
    factor_failures_per_account_and_network: int = 10
    factor_failures_per_account_a_day: int = 20
    sms_per_number: int = 3
    sms_per_number_a_day: int = 6
    sms_per_account_a_day: int = 10
    sms_per_network_a_day: int = 30
    sms_a_day: int = 500

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


def refuse_if_throttled(outcome: Outcome, now: Millis) -> None:
    """Raise if the outcome was lost to a limit; other losses are the flow's business.

    Raises:
        RateLimitExceeded: `retry_after` in whole seconds, at least 1, rounded up.
    """
    lost = outcome.lost
    if lost is not None and isinstance(lost.change, CountTry):
        wait_ms = (lost.retry_at or now) - now
        raise RateLimitExceeded(detail=lost.why, retry_after=max(1, -(-wait_ms // _SECOND_MS)))


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
        return by_network if known_device else (*by_network, self._delay("login_day", email_key, now))

    def password_tries(self, account_id: str, ip: str, now: Millis) -> tuple[CountTry, ...]:
        """Return the tries of a call that asks a signed-in account for its password."""
        limit, window_ms = (
            self.limits.login_failures_per_identifier_and_network,
            self.limits.login_window_seconds * _SECOND_MS,
        )
        return (
            self._count("password", account_id, network(ip), limit=limit, ms=window_ms, now=now),
            self._delay("password_day", account_id, now),
        )

    def code_sends(self, email_key: str, ip: str, now: Millis) -> tuple[CountTry, ...]:
        """Return the tries of sending one code. Never given back: the mail is out."""
        limits, window_ms = self.limits, self.limits.code_sends_window_seconds * _SECOND_MS
        per_day = limits.code_sends_per_address_a_day
        return (
            self._count("code_send", email_key, limit=limits.code_sends_per_address, ms=window_ms, now=now),
            self._count("code_send_day", email_key, limit=per_day, ms=_DAY_MS, now=now),
            self._count("code_send_network", network(ip), limit=limits.code_sends_per_network, ms=window_ms, now=now),
        )

    def factor_mails(self, account_id: str, ip: str, now: Millis) -> tuple[CountTry, ...]:
        """Return the tries of mailing one code to the owner of an account who has shown the password. By the numbers of
        every code, but counted by account: what strangers ask to be sent to an address keeps nobody from signing in."""
        limits, window_ms = self.limits, self.limits.code_sends_window_seconds * _SECOND_MS
        per_day = limits.code_sends_per_address_a_day
        return (
            self._count("factor_mail", account_id, limit=limits.code_sends_per_address, ms=window_ms, now=now),
            self._count("factor_mail_day", account_id, limit=per_day, ms=_DAY_MS, now=now),
            self._count("code_send_network", network(ip), limit=limits.code_sends_per_network, ms=window_ms, now=now),
        )

    def sms_sends(self, number: str, account_id: str, ip: str, now: Millis) -> tuple[CountTry, ...]:
        """Return the tries of sending one text message, the last that of the whole server. Never given back: it costs.

        The whole server's is counted only when all others pass, so that nobody uses it up by asking in vain.
        """
        limits, window_ms = self.limits, self.limits.code_sends_window_seconds * _SECOND_MS
        per_account, per_network = limits.sms_per_account_a_day, limits.sms_per_network_a_day
        return (
            self._count("sms_number", number, limit=limits.sms_per_number, ms=window_ms, now=now),
            self._count("sms_number_day", number, limit=limits.sms_per_number_a_day, ms=_DAY_MS, now=now),
            self._count("sms_account_day", account_id, limit=per_account, ms=_DAY_MS, now=now),
            self._count("sms_network_day", network(ip), limit=per_network, ms=_DAY_MS, now=now),
            self._count("sms_day", limit=limits.sms_a_day, ms=_DAY_MS, now=now),
        )

    def code_tries(self, email_key: str, ip: str, now: Millis) -> tuple[CountTry, ...]:
        """Return the tries of typing a code: over all codes of the address, so that resending buys no guesses, and
        over all addresses of the network, by the numbers of the login: each failure is written down."""
        limits, window_ms = self.limits, self.limits.login_window_seconds * _SECOND_MS
        a_day, by_network = limits.wrong_codes_per_address_a_day, limits.login_failures_per_network
        return (
            self._count("code_try_day", email_key, limit=a_day, ms=_DAY_MS, now=now),
            self._count("code_try_network", network(ip), limit=by_network, ms=window_ms, now=now),
        )

    def not_me_tries(self, ip: str, now: Millis) -> tuple[CountTry, ...]:
        """Return the tries of a code that nobody guesses: by network alone, as each failure is written down. A stranger
        who types wrong codes for an address must not keep its owner from the right one."""
        limit, window_ms = self.limits.login_failures_per_network, self.limits.login_window_seconds * _SECOND_MS
        return (self._count("code_try_network", network(ip), limit=limit, ms=window_ms, now=now),)

    def factor_tries(self, account_id: str, ip: str, now: Millis) -> tuple[CountTry, ...]:
        """Return the tries of a second factor, at sign-in and in a session alike: a new challenge buys no guesses.

        No device is exempt. Who guesses here knows the password: the owner ends that by changing it.
        """
        limits, window_ms = self.limits, self.limits.login_window_seconds * _SECOND_MS
        limit = limits.factor_failures_per_account_and_network
        return (
            self._count("factor", account_id, network(ip), limit=limit, ms=window_ms, now=now),
            self._delay("factor_day", account_id, now, limit=limits.factor_failures_per_account_a_day),
        )

    def give_back(self, tries: Iterable[CountTry], now: Millis) -> tuple[GiveBackTry, ...]:
        """Return the changes that undo these tries, for the commit of the success."""
        return tuple(GiveBackTry(key=each.key, now=now, coarse=each.coarse) for each in tries)

    def give_back_sends(self, sends: Sequence[CountTry], now: Millis) -> tuple[GiveBackTry, ...]:
        """Return the changes after which an address may be sent as much as before, when nothing was sent to it. The
        network's count stays: it bounds the work that was done."""
        return self.give_back(sends[:_SENDS_OF_ADDRESS], now)

    def forget_logins(self, email_key: str, ip: str) -> tuple[ForgetTries, ...]:
        """Return the changes after which this identifier may log in from this network at once: its owner has just
        proved to be who they are, and the failures from before must not keep them out."""
        return (
            ForgetTries(key=self._key("login", email_key, network(ip))),
            ForgetTries(key=self._key("login_day", email_key)),
        )

    def forget_all(self, email_key: str, account_id: str, ip: str) -> tuple[ForgetTries, ...]:
        """Return the changes that clear every limit of one identifier and its account ("" for none). What is counted
        for the identifier and one network together is cleared for the network of `ip`, if one is given."""
        keys = [self._key(rule, email_key) for rule in ("login_day", "code_send", "code_send_day", "code_try_day")]
        if account_id:
            rules = ("password_day", "factor_day", "factor_mail", "factor_mail_day", "sms_account_day")
            keys += [self._key(rule, account_id) for rule in rules]
        if ip:
            keys += [self._key("login", email_key, network(ip))]
            keys += [self._key(rule, account_id, network(ip)) for rule in ("password", "factor")]
        return tuple(ForgetTries(key=key) for key in keys)

    @asynccontextmanager
    async def paying(self, tries: Iterable[CountTry], store: Store, now: Millis) -> AsyncIterator[None]:
        """Give the tries back if the work inside is turned away: nothing was verified, and a server that somebody
        keeps busy must not lock out those who ask again as it told them to."""
        try:
            yield
        except ServiceUnavailable:
            await store.apply(*self.give_back(tries, now))
            raise

    def identifier_tag(self, email_key: str) -> str:
        """Return a keyed hash of an identifier, for audit and known devices."""
        return base64url.encode(self._master.lasting_tag("identifier", email_key))

    async def is_known_device(self, reads: AccountReads, email_key: str, origin: Origin, client: ClientId) -> bool:
        """Say whether this identifier signed in before from where the request comes."""
        who = self.identifier_tag(email_key)
        for tag in self._device_tags(origin, client):
            if await reads.is_known_device(who, tag):
                return True
        return False

    def remember_devices(
        self, email_key: str, origin: Origin, client: ClientId, now: Millis
    ) -> tuple[RememberDevice, ...]:
        """Return the changes that make this device known to this identifier, for the commit of the success."""
        who = self.identifier_tag(email_key)
        tags = self._device_tags(origin, client)
        return tuple(RememberDevice(identifier_tag=who, device_tag=tag, now=now) for tag in tags)

    def _device_tags(self, origin: Origin, client: ClientId) -> tuple[str, ...]:
        """Keyed hashes of what names this device: the cookie, and the device part of the client_id.

        A short device part is no name: an app that sends a constant (`app:ios`) would make every
        stranger's device a known one.
        """
        device_part = client.device if len(client.device) >= _SHORTEST_DEVICE_PART else ""
        names = (("cookie", origin.device_token), ("client", device_part))
        return tuple(base64url.encode(self._master.lasting_tag("device", kind, name)) for kind, name in names if name)

    def _delay(self, rule: str, whose: str, now: Millis, *, limit: int | None = None) -> CountTry:
        """Return the try that waits longer with each failure of a day."""
        return CountTry(
            key=self._key(rule, whose),
            limit=limit or self.limits.login_failures_per_identifier_a_day,
            window_ms=_DAY_MS,
            now=now,
            first_delay_ms=self.limits.login_first_delay_seconds * _SECOND_MS,
            max_delay_ms=self.limits.login_max_delay_seconds * _SECOND_MS,
        )

    def _count(self, rule: str, *parts: str, limit: int, ms: int, now: Millis) -> CountTry:
        return CountTry(key=self._key(rule, *parts), limit=limit, window_ms=ms, now=now, coarse=rule in _COARSE)

    def _key(self, rule: str, *parts: str) -> bytes:
        return self._master.tag("throttle", rule, *parts)

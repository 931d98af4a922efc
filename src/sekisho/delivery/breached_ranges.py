"""Asking a service for breached passwords by the first five digits of their SHA-1 (the range protocol of Pwned
Passwords): it learns one of a million groups, never the password nor its hash.

https only, except to this machine; certificates are checked; no redirect is followed; the answer is bounded in size,
and the whole exchange in time. It has few threads, of its own: where all of them wait for a slow service, further
questions are not asked.

Spec: https://haveibeenpwned.com/API/v3#SearchingPwnedPasswordsByRange (padding included).
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from threading import Semaphore
from time import monotonic
from urllib.parse import urlsplit

from sekisho.ports.breached import BreachedRangesUnavailable

MAX_ANSWER_BYTES = 256 * 1024
AT_ONCE = 8
_PREFIX = re.compile(r"[0-9A-F]{5}")
_LINE = re.compile(rb"([0-9A-Fa-f]{35}):([0-9]{1,10})")
_HEADERS = {"Add-Padding": "true", "User-Agent": "sekisho", "Accept-Encoding": "identity", "Connection": "close"}


class RangesOverHttp:
    """The service at `url`; a prefix is put behind it.

    Args:
        tls: for a certificate authority of your own; by default that of the system.

    Raises:
        ValueError: not https (http is for loopback only), or not an address.
    """

    def __init__(self, url: str, timeout_ms: int, tls: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise ValueError(f"{url!r} is not the address of a service")
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise ValueError(f"{url!r} must begin with https://")
        self._host, self._port, self._path = parts.hostname, parts.port, parts.path.rstrip("/")
        self._tls = None if parts.scheme == "http" else tls or ssl.create_default_context()
        self._timeout_s = timeout_ms / 1000
        self._threads = ThreadPoolExecutor(AT_ONCE, "breached-passwords")
        self._free = Semaphore(AT_ONCE)

    async def suffixes(self, prefix: str) -> frozenset[str]:
        if not _PREFIX.fullmatch(prefix):
            raise ValueError("a prefix is five hexadecimal digits in upper case")
        if not self._free.acquire(blocking=False):
            raise BreachedRangesUnavailable("as many questions are open as may be")
        exchange = _Exchange(self._connection())
        future = self._threads.submit(exchange.ask, f"{self._path}/{prefix}", monotonic() + self._timeout_s)
        future.add_done_callback(lambda _: self._free.release())
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._timeout_s)
        except TimeoutError:
            raise BreachedRangesUnavailable(f"no answer within {self._timeout_s} s") from None
        finally:
            # Whoever feeds the thread an octet a second must not keep it.
            exchange.cut()

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _connection(self) -> HTTPConnection:
        if self._tls is None:
            return HTTPConnection(self._host, self._port, timeout=self._timeout_s)
        return HTTPSConnection(self._host, self._port, timeout=self._timeout_s, context=self._tls)


class _Exchange:
    """One question, asked in a thread. Its socket is kept: the connection forgets it before the answer is read."""

    def __init__(self, connection: HTTPConnection) -> None:
        self._connection = connection
        self._socket: socket.socket | None = None

    def ask(self, path: str, until: float) -> frozenset[str]:
        with closing(self._connection):
            try:
                return _read(self._answer(path, until))
            except (OSError, HTTPException, ValueError) as error:
                raise BreachedRangesUnavailable(type(error).__name__) from None

    def cut(self) -> None:
        """End it from outside, under TLS's feet: a thread that waits for more wakes up and finds nothing."""
        if self._socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _answer(self, path: str, until: float) -> bytes:
        self._connection.connect()
        self._socket = self._connection.sock
        if monotonic() > until:
            raise BreachedRangesUnavailable("nobody waits any more")
        self._connection.request("GET", path, headers=_HEADERS)
        with self._connection.getresponse() as answer:
            if answer.status != 200:
                raise BreachedRangesUnavailable(f"status {answer.status}")
            body = answer.read(MAX_ANSWER_BYTES + 1)
        if len(body) > MAX_ANSWER_BYTES:
            raise BreachedRangesUnavailable("an answer that is too long")
        return body


def _read(body: bytes) -> frozenset[str]:
    """Return the suffixes; those that were seen no time are padding.

    Raises:
        BreachedRangesUnavailable: something else than a range, as a page of a portal that wants a sign-in.
    """
    found = set()
    for line in body.splitlines():
        entry = _LINE.fullmatch(line)
        if entry is None:
            raise BreachedRangesUnavailable("an answer that is no range")
        if int(entry[2]):
            found.add(entry[1].decode("ascii").upper())
    return frozenset(found)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

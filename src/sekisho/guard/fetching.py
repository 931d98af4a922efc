"""Asking the server over HTTP, with the standard library alone. Loaded when first needed: TLS takes long to import.

https only, except to this machine; certificates are checked; no redirect is followed; what comes back is bounded in
size, and the whole exchange in time.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from ipaddress import ip_address
from time import monotonic
from urllib.parse import urlsplit

from msgspec import Struct

CONNECT_S = 3.0
EXCHANGE_S = 5.0
MAX_ANSWER_BYTES = 4 * 1024 * 1024
_CHUNK = 64 * 1024


class Unreachable(Exception):
    """No answer, one that is too long or too slow, or a connection that cannot be trusted. Quotes no secret."""


class Answer(Struct, frozen=True):
    """headers: lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Server:
    """The server at one address.

    Args:
        url: scheme, host, port and perhaps a path before everything.
        tls: for a certificate authority of your own; by default that of the system.

    Raises:
        ValueError: not https (http is for loopback only), or not an address.

    Concurrency: any number of threads; each exchange has a connection of its own.
    """

    __slots__ = ("_host", "_path", "_port", "_tls", "url")

    def __init__(self, url: str, tls: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        if parts.username or parts.password or parts.query or parts.fragment or not parts.hostname:
            raise ValueError(f"{url!r} is not the address of a server: scheme, host, perhaps port and path")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError(f"{url!r} must begin with https://; http is for this machine only")
        if parts.scheme not in ("http", "https"):
            raise ValueError(f"{url!r} must begin with https://")
        self.url = url.rstrip("/")
        self._host, self._port, self._path = parts.hostname, parts.port, parts.path.rstrip("/")
        self._tls = None if parts.scheme == "http" else tls or ssl.create_default_context()

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        max_bytes: int = MAX_ANSWER_BYTES,
        longest_s: float = EXCHANGE_S,
    ) -> Answer:
        """Return the answer, whatever its status.

        Raises:
            Unreachable: see there.
        """
        until = monotonic() + longest_s
        connection = self._connection()
        try:
            connection.request(method, self._path + path, body=body, headers=dict(headers or {}))
            with connection.getresponse() as response:
                data = _read(response, connection, max_bytes, until)
                named = {name.lower(): value for name, value in response.getheaders()}
                return Answer(response.status, named, data)
        except (OSError, HTTPException) as error:
            raise Unreachable(_why(error)) from None
        finally:
            connection.close()

    def lines(self, path: str, *, headers: Mapping[str, str], silence_s: float, max_line_bytes: int) -> Iterator[bytes]:
        """Yield the lines of an answer that goes on and on, until the server ends it.

        Args:
            silence_s: how long nothing may come.

        Raises:
            Unreachable: see there; also for another status than 200, and a line that is too long or cut off.
        """
        connection = self._connection()
        try:
            connection.request("GET", self._path + path, headers=dict(headers))
            if connection.sock is not None:
                connection.sock.settimeout(silence_s)
            with connection.getresponse() as response:
                if response.status != 200:
                    raise Unreachable(refused(response.status))
                while line := response.readline(max_line_bytes):
                    if not line.endswith(b"\n"):
                        raise Unreachable("a line is too long, or cut off")
                    yield line
        except (OSError, HTTPException) as error:
            raise Unreachable(_why(error)) from None
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        if self._tls is None:
            return HTTPConnection(self._host, self._port, timeout=CONNECT_S)
        return HTTPSConnection(self._host, self._port, timeout=CONNECT_S, context=self._tls)


def refused(status: int) -> str:
    """Return what an answer that is no success means."""
    if status == 401:
        return "the server refuses the guard's key (401): was it removed? `sekisho guard-key add` makes a new one"
    return f"the server answered {status}"


def is_loopback(host: str) -> bool:
    """Whether this is a name or address of the machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _read(response: HTTPResponse, connection: HTTPConnection, max_bytes: int, until: float) -> bytes:
    data = bytearray()
    while True:
        left = until - monotonic()
        if left <= 0:
            raise TimeoutError("too slow")
        if connection.sock is not None:
            connection.sock.settimeout(min(left, CONNECT_S))
        chunk = response.read1(_CHUNK)
        if not chunk:
            return bytes(data)
        data += chunk
        if len(data) > max_bytes:
            raise HTTPException("the answer is too long")


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate refused: {error.verify_message}"
    return str(error) or type(error).__name__

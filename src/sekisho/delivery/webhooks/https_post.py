"""One POST to an address of the operator's, made so that it reaches nothing else.

https with the certificate checked; http to this machine only, where the address says so itself. The name is looked up
once, what it stands for is judged, and the connection goes to exactly that: a name that answers differently the second
time gains nothing. No redirect is followed, no proxy of the environment is asked, what comes back is bounded, and so is
the time of the whole.

Spec: RFC 9112; ASVS 1.3.6, 15.3.2.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

import h11

WHOLE_EXCHANGE_S = 10
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_MAX_HEAD_BYTES = 16 * 1024
_PIECE_BYTES = 4 * 1024
# A network without IPv4 writes every address of it so (RFC 6052).
_TRANSLATED = IPv6Network("64:ff9b::/96")

_Address = IPv4Address | IPv6Address


class PostFailed(Exception):
    """No answer that can be used. Its text names the step that failed, never what was sent or where."""


class HttpsPost:
    """Posts to one URL.

    Args:
        url: https, or http to this machine; without user, password and fragment.
        may_be_private: whether the name may stand for an address of a private network.
        timeout_s: for the whole exchange, the look-up of the name too.
        tls: for an authority of your own; by default those of the system.

    Raises:
        ValueError: a URL that is not such a one.

    Concurrency: each exchange has a connection of its own.
    """

    def __init__(
        self,
        url: str,
        *,
        may_be_private: bool = False,
        timeout_s: float = WHOLE_EXCHANGE_S,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        parts = parse_target(url)
        self._host = parts.hostname or ""
        self._is_local = self._host in _LOOPBACK
        self._port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._authority = parts.netloc
        self._may_be_private = may_be_private
        self._timeout_s = timeout_s
        self._tls = None if parts.scheme == "http" else tls or ssl.create_default_context()

    async def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Return the status of the answer. Its body is not read.

        Raises:
            PostFailed: unreachable, an address that is out of bounds, or not HTTP.
            TimeoutError: the time is over.
            OSError: no connection, or no trust in the certificate.
        """
        async with asyncio.timeout(self._timeout_s):
            reader, writer = await self._connect()
            try:
                return await self._exchange(reader, writer, body, headers)
            finally:
                writer.transport.abort()

    async def check(self) -> None:
        """Connect, with TLS where it is spoken, and send nothing. Raises as `post`."""
        async with asyncio.timeout(self._timeout_s):
            _, writer = await self._connect()
            writer.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        addresses = await self._addresses()
        failure: OSError = OSError("no address")
        for address in addresses:
            try:
                return await asyncio.open_connection(
                    str(address),
                    self._port,
                    limit=_MAX_HEAD_BYTES,
                    ssl=self._tls,
                    server_hostname=self._host if self._tls else None,
                )
            except OSError as error:
                failure = error
        raise failure

    async def _addresses(self) -> list[_Address]:
        """Look the name up once; every address must be in bounds, or the name is not to be trusted."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except UnicodeError:
            raise PostFailed("no name of a host") from None
        addresses = list(dict.fromkeys(ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))
        if not all(self._is_in_bounds(address) for address in addresses):
            raise PostFailed("an address out of bounds")
        return addresses

    def _is_in_bounds(self, address: _Address) -> bool:
        if isinstance(address, IPv6Address):
            address = _meant(address)
        if address.is_loopback or self._is_local:
            return address.is_loopback and self._is_local
        if address.is_link_local or address.is_multicast or address.is_unspecified:
            return False
        if isinstance(address, IPv6Address) and _is_disguise(address):
            return False
        return address.is_global or (self._may_be_private and address.is_private)

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes, headers: Mapping[str, str]
    ) -> int:
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD_BYTES)
        request = h11.Request(
            method="POST",
            target=self._target,
            headers=[
                ("Host", self._authority),
                ("Content-Length", str(len(body))),
                ("Connection", "close"),
                *headers.items(),
            ],
        )
        for part in (request, h11.Data(data=body), h11.EndOfMessage()):
            writer.write(connection.send(part) or b"")
        # Whoever answers early may have closed already: what it said is what counts.
        with suppress(ConnectionError):
            await writer.drain()
        try:
            while not isinstance(event := connection.next_event(), h11.Response):
                if event is h11.NEED_DATA:
                    connection.receive_data(await reader.read(_PIECE_BYTES))
                elif not isinstance(event, h11.InformationalResponse):
                    raise PostFailed("closed without an answer")
        except h11.RemoteProtocolError:
            raise PostFailed("not an answer of HTTP") from None
        return int(event.status_code)


def _meant(address: IPv6Address) -> _Address:
    """Return the address of IPv4 that one of IPv6 is another spelling of, else itself."""
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address


def _is_disguise(address: IPv6Address) -> bool:
    """Whether it is of a tunnel or of no use any more: such a one may end at any address of IPv4, or of a network."""
    return bool(address.sixtofour or address.teredo or address.is_site_local or address.is_reserved)


def parse_target(url: str) -> SplitResult:
    """Return the parts of a URL that may be posted to.

    Raises:
        ValueError: not https (http is for this machine only), no host, or a part that does not belong there.
    """
    parts = urlsplit(url)
    if not parts.hostname or "@" in parts.netloc or parts.fragment or not url.isascii() or not url.isprintable():
        raise ValueError("not a URL of host, path and query")
    if " " in url or parts.scheme not in ("http", "https") or parts.port == 0:
        raise ValueError("not an https URL")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ValueError("http is for this machine only")
    return parts

"""The audit trail to a syslog server: over TCP, with TLS or without.

Syslog has no answer that says "I have it". A batch counts as taken when all of it was written and the connection is
still open a moment later; what a dying server had received and not stored, it never has. The trail in the database
still has it.

Spec: RFC 5424 (messages), RFC 6587 section 3.4.1 (octet counting), RFC 5425 (TLS).
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from sekisho.ports.audit_sink import ShippedLine, SinkUnavailable

CONNECT_S = 10
_AUTHPRIV = 10 * 8
_INFO, _WARNING = 6, 4
_CLOSING_S = 1
_SETTLING_S = 0.2


def tls_by(authority_file: str) -> ssl.SSLContext:
    """Return TLS that believes this authority, or those of the system for "". Verifies the server's name."""
    return ssl.create_default_context(cafile=authority_file or None)


class SyslogSink:
    """tls: None for a connection without it."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._name = _printable(socket.gethostname())
        # With a read that only ends when the connection does.
        self._connection: tuple[asyncio.StreamWriter, asyncio.Task[bytes]] | None = None

    async def take(self, lines: Sequence[ShippedLine]) -> None:
        try:
            writer, ended = await self._connected()
            writer.writelines([_framed(self._message(line)) for line in lines])
            await writer.drain()
            # The server says nothing on this connection; whatever ends it now says that these lines were lost.
            if (await asyncio.wait({ended}, timeout=_SETTLING_S))[0]:
                raise ended.exception() or ConnectionError("the server closed the connection")
        except (OSError, ssl.SSLError) as error:
            await self.close()
            raise SinkUnavailable(f"{self._host}:{self._port}: {_why(error)}") from None
        except asyncio.CancelledError:
            await self.close()  # Half a message may be on the way.
            raise

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            writer, ended = connection
            ended.cancel()
            writer.close()
            with suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), _CLOSING_S)

    async def _connected(self) -> tuple[asyncio.StreamWriter, asyncio.Task[bytes]]:
        if self._connection is not None and self._connection[1].done():
            await self.close()
        if self._connection is None:
            opening = asyncio.open_connection(self._host, self._port, ssl=self._tls)
            reader, writer = await asyncio.wait_for(opening, CONNECT_S)
            # `drain` then waits until the buffer is empty, not until it is small.
            writer.transport.set_write_buffer_limits(0)
            self._connection = writer, asyncio.create_task(reader.read(1))
        return self._connection

    def _message(self, line: ShippedLine) -> bytes:
        priority = _AUTHPRIV + (_WARNING if line.is_failure else _INFO)
        at = datetime.fromtimestamp(line.at / 1000, UTC).isoformat(timespec="milliseconds")
        head = f"<{priority}>1 {at} {self._name} sekisho {os.getpid()} audit - "
        return head.encode() + line.json


def _framed(message: bytes) -> bytes:
    return b"%d %s" % (len(message), message)


def _printable(name: str) -> str:
    return "".join(char for char in name if "!" <= char <= "~")[:255] or "-"


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {CONNECT_S} s"
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__

"""A syslog server for tests."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Collector:
    """A syslog server: takes messages with octet counting apart."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self._more = asyncio.Condition()
        self._open: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.append(writer)
        try:
            while True:
                size = int(await reader.readuntil(b" "))
                self.messages.append((await reader.readexactly(size)).decode())
                async with self._more:
                    self._more.notify_all()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def has(self, many: int) -> list[str]:
        async with asyncio.timeout(30), self._more:
            await self._more.wait_for(lambda: len(self.messages) >= many)
        return self.messages

    @asynccontextmanager
    async def listening(self, port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", port, ssl=tls)
        try:
            yield
        finally:
            server.close()
            for writer in self._open:
                writer.transport.abort()

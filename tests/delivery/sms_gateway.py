"""A gateway for text messages, as an operator would write one: it takes signed posts and answers as it is told."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

Told = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Posted:
    """One request as it came: `headers` by lower-case name."""

    def __init__(self, head: str, body: bytes) -> None:
        self.line, *lines = head.split("\r\n")
        self.headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines if line)}
        self.body = body

    @property
    def json(self) -> dict[str, Any]:
        decoded: dict[str, Any] = json.loads(self.body)
        return decoded


class Gateway:
    """Answers with `statuses` in turn, the last again and again, after `slow_s`; `raw` takes the place of an answer."""

    def __init__(self, *statuses: int, slow_s: float = 0, raw: bytes = b"", headers: str = "") -> None:
        self.statuses = list(statuses) or [202]
        self.slow_s, self.raw, self.headers = slow_s, raw, headers
        self.posts: list[Posted] = []
        self.open: list[asyncio.StreamWriter] = []
        self.at_once = self.most_at_once = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.append(writer)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().strip()
            length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0])
            self.posts.append(Posted(head, await reader.readexactly(length)))
            await asyncio.sleep(self.slow_s)
            status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
            answer = f"HTTP/1.1 {status} X\r\n{self.headers}Content-Length: 2\r\n\r\nok".encode()
            writer.write(self.raw or answer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.at_once -= 1
            writer.close()

    @asynccontextmanager
    async def listening(self, port: int = 0, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
        """Give the port."""
        server = await asyncio.start_server(self.serve, "127.0.0.1", port, ssl=tls)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for writer in self.open:
                writer.transport.abort()
            await asyncio.sleep(0.01)

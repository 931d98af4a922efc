"""A small HTTP client on a raw stream: cheap enough for hundreds of clients, and honest about a cut connection."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import msgspec

PATIENCE_S = 30.0
_OPEN: set[Wire] = set()


class Answer(msgspec.Struct, frozen=True):
    """head: the raw status line and headers. headers: the last of each name."""

    status: int
    head: bytes
    headers: dict[str, str]
    body: bytes
    took_s: float

    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def error(self) -> str:
        return str(self.json()["error"])


class Cut(Exception):
    """The connection ended before a whole answer: the caller cannot know what became of the request."""


class Busy(Exception):
    """The server could not decide now, and said so as it should: 503 with a time."""


def heard(answer: Answer) -> Answer:
    """Return what is an answer.

    Raises:
        Busy: it is "not now".
    """
    if answer.status == 503:
        assert int(answer.headers["retry-after"]) >= 1
        raise Busy(answer.error)
    return answer


class Wire:
    """One client with one connection, opened when needed and kept until `close_all`."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(
        self, method: str, path: str, body: object = None, token: str | None = None, **headers: str
    ) -> Answer:
        """Send JSON to `/api/v1/<path>` (or to an absolute path) and return the answer.

        Raises:
            Cut: see there.
        """
        raw = b"" if body is None else msgspec.json.encode(body)
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if raw:
            fields = {"content-type": "application/json", **fields}
        if token:
            fields["authorization"] = f"Bearer {token}"
        where = path if path.startswith("/") else f"/api/v1/{path}"
        lines = [f"{method} {where} HTTP/1.1", "host: localhost", f"content-length: {len(raw)}"]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        return await self.send("\r\n".join([*lines, "\r\n"]).encode() + raw)

    async def send(self, request: bytes) -> Answer:
        """Send these bytes and read one answer."""
        started = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(PATIENCE_S):
                reader, writer = await self._connected()
                writer.write(request)
                return await _read_answer(reader, started)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            await self.close()
            raise Cut(type(error).__name__) from error

    async def close(self) -> None:
        _OPEN.discard(self)
        if self._streams is not None:
            writer = self._streams[1]
            self._streams = None
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None or self._streams[0].at_eof():
            await self.close()
            self._streams = await asyncio.open_connection("127.0.0.1", self.port)
            _OPEN.add(self)
        return self._streams


async def close_all() -> None:
    for wire in list(_OPEN):
        await wire.close()


async def _read_answer(reader: asyncio.StreamReader, started: float) -> Answer:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    took_s = asyncio.get_running_loop().time() - started
    return Answer(int(lines[0].split()[1]), head, headers, body, took_s)


async def once(port: int, method: str, path: str, body: object = None, token: str | None = None, **headers: str) -> Any:
    """One call on a connection of its own."""
    wire = Wire(port)
    try:
        return await wire.call(method, path, body, token, **headers)
    finally:
        await wire.close()

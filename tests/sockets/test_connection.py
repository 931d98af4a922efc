"""What may arrive on a connection before it is ended: heads, trailers, chunk extensions without end or too slow."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator

import pytest
import uvicorn

from sekisho.http.app import Receive, Scope, Send
from sekisho.sockets.connection import MAX_FRUITLESS_BYTES, BoundedConnection
from sekisho.sockets.listening import listen

pytestmark = pytest.mark.anyio

FIRST_LINES = b"POST / HTTP/1.1\r\nHost: here\r\n"


class ImpatientConnection(BoundedConnection):
    head_timeout_s = 0.3


async def count_body(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the size of the body."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    text = str(size).encode()
    headers = [(b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(
        count_body, http=ImpatientConnection, ws="none", lifespan="off", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve([listener]))
    yield int(listener.getsockname()[1])
    server.should_exit = True
    await serving


async def answered(reader: StreamReader) -> bytes:
    """Return the body of one answer."""
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
    size = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return await reader.readexactly(int(size.partition(b":")[2]))


async def until_cut(reader: StreamReader, writer: StreamWriter, filling: bytes) -> int:
    """Send without end; return how much could be sent before the other side ended the connection."""
    sent = 0
    try:
        while not reader.at_eof() and sent < 64 * MAX_FRUITLESS_BYTES:
            writer.write(filling)
            await writer.drain()
            sent += len(filling)
            await asyncio.sleep(0.001)
    except ConnectionError:
        pass
    writer.transport.abort()
    return sent


@pytest.mark.parametrize(
    ("start", "filling"),
    [
        (FIRST_LINES + b"X-Long: ", b"a" * 8192),
        (FIRST_LINES, b"X-Many: 1\r\n" * 700),
        (FIRST_LINES + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", b"X-Trailer: 1\r\n" * 600),
        (FIRST_LINES + b"Transfer-Encoding: chunked\r\n\r\n1;", b"e" * 8192),
        (b"POST /", b"p" * 8192),
    ],
    ids=["one header", "many headers", "trailers", "chunk extension", "path"],
)
async def test_bytes_that_lead_nowhere_end_the_connection(port: int, start: bytes, filling: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(start)
    assert await until_cut(reader, writer, filling) < 16 * MAX_FRUITLESS_BYTES


@pytest.mark.parametrize("start", [b"", b"GET / HT", FIRST_LINES], ids=["nothing", "half a line", "half a head"])
async def test_a_head_that_does_not_come_ends_the_connection(port: int, start: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(start)
    assert await asyncio.wait_for(reader.read(), 30) == b""
    writer.close()


async def test_a_connection_serves_many_requests_also_after_a_pause_and_with_large_bodies(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = b"b" * (3 * MAX_FRUITLESS_BYTES)
    for _ in range(2):
        writer.write(FIRST_LINES + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert await answered(reader) == b"%d" % len(body)
        # Longer than a head may take: between requests the keep-alive time counts.
        await asyncio.sleep(0.4)
    writer.write((FIRST_LINES + b"Content-Length: 1\r\n\r\nx") * 2)
    assert [await answered(reader), await answered(reader)] == [b"1", b"1"]
    writer.close()

"""A mail server that takes everything and keeps nothing, so that sign-ups have somewhere to send their codes."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def smtp_sink() -> AsyncIterator[int]:
    """Listen on a free port while the block runs; yield the port."""
    server = await asyncio.start_server(_converse, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _converse(reader: StreamReader, writer: StreamWriter) -> None:
    try:
        writer.write(b"220 sink\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
            writer.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 fine\r\n")
            if verb == b"QUIT":
                break
    except (ConnectionError, asyncio.IncompleteReadError):
        return
    finally:
        writer.close()

"""A mail server on the port that the server under test was told of, so that it can come and go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiosmtpd.smtp import SMTP

from delivery.smtp_server import PostOffice


@asynccontextmanager
async def mail_server(office: PostOffice, port: int) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    talks: list[SMTP] = []

    def talk() -> SMTP:
        talks.append(SMTP(office, hostname="mx.example", enable_SMTPUTF8=True, loop=loop))
        return talks[-1]

    server = await loop.create_server(talk, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
        for each in talks:
            if each.transport is not None:
                each.transport.close()
        await asyncio.sleep(0.01)  # the transports let go of their sockets on the next turns of the loop

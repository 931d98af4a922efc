"""A TCP proxy that can lose answers: the request goes through, the answer is dropped and the client cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

Chooser = Callable[[], bool]


class CutProxy:
    """`loses` is asked once for each answer: whether to drop it."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.port = 0
        self.loses: Chooser = lambda: False
        self.lost = 0
        self._talks: set[asyncio.Task[None]] = set()

    async def serve(self, client_reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            server_reader, server = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            client.close()
            return
        with suppress(OSError, asyncio.CancelledError):
            answers = asyncio.create_task(self._answers(server_reader, client))
            while data := await client_reader.read(65536):
                server.write(data)
            answers.cancel()
        for writer in (server, client):
            writer.close()
        self._talks.discard(task)

    async def _answers(self, server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await server.read(65536):
                if self.loses():
                    self.lost += 1
                    break
                client.write(data)
        client.close()

    async def end(self) -> None:
        for task in list(self._talks):
            task.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)


@asynccontextmanager
async def cut_proxy(upstream: int) -> AsyncIterator[CutProxy]:
    proxy = CutProxy(upstream)
    listener = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = listener.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listener.close()
        await proxy.end()

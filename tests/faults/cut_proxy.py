"""A TCP proxy that can lose answers, or let nothing through, as a network that has split."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from urllib.parse import urlsplit

Chooser = Callable[[], bool]


def through(url: str, port: int) -> str:
    """Return the URL with another port."""
    return url.replace(f":{urlsplit(url).port}", f":{port}")


class CutProxy:
    """`loses` is asked once for each answer: whether to drop it, and cut the client off.

    While `is_cut`, nothing passes either way and nobody is told: that is how packets are lost. `upstream` may change;
    the next connection goes there.
    """

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.port = 0
        self.loses: Chooser = lambda: False
        self.lost = 0
        self.is_cut = False
        self._talks: set[asyncio.Task[None]] = set()

    async def serve(self, client_reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        with suppress(OSError, asyncio.CancelledError):
            await self._mended()
            server_reader, server = await asyncio.open_connection("127.0.0.1", self.upstream)
            answers = asyncio.create_task(self._answers(server_reader, client))
            with suppress(OSError, asyncio.CancelledError):
                while data := await client_reader.read(65536):
                    await self._mended()
                    server.write(data)
            answers.cancel()
            server.close()
        client.close()
        self._talks.discard(task)

    async def _answers(self, server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await server.read(65536):
                await self._mended()
                if self.loses():
                    self.lost += 1
                    break
                client.write(data)
        client.close()

    async def _mended(self) -> None:
        # Looked at and not waited for: a test in another thread may set it.
        while self.is_cut:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

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


@contextmanager
def cut_proxy_apart(upstream: int) -> Iterator[CutProxy]:
    """The same in a thread of its own, for what a server needs at its start while the test waits for it."""
    made: list[CutProxy] = []
    is_serving, loops = threading.Event(), []

    async def run() -> None:
        loops.append((asyncio.get_running_loop(), over := asyncio.Event()))
        async with cut_proxy(upstream) as proxy:
            made.append(proxy)
            is_serving.set()
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        assert is_serving.wait(10)
        yield made[0]
    finally:
        loop, over = loops[0]
        loop.call_soon_threadsafe(over.set)
        thread.join()

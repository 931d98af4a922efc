"""The load driver against a small server that behaves as told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from bench.driver import ClosedLoop, OpenLoop

pytestmark = pytest.mark.anyio

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Asking:
    """Sends the same request, and takes any 200."""

    def request(self) -> bytes:
        return b"GET / HTTP/1.1\r\n\r\n"

    def judge(self, status: int, body: bytes) -> str:
        return "" if (status, body) == (200, b"ok") else f"{status} {body!r}"


@asynccontextmanager
async def answering(pieces: Callable[[int], list[bytes]], pause_s: float = 0.0) -> AsyncIterator[int]:
    """Serve on a free port: for the n-th request of all `pieces(n)`, one write each. No pieces: close."""
    count = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                count += 1
                await asyncio.sleep(pause_s)
                for piece in pieces(count):
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
                if not pieces(count):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what a busy machine does later, not otherwise."""
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - the load counts, and tells nobody
            await asyncio.sleep(0.01)


async def test_a_closed_loop_asks_again_as_soon_as_it_is_answered() -> None:
    async with answering(lambda _: [ANSWER]) as port:
        load = ClosedLoop()
        await load.connect([port], [Asking(), Asking()])
        load.begin_counting()
        load.start()
        await until(lambda: load.counted().succeeded > 20)
        counted = load.counted()
        await load.stop()

    assert not counted.violations
    assert counted.per_second == counted.succeeded / counted.seconds


async def test_an_answer_in_pieces_is_one_answer() -> None:
    async with answering(lambda _: [ANSWER[:20], ANSWER[20:39], ANSWER[39:]]) as port:
        load = ClosedLoop()
        await load.connect([port], [Asking()])
        load.start()
        await until(lambda: load.counted().succeeded > 1 or bool(load.violations))
        await load.stop()

    assert not load.violations


async def test_an_open_loop_counts_the_waiting_that_a_slow_server_causes() -> None:
    async with answering(lambda _: [ANSWER], pause_s=0.02) as port:
        load = OpenLoop(200)
        await load.connect([port], [Asking()])
        load.begin_counting()
        load.start()
        await until(lambda: load.counted().seconds > 0.4 and load.counted().succeeded >= 15)
        counted = load.counted()
        await load.stop()

    # One user gets 50 answers a second where 200 requests are due: the queue grows, and the latency with it.
    assert counted.succeeded <= counted.seconds / 0.02 + 1
    assert counted.latency.percentile_ms(10) >= 20
    assert counted.latency.percentile_ms(90) > 150


async def test_an_open_loop_asks_at_its_rate_and_not_faster() -> None:
    async with answering(lambda _: [ANSWER]) as port:
        load = OpenLoop(100)
        await load.connect([port], [Asking() for _ in range(4)])
        load.begin_counting()
        load.start()
        await until(lambda: load.counted().succeeded >= 40)
        counted = load.counted()
        await load.stop()

    assert counted.succeeded <= counted.seconds * 100 + 1


async def test_a_wrong_answer_is_a_violation_and_no_success() -> None:
    async with answering(lambda number: [ANSWER.replace(b"200", b"500") if number % 2 else ANSWER]) as port:
        load = ClosedLoop()
        await load.connect([port], [Asking()])
        load.begin_counting()
        load.start()
        await until(lambda: bool(load.violations) and load.counted().succeeded >= 1)
        await load.stop()

    assert set(load.violations) == {"500 b'ok'"}


async def test_a_connection_that_the_server_drops_is_a_violation() -> None:
    async with answering(lambda _: []) as port:
        load = ClosedLoop()
        await load.connect([port], [Asking()])
        load.start()
        await until(lambda: bool(load.violations))
        await load.stop()

    assert load.violations == {"the server closed the connection": 1}


async def test_a_driver_that_oversleeps_does_not_hide_it() -> None:
    async with answering(lambda _: [ANSWER]) as port:
        load = OpenLoop(100)
        await load.connect([port], [Asking() for _ in range(32)])
        load.begin_counting()
        load.start()
        asyncio.get_running_loop().call_later(0.05, time.sleep, 0.2)
        await until(lambda: load.counted().succeeded >= 30)
        counted = load.counted()
        await load.stop()

    # Twenty of some thirty requests fell due in the pause, the first of them 0.2 s before they could be sent.
    assert counted.latency.percentile_ms(75) > 20
    assert counted.latency.percentile_ms(99) > 150

"""The load driver: virtual users on raw connections, in a closed or in an open loop.

    a Script says what a user sends and judges the answer
    a User is one connection with one request in flight
    a load decides when which user sends, and counts

Everything runs on one event loop in callbacks: a future for each request would cost more than the request.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle
from time import monotonic_ns
from typing import Protocol, cast

from msgspec import Struct

from bench.histogram import Histogram
from bench.schedule import Timetable

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length: "
# Below this the open loop polls the clock: timers of an event loop are exact to about a millisecond.
_SPIN_BELOW_NS = 3_000_000


class Script(Protocol):
    """What one virtual user does. Each user has its own, so a chain of sessions has one owner."""

    def request(self) -> bytes:
        """Return the next request, whole."""

    def judge(self, status: int, body: bytes) -> str:
        """Take the answer. Return "" if all is well, else in a few words which promise was broken."""


class User(asyncio.Protocol):
    """One keep-alive HTTP/1.1 connection."""

    def __init__(self, script: Script, finished: Callable[[User, int, str], None]) -> None:
        self._script = script
        self._finished = finished
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._intended = 0
        self.is_busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not isinstance: uvloop's transports are no subclasses.
        self._transport = cast(asyncio.Transport, transport)

    def start(self, intended: int) -> None:
        """Send the script's next request; its latency counts from `intended`."""
        assert self._transport is not None
        self.is_busy = True
        self._intended = intended
        self._transport.write(self._script.request())

    def data_received(self, data: bytes) -> None:
        received = self._received + data if self._received else data
        head_end = received.find(_HEAD_END)
        length_at = received.find(_LENGTH, 0, head_end + 2) if head_end >= 0 else -1
        if length_at < 0:
            self._received = received
            return
        length_at += len(_LENGTH)
        begin = head_end + len(_HEAD_END)
        if len(received) < begin + int(received[length_at : received.index(b"\r\n", length_at)]):
            self._received = received
            return
        self._received = b""
        latency = monotonic_ns() - self._intended
        self.is_busy = False
        self._finished(self, latency, self._script.judge(int(received[9:12]), received[begin:]))

    def connection_lost(self, exc: Exception | None) -> None:
        if self.is_busy:
            self.is_busy = False
            self._finished(self, monotonic_ns() - self._intended, "the server closed the connection")

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Counted(Struct):
    """What one measured stretch of a load came to. `seconds` is its real length."""

    seconds: float
    succeeded: int
    violations: Counter[str]
    latency: Histogram

    @property
    def per_second(self) -> float:
        return self.succeeded / self.seconds


class Load:
    """A set of connected users. Subclasses decide when they send.

    Answers count from `begin_counting` on; violations count always.
    """

    def __init__(self) -> None:
        self.users: list[User] = []
        self.violations: Counter[str] = Counter()
        self._latency = Histogram()
        self._succeeded = 0
        self._counting_since = 0
        self._is_stopping = False

    async def connect(self, ports: Sequence[int], scripts: Sequence[Script]) -> None:
        """Connect a user for each script, to the ports in turn."""
        loop = asyncio.get_running_loop()
        for script, port in zip(scripts, cycle(ports)):
            _, user = await loop.create_connection(partial(User, script, self._finish), "127.0.0.1", port)
            self.users.append(user)

    def start(self) -> None:
        raise NotImplementedError

    def begin_counting(self) -> None:
        self._latency, self._succeeded, self._counting_since = Histogram(), 0, monotonic_ns()

    def counted(self) -> Counted:
        """Return what was counted since `begin_counting`."""
        return Counted(
            (monotonic_ns() - self._counting_since) / 1e9, self._succeeded, self.violations.copy(), self._latency
        )

    async def stop(self) -> None:
        """Send no more, wait for what is in flight, close."""
        self._is_stopping = True
        for _ in range(200):
            if not any(user.is_busy for user in self.users):
                break
            await asyncio.sleep(0.05)
        else:
            self.violations["no answer within 10 s"] += 1
        for user in self.users:
            user.close()

    def _finish(self, user: User, latency: int, violation: str) -> None:
        if violation:
            self.violations[violation] += 1
        else:
            self._succeeded += 1
            self._latency.add(latency)
        if violation == "the server closed the connection":
            self.users.remove(user)
        elif not self._is_stopping:
            self._free(user)

    def _free(self, user: User) -> None:
        raise NotImplementedError


class ClosedLoop(Load):
    """Every user sends again as soon as it has its answer: what the server can do at most."""

    def start(self) -> None:
        now = monotonic_ns()
        for user in self.users:
            user.start(now)

    def _free(self, user: User) -> None:
        user.start(monotonic_ns())


class OpenLoop(Load):
    """Requests come at a fixed rate; who finds no free user waits, and the waiting counts."""

    def __init__(self, rate_per_s: float) -> None:
        super().__init__()
        self._rate = rate_per_s
        self._timetable = Timetable(0, rate_per_s)
        self._idle: deque[User] = deque()
        self._due: deque[int] = deque()

    def start(self) -> None:
        self._idle.extend(self.users)
        self._timetable = Timetable(monotonic_ns(), self._rate)
        self._tick()

    def _tick(self) -> None:
        if self._is_stopping:
            return
        now = monotonic_ns()
        self._due.extend(self._timetable.take_due(now))
        while self._due and self._idle:
            self._idle.popleft().start(self._due.popleft())
        loop, pause = asyncio.get_running_loop(), self._timetable.next_at - now
        if pause < _SPIN_BELOW_NS:
            loop.call_soon(self._tick)
        else:
            loop.call_later((pause - _SPIN_BELOW_NS / 2) / 1e9, self._tick)

    def _free(self, user: User) -> None:
        if self._due:
            user.start(self._due.popleft())
        else:
            self._idle.append(user)

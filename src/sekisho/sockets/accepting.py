"""Accepting connections where several workers wait at one socket, so that each of them gets its share.

An event loop takes all connections that are waiting at once: of twelve that come together the worker that wakes first
would get twelve, and a proxy keeps them for hours. Here it takes one for each turn of its loop, and a worker that has
more than another leaves the next to the others for a moment.
"""

from __future__ import annotations

import asyncio
import errno
import mmap
import socket
import sys
from collections.abc import Callable, Sized

import structlog

log = structlog.get_logger("sekisho")

# So long a connection waits for a worker that has fewer, and no longer: that one may be busy.
LEFT_TO_OTHERS_S = 0.005

# No descriptor or no memory is left: who waits keeps his place in the queue.
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
PAUSE_S = 1.0
_ABSENT = sys.maxsize


class ConnectionCounts:
    """How many connections each worker has, in memory that all share. Made before they are forked.

    Concurrency: one number for each place, written whole by one writer at a time.
    """

    def __init__(self, places: int) -> None:
        self._counts = memoryview(mmap.mmap(-1, 8 * places)).cast("q")
        for place in range(places):
            self.leave(place)

    def leave(self, place: int) -> None:
        """Nobody serves here."""
        self._counts[place] = _ABSENT

    def tell(self, place: int, count: int) -> bool:
        """Note the connections of this place; return whether another has fewer."""
        self._counts[place] = count
        return min(self._counts) < count


class SharedAcceptor:
    """Accepts from a listening socket until it is closed; the socket stays the caller's.

    connections: those that are open now.
    """

    def __init__(
        self,
        listener: socket.socket,
        new_protocol: Callable[[], asyncio.Protocol],
        connections: Sized,
        counts: ConnectionCounts,
        place: int,
    ) -> None:
        self._listener = listener
        self._new_protocol = new_protocol
        self._connections = connections
        self._counts = counts
        self._place = place
        self._loop = asyncio.get_running_loop()
        self._beginning: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None
        counts.tell(place, 0)
        self._loop.add_reader(listener, self._look)

    def close(self) -> None:
        self._counts.leave(self._place)
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._listener)

    def tell(self) -> bool:
        """Let the others know how many connections there are, also when one has ended; return whether one has fewer."""
        return self._counts.tell(self._place, len(self._connections) + len(self._beginning))

    def _look(self) -> None:
        if self.tell():
            self._wait(LEFT_TO_OTHERS_S)
        else:
            self._take_one()

    def _wait(self, pause_s: float) -> None:
        self._loop.remove_reader(self._listener)
        self._pause = self._loop.call_later(pause_s, self._go_on)

    def _go_on(self) -> None:
        self._pause = None
        self._loop.add_reader(self._listener, self._look)
        self._take_one()

    def _take_one(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError as error:
            # Another worker was faster, or the client has gone, unless this process is at its end.
            if error.errno in _EXHAUSTED:
                log.error("connections_wait", reason=errno.errorcode[error.errno])
                self._wait(PAUSE_S)
            return
        task = self._loop.create_task(self._begin(connection))
        self._beginning.add(task)
        task.add_done_callback(self._beginning.discard)
        self.tell()

    async def _begin(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.connect_accepted_socket(self._new_protocol, connection)
        except OSError:
            # It ended before it began.
            connection.close()

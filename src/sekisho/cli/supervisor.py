"""`sekisho serve --workers N`: one process that holds the port and watches over N that serve.

    first worker -> ready -> the others -> ready -> watch -> a signal -> all end

The first one starts alone: what keeps a worker from starting is said once, and what a new installation makes once
(keys, the check value of the master secret) is made by one. Until every worker has been ready, one that ends ends the
start. After that it is replaced after a pause that grows while it does not stay; when none is left and none will start,
the supervisor gives up, since whoever connected would wait for nobody.

Each worker holds one end of a channel. Its byte says "ready", its end that the worker has gone; the supervisor's end
tells the worker the same.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import structlog
import typer

from sekisho import __version__
from sekisho.assemble import Place
from sekisho.cli.server import GRACEFUL_SHUTDOWN_S, Membership
from sekisho.http.figure_board import FigureBoard
from sekisho.settings import Settings
from sekisho.sockets.accepting import ConnectionCounts

log = structlog.get_logger("sekisho")

FAILED = 1
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
# Who has served this long starts over with the shortest pause.
STEADY_S = 60.0
# Beside the time for answers: the last commits, Redis told of them, the connections closed.
CLOSING_S = 5.0
_ENDING = (signal.SIGTERM, signal.SIGINT)

Serve = Callable[[Membership], None]


class _Worker:
    def __init__(self, pid: int, channel: socket.socket) -> None:
        self.pid = pid
        self.channel = channel
        self.ready_at: float | None = None


class Supervisor:
    """Keeps `settings.workers` processes going, each of which calls `serve`."""

    def __init__(self, settings: Settings, listener: socket.socket, serve: Serve) -> None:
        self._settings = settings
        self._listener = listener
        self._serve = serve
        self._board = FigureBoard(settings.workers)
        self._counts = ConnectionCounts(settings.workers)
        self._workers: dict[int, _Worker] = {}
        self._due: dict[int, float] = {}
        self._failures = [0] * settings.workers
        self._has_started = False
        self._selector = selectors.DefaultSelector()

    def run(self) -> int:
        """Serve until a signal ends it; return the exit code."""
        # What all have in common stays one copy in memory as long as no collector writes into it.
        gc.collect()
        gc.freeze()
        with _woken_by_signals() as wake:
            self._selector.register(wake, selectors.EVENT_READ)
            self._start(0)
            code: int | None = None
            while code is None:
                code = self._turn(wake)
            self._end_all(wake)
        return code

    def _turn(self, wake: socket.socket) -> int | None:
        """Wait for the next thing that happens; return the exit code if it was the last."""
        for place in [place for place, due in self._due.items() if due <= time.monotonic()]:
            del self._due[place]
            self._start(place)
        soonest = min(self._due.values(), default=None)
        for key, _ in self._selector.select(None if soonest is None else max(0.0, soonest - time.monotonic())):
            if key.fileobj is wake:
                return 0
            place = key.data
            if self._workers[place].channel.recv(1):
                self._is_ready(place)
            elif not self._goes_on_without(place):
                return FAILED
        return None

    def _start(self, place: int) -> None:
        ours, theirs = socket.socketpair()
        with _signals_held_back():
            pid = os.fork()
            if pid == 0:
                self._become_worker(place, ours, theirs)
        theirs.close()
        self._workers[place] = _Worker(pid, ours)
        self._selector.register(ours, selectors.EVENT_READ, place)

    def _become_worker(self, place: int, ours: socket.socket, theirs: socket.socket) -> None:
        """Serve in the new process, and end it: it never returns into the supervisor's work."""
        code = FAILED
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            # A key press in a terminal reaches every process; the supervisor is the one who answers it.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
            self._selector.close()
            # Or the others would not notice that the supervisor has gone.
            for each in (ours, *(worker.channel for worker in self._workers.values())):
                each.close()
            self._serve(Membership(Place(number=place, board=self._board), theirs, self._counts))
            code = 0
        except typer.Exit as told:
            code = told.exit_code
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else FAILED
        except BaseException:
            traceback.print_exc()
        finally:
            with suppress(OSError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _is_ready(self, place: int) -> None:
        self._workers[place].ready_at = time.monotonic()
        if self._has_started:
            log.info("worker_ready", worker=place, pid=self._workers[place].pid)
            return
        if place == 0:
            for other in range(1, self._settings.workers):
                self._start(other)
        if len(self._workers) == self._settings.workers and all(each.ready_at for each in self._workers.values()):
            self._has_started = True
            settings = self._settings
            log.info(
                "serving",
                url=settings.public_url,
                host=settings.host,
                port=settings.port,
                version=__version__,
                workers=settings.workers,
            )

    def _goes_on_without(self, place: int) -> bool:
        """Take note of a worker that has ended; say whether there is anything to go on with."""
        worker = self._let_go(place)
        _, status = os.waitpid(worker.pid, 0)
        how = _how_it_ended(status)
        others_serve = any(each.ready_at for each in self._workers.values())
        if not self._has_started or (worker.ready_at is None and not others_serve):
            # Who left by himself has said why.
            if os.WIFSIGNALED(status):
                log.error("workers_cannot_start", worker=place, ended=how)
            return False
        if worker.ready_at is not None and time.monotonic() - worker.ready_at >= STEADY_S:
            self._failures[place] = 0
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(self._failures[place], 8))
        self._failures[place] += 1
        self._due[place] = time.monotonic() + pause_s
        log.error("worker_ended", worker=place, pid=worker.pid, ended=how, restart_in_s=pause_s)
        return True

    def _let_go(self, place: int) -> _Worker:
        worker = self._workers.pop(place)
        self._counts.leave(place)
        self._selector.unregister(worker.channel)
        worker.channel.close()
        return worker

    def _end_all(self, wake: socket.socket) -> None:
        """Take no more connections and let each worker finish what it has; kill what does not end in time, or when a
        signal comes again."""
        self._listener.close()
        self._signal_all(signal.SIGTERM)
        deadline = time.monotonic() + GRACEFUL_SHUTDOWN_S + CLOSING_S
        with suppress(BlockingIOError):
            wake.recv(64)
        while self._workers:
            events = self._selector.select(max(0.0, deadline - time.monotonic()))
            if not events or any(key.fileobj is wake for key, _ in events):
                log.error("workers_killed", workers=sorted(self._workers))
                self._signal_all(signal.SIGKILL)
                break
            for key, _ in events:
                if not self._workers[key.data].channel.recv(1):
                    os.waitpid(self._let_go(key.data).pid, 0)
        for worker in self._workers.values():
            os.waitpid(worker.pid, 0)

    def _signal_all(self, number: signal.Signals) -> None:
        for worker in self._workers.values():
            os.kill(worker.pid, number)


def _how_it_ended(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


@contextmanager
def _woken_by_signals() -> Iterator[socket.socket]:
    """Turn the signals that end a server into bytes on a socket that can be waited for."""
    ours, theirs = socket.socketpair()
    for each in (ours, theirs):
        each.setblocking(False)

    def nothing_more(number: int, frame: FrameType | None) -> None:
        """The byte has been written."""

    before = {number: signal.signal(number, nothing_more) for number in _ENDING}
    signal.set_wakeup_fd(theirs.fileno())
    try:
        yield ours
    finally:
        signal.set_wakeup_fd(-1)
        for number, handler in before.items():
            signal.signal(number, handler)
        ours.close()
        theirs.close()


@contextmanager
def _signals_held_back() -> Iterator[None]:
    """A signal between the fork and the child's own handlers would be told to the wrong process."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)

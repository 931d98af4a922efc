"""Something under way that any number of callers wait for, in threads or in event loops."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Lock, Thread


class Flight:
    """Done once. Waiting never raises for what the work raised: whoever waited looks at the outcome.

    longest_s: nobody waits longer than this, whatever hangs (name servers have no time limit of their own).
    """

    __slots__ = ("_callbacks", "_done", "_lock", "longest_s")

    def __init__(self, longest_s: float) -> None:
        self.longest_s = longest_s
        self._done = Event()
        self._lock = Lock()
        self._callbacks: list[Callable[[], None]] = []

    @property
    def is_done(self) -> bool:
        return self._done.is_set()

    def wait(self) -> None:
        """Return when it is done, or after `longest_s`."""
        self._done.wait(self.longest_s)

    def when_done(self, callback: Callable[[], None]) -> None:
        """Call back from the thread that finishes, or at once if it is done already. Must not raise."""
        with self._lock:
            if not self.is_done:
                self._callbacks.append(callback)
                return
        callback()

    def finish(self) -> None:
        with self._lock:
            self._done.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()


def fly(work: Callable[[], None], longest_s: float, name: str) -> Flight:
    """Do `work` in a thread of its own, which never keeps a process alive; return the flight to wait for."""
    flight = Flight(longest_s)

    def run() -> None:
        try:
            work()
        finally:
            flight.finish()

    Thread(target=run, name=f"sekisho-guard-{name}", daemon=True).start()
    return flight

"""The feed of revocations, as a guard hears it: one thread, which reads the snapshot and then the stream.

    pages from 0 -> no more? in step -> the stream from there -> anything odd, or silence -> pages again

A page says after which number it begins, where it ends, and of which generation it is. Whatever does not follow what
came before (another generation, a gap, a step back, numbers out of order) makes the guard start over from the snapshot.
What it knows already it keeps in every case.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from threading import Event, Lock, Thread
from typing import NoReturn, Protocol

from msgspec import DecodeError, Struct, json

from sekisho.guard.flight import Flight
from sekisho.guard.revoked import Revocation, Revoked, TooMany

PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
FORGET_EVERY_S = 60.0
MOST_PAGES = 2000


class FeedBroken(Exception):
    """The server is away, refuses, or says what cannot be. Never quotes the key."""


class Page(Struct, frozen=True):
    """What was revoked after one number up to another."""

    generation: str
    after: int
    next: int
    more: bool
    entries: tuple[Revocation, ...]


class Line(Protocol):
    """The way to the server."""

    def page(self, after: int) -> bytes:
        """Return one page as JSON.

        Raises:
            FeedBroken: see there.
        """

    def stream(self, generation: str, after: int, hear: Callable[[bytes], None]) -> None:
        """Call `hear` with each page of the stream. Returns when the server ends the stream.

        Raises:
            FeedBroken: see there; also after a silence longer than three heartbeats.
        """


_PAGE = json.Decoder(Page)


class Feed:
    """Keeps `revoked` in step with the server.

    Args:
        monotonic, clock: as the verifier's.
        report: told in a few words what is wrong, and "" when it is well.

    Concurrency: `start` may be called by anybody, any number of times; one thread runs. After a fork the child starts
    its own.
    """

    def __init__(
        self,
        line: Line,
        revoked: Revoked,
        *,
        monotonic: Callable[[], float],
        clock: Callable[[], float],
        report: Callable[[str], None],
    ) -> None:
        self._line = line
        self._revoked = revoked
        self._monotonic = monotonic
        self._clock = clock
        self._report = report
        self._lock = Lock()
        self._stopping = Event()
        self._thread: Thread | None = None
        self._generation = ""
        self._position = 0
        self._forgot_at = monotonic()
        self.first = Flight(0.0)
        self.started_at = monotonic()
        self.in_step_at: float | None = None

    def start(self, first_wait_s: float) -> Flight:
        """Start the thread, unless it runs; return what is done when the first snapshot has been read."""
        if self._thread is None or not self._thread.is_alive():
            with self._lock:
                if (self._thread is None or not self._thread.is_alive()) and not self._stopping.is_set():
                    self.started_at = self._monotonic()
                    self.first = Flight(first_wait_s)
                    self._thread = Thread(target=self._run, name="sekisho-guard-feed", daemon=True)
                    self._thread.start()
        return self.first

    def stop(self) -> None:
        """End the thread, at the next sign from the server at the latest."""
        self._stopping.set()

    def silent_s(self, now: float) -> float:
        """How long the feed has been out of step; counted from the start before the first snapshot."""
        return now - (self.started_at if self.in_step_at is None else self.in_step_at)

    def _run(self) -> None:
        pause = PAUSE_S
        while not self._stopping.is_set():
            try:
                self._read_snapshot()
                self._report("")
                self.first.finish()
                pause = PAUSE_S
                self._line.stream(self._generation, self._position, self._hear)
                trouble = "the server ended the stream"
            except (FeedBroken, TooMany) as error:
                trouble = str(error)
            if self._stopping.is_set():
                return
            # A server that restarts is back at once: only what goes on is worth a line in the log.
            if pause > PAUSE_S:
                self._report(trouble)
            self._stopping.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _read_snapshot(self) -> None:
        """Read on from the position to the end; from 0 in a generation that is new."""
        for _ in range(MOST_PAGES):
            page = self._parse(self._line.page(self._position))
            if page.generation != self._generation:
                was_at, self._generation, self._position = self._position, page.generation, 0
                if was_at:
                    continue
            if page.after != self._position:
                self._start_over(page, "the feed does not begin where it was asked to")
            self._take(page)
            if not page.more:
                self.in_step_at = self._monotonic()
                return
            if not page.entries:
                raise FeedBroken("the feed says that there is more and gives nothing")
        raise FeedBroken("the feed has no end")

    def _hear(self, data: bytes) -> None:
        page = self._parse(data)
        if page.generation != self._generation or page.after != self._position:
            self._start_over(page, "the stream does not go on where it was")
        self._take(page)
        if not page.more:
            self.in_step_at = self._monotonic()
        if self._stopping.is_set():
            raise FeedBroken("stopping")

    def _parse(self, data: bytes) -> Page:
        try:
            page = _PAGE.decode(data)
        except (DecodeError, UnicodeDecodeError, RecursionError):
            raise FeedBroken("the feed says what is no page") from None
        numbers = [page.after, *(entry.seq for entry in page.entries)]
        if any(later <= earlier for earlier, later in pairwise(numbers)) or page.next != numbers[-1]:
            self._start_over(page, "the feed's numbers do not follow each other")
        return page

    def _start_over(self, page: Page, why: str) -> NoReturn:
        """What it revokes is believed all the same: at worst somebody signs in once more."""
        self._revoked.add(page.entries)
        self._generation, self._position = "", 0
        raise FeedBroken(f"{why}: reading all again")

    def _take(self, page: Page) -> None:
        self._revoked.add(page.entries)
        self._position = page.next
        now = self._monotonic()
        if now - self._forgot_at > FORGET_EVERY_S:
            self._forgot_at = now
            self._revoked.forget(self._clock())

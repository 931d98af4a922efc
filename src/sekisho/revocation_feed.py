"""The journal, as guards read it: in commit order, page by page, and told of at once.

One task reads on whenever something may have been committed; what it read last stays in memory, already rendered, so
that a hundred guards cost the store no more than one. Whoever is further behind reads from the store.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Callable

from msgspec import Struct, json

from sekisho.model import JournalEntry
from sekisho.ports.storage import OperationReads
from sekisho.times import iso_time

PAGE = 1000
KEPT = 10_000
RETRY_S = 1.0


class FeedPage(Struct, frozen=True):
    """Entries after `after`, up to `next`. `body` is the page as JSON; more: there may be further ones."""

    generation: str
    after: int
    next: int
    more: bool
    body: bytes


class RevocationFeed:
    """What there is to tell to guards. One event loop only."""

    __slots__ = (
        "_closing",
        "_first_after",
        "_generation",
        "_last",
        "_news",
        "_recent",
        "_rendered",
        "_store",
        "_woken",
    )

    def __init__(self, store: OperationReads) -> None:
        self._store = store
        self._generation = ""
        # Everything with a number above `_first_after` up to `_last` is in `_recent` (numbers) and `_rendered` (JSON).
        self._first_after = self._last = 0
        self._recent: list[int] = []
        self._rendered: list[bytes] = []
        self._woken = asyncio.Event()
        self._news = asyncio.Condition()
        self._closing = False

    @property
    def generation(self) -> str:
        return self._generation

    def wake(self) -> None:
        """Something may have been committed."""
        self._woken.set()

    async def close(self) -> None:
        """Let whoever waits go: the server stops."""
        self._closing = True
        async with self._news:
            self._news.notify_all()

    @property
    def is_closing(self) -> bool:
        return self._closing

    async def run(self, report: Callable[[Exception], None]) -> None:
        """Read on whenever woken; runs until it is cancelled. What failed is done again."""
        failing = False
        while True:
            try:
                await self.read_on()
                failing = False
            except Exception as error:
                if not failing:
                    report(error)
                failing = True
                await asyncio.sleep(RETRY_S)
                continue
            await self._woken.wait()

    async def read_on(self) -> None:
        """Take in what was committed until now, and tell those who wait.

        Raises:
            StoreUnavailable: what was read until then is kept.
        """
        self._woken.clear()
        while True:
            page = await self._store.read_journal(self._last, PAGE)
            if page.generation != self._generation:
                started_at_the_beginning = self._last == 0
                self._generation, self._first_after, self._last = page.generation, 0, 0
                self._recent, self._rendered = [], []
                if not started_at_the_beginning:
                    continue
            self._take(page.entries)
            async with self._news:
                self._news.notify_all()
            if len(page.entries) < PAGE:
                return

    async def page(self, after: int) -> FeedPage:
        """Return what comes after a number, at most 1,000 entries.

        Raises:
            StoreUnavailable: a page that is not in memory cannot be read.
        """
        if after >= self._first_after:
            start = bisect_right(self._recent, after)
            until = min(start + PAGE, len(self._recent))
            following = self._recent[until - 1] if until > start else after
            return self._rendered_page(after, following, self._rendered[start:until], until < len(self._recent))
        page = await self._store.read_journal(after, PAGE)
        following = page.entries[-1].seq if page.entries else after
        return self._rendered_page(after, following, [_render(entry) for entry in page.entries], bool(page.entries))

    async def wait(self, generation: str, after: int, longest_s: float) -> None:
        """Return when there is something after a number, another generation, or the time is over."""
        try:
            async with asyncio.timeout(longest_s), self._news:
                await self._news.wait_for(lambda: self._closing or self._last > after or self._generation != generation)
        except TimeoutError:
            return

    def _take(self, entries: tuple[JournalEntry, ...]) -> None:
        self._recent += [entry.seq for entry in entries]
        self._rendered += [_render(entry) for entry in entries]
        if entries:
            self._last = entries[-1].seq
        if len(self._recent) > 2 * KEPT:
            self._first_after = self._recent[-KEPT - 1]
            del self._recent[:-KEPT], self._rendered[:-KEPT]

    def _rendered_page(self, after: int, following: int, entries: list[bytes], more: bool) -> FeedPage:
        head = json.encode({"generation": self._generation, "after": after, "next": following, "more": more})
        body = b'%b,"entries":[%b]}' % (head[:-1], b",".join(entries))
        return FeedPage(self._generation, after, following, more, body)


def _render(entry: JournalEntry) -> bytes:
    return json.encode(
        {
            "seq": entry.seq,
            "kind": entry.kind,
            "value": entry.value,
            "expires_at": iso_time(entry.expires_at),
            "reason": entry.reason,
        }
    )

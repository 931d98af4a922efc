"""Revocations in memory: what makes a check of an access token need no look-up.

The journal in the store is the truth. This copy is fed twice: by the commits of this process the
moment they happen (`add`), and by reading on from a cursor what anybody committed (`catch_up`). Both
may bring the same entry.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from sekisho.model import JournalEntry, Millis
from sekisho.ports.storage import OperationReads, Store

# The longest life that any setting allows: another process, or this one after a restart, may mint with another
# setting than the one that ends a session or retires a key.
LONGEST_ACCESS_MS = 60 * 60_000
# An access token may be accepted this long after its end by a verifier whose clock is behind.
LONGEST_LEEWAY_MS = 60_000
JOURNAL_MS = LONGEST_ACCESS_MS + LONGEST_LEEWAY_MS

# What a clock that was ahead has forgotten would be alive again once it is corrected.
CLOCK_STEP_MARGIN_MS = 24 * 60 * 60_000

PAGE = 1000
FOLLOW_INTERVAL_S = 0.05


class Revocations:
    """The journal's entries that still matter. One event loop only."""

    __slots__ = ("_clients", "_cursor", "_generation", "_jtis", "_kids", "_kinds", "_sids")

    def __init__(self) -> None:
        self._sids: dict[str, Millis] = {}
        self._jtis: dict[str, Millis] = {}
        self._clients: dict[str, Millis] = {}
        self._kids: dict[str, Millis] = {}
        self._kinds = {"sid": self._sids, "jti": self._jtis, "client": self._clients, "key": self._kids}
        self._cursor = 0
        self._generation = ""

    def __len__(self) -> int:
        return sum(len(values) for values in self._kinds.values())

    def add(self, entries: Iterable[JournalEntry]) -> None:
        """Take entries in, in any order and any number of times.

        The cursor stays: an entry of our own commit may have a higher number than one of another
        process that we have not read yet.
        """
        for entry in entries:
            values = self._kinds.get(entry.kind)
            if values is not None:
                values[entry.value] = max(entry.expires_at, values.get(entry.value, 0))

    def is_revoked(self, *, session_id: str, jti: str, client_id: str, kid: str) -> bool:
        """Whether any of the four has been revoked. A client is revoked by its whole `client_id` or
        by its app part."""
        return (
            session_id in self._sids
            or jti in self._jtis
            or kid in self._kids
            or bool(self._clients and (client_id in self._clients or client_id.partition(":")[0] in self._clients))
        )

    def is_key_revoked(self, kid: str) -> bool:
        """Whether the signing key was retired by hand or is compromised: its tokens prove nothing, no session ended."""
        return kid in self._kids

    def forget(self, now: Millis) -> None:
        """Drop what no living access token can concern any more, also if the clock is ahead by a day."""
        over_at = now - CLOCK_STEP_MARGIN_MS
        for values in self._kinds.values():
            for value in [value for value, expires_at in values.items() if expires_at <= over_at]:
                del values[value]

    async def load(self, store: OperationReads) -> None:
        """Read the whole journal, before the first request is answered.

        Raises:
            StoreUnavailable: nothing is known then; do not serve.
        """
        self._cursor = 0
        await self.catch_up(store)

    async def catch_up(self, store: OperationReads) -> None:
        """Read on from the cursor to the end.

        When the journal has a new generation (a backup was restored), its numbers mean something
        else: read it from the beginning. What is known already stays known: a restore must not
        bring a session back to life.

        Raises:
            StoreUnavailable: what was read until then is kept; call again.
        """
        while True:
            page = await store.read_journal(self._cursor, PAGE)
            if page.generation != self._generation:
                started_at_the_beginning = self._cursor == 0
                self._generation, self._cursor = page.generation, 0
                if not started_at_the_beginning:
                    continue
            self.add(page.entries)
            if page.entries:
                self._cursor = page.entries[-1].seq
            if len(page.entries) < PAGE:
                return


async def follow(
    store: Store,
    revocations: Revocations,
    on_change: Callable[[], Awaitable[None]],
    *,
    report: Callable[[Exception], None],
    interval_s: float = FOLLOW_INTERVAL_S,
) -> None:
    """Notice what other processes commit; runs until it is cancelled.

    Nothing that fails ends the loop, for a node that stopped listening would honour ended sessions
    until their tokens expire. What failed is done again at the next round.

    Args:
        on_change: awaited after each catching up; reloads what else may have changed (signing keys).
        report: told of the first failure in a row, so that an outage is one line and not twenty a second.
    """
    behind = failing = False
    while True:
        await asyncio.sleep(interval_s)
        try:
            # Asking also resets the answer, so an unfinished round is remembered here.
            behind = store.has_foreign_commits() or behind
            if behind:
                await revocations.catch_up(store)
                await on_change()
            behind = failing = False
        except Exception as error:
            if not failing:
                report(error)
            failing = True

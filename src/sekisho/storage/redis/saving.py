"""What Redis knows and SQL does not yet: kept in memory, and written behind, many sessions in one commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable

import structlog
from msgspec.structs import replace

from sekisho.model import Session
from sekisho.ports.changes import SaveSessionUse
from sekisho.ports.storage import Store, StoreUnavailable
from sekisho.storage.redis.records import is_newer

log = structlog.get_logger("sekisho.redis")

SAVE_EVERY_S = 30.0
SAVED_AT_ONCE = 200
# With so many waiting it is time to save, whatever the clock says.
MANY = 20 * SAVED_AT_ONCE


class Unsaved:
    """The uses of sessions that this node has seen and SQL has not. Belongs to the event loop that made it.

    has_ended: whether a session's end is known; its uses are of no interest any more.
    """

    def __init__(self, inner: Store, save_every_s: float, has_ended: Callable[[str], bool]) -> None:
        self._inner = inner
        self._save_every_s = save_every_s
        self._has_ended = has_ended
        self._uses: dict[str, SaveSessionUse] = {}
        self._saving: asyncio.Task[None] | None = None
        self._is_due = asyncio.Event()

    def start(self) -> None:
        self._saving = asyncio.create_task(self._keep_saving())

    async def close(self) -> None:
        """Save what is not saved yet, if SQL answers."""
        if self._saving is not None:
            self._saving.cancel()
            await asyncio.gather(self._saving, return_exceptions=True)
        try:
            await self.save()
        except StoreUnavailable as error:
            log.warning("rotations_not_saved", sessions=len(self._uses), error=str(error))

    def keep(self, use: SaveSessionUse) -> None:
        self._keep((use,))
        if len(self._uses) >= MANY:
            self._is_due.set()

    def forget(self, session_ids: Iterable[str]) -> None:
        for name in session_ids:
            self._uses.pop(name, None)

    def applied_to(self, session: Session) -> Session:
        """Return the session with its last use, where that is newer than what it shows."""
        use = self._uses.get(session.id)
        if use is None or not is_newer(use, session):
            return session
        return replace(
            session,
            counter=use.counter,
            rotated_at=use.rotated_at,
            last_seen_at=use.last_seen_at,
            idle_expires_at=use.idle_expires_at,
            ip=use.ip,
        )

    def save_soon(self) -> None:
        """Do not wait for the clock."""
        self._is_due.set()

    async def save(self, session_ids: Collection[str] | None = None) -> None:
        """Write to SQL what is kept, of these sessions or of all.

        Raises:
            StoreUnavailable: what was not written is kept for the next time.
        """
        names = [name for name in (self._uses if session_ids is None else session_ids) if name in self._uses]
        for first in range(0, len(names), SAVED_AT_ONCE):
            uses = [self._uses.pop(name) for name in names[first : first + SAVED_AT_ONCE] if name in self._uses]
            try:
                await self._inner.apply(*uses)
            except BaseException:
                self._keep(uses)
                raise

    def _keep(self, uses: Iterable[SaveSessionUse]) -> None:
        for use in uses:
            known = self._uses.get(use.session_id)
            if not self._has_ended(use.session_id) and (known is None or is_newer(use, known)):
                self._uses[use.session_id] = use

    async def _keep_saving(self) -> None:
        is_failing = False
        while True:
            try:
                async with asyncio.timeout(self._save_every_s):
                    await self._is_due.wait()
            except TimeoutError:
                pass
            self._is_due.clear()
            try:
                await self.save()
                is_failing = False
            except StoreUnavailable as error:
                if not is_failing:
                    log.warning("saving_postponed", sessions=len(self._uses), error=str(error))
                is_failing = True
                await asyncio.sleep(1)

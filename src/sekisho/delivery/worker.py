"""The outbox worker: claims due letters, hands them over, notes what became of each.

    claim (a lease) -> open -> send -> sent | failed: due again later, or given up

A letter is sent at least once. If a worker dies between the hand-over and its note, the lease runs
out and the letter goes once more under the same Message-ID.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

import structlog
from msgspec import Struct

from sekisho.model import Mail, Millis, QueuedMail
from sekisho.ports.changes import ClaimMail, MailFailed, MailSent
from sekisho.ports.clock import Clock
from sekisho.ports.mail import MailSender, Undeliverable
from sekisho.ports.storage import Store, StoreUnavailable

log = structlog.get_logger("sekisho.outbox")

_JITTER = secrets.SystemRandom()
_FIRST_RETRY_MS = 1_000
_LONGEST_RETRY_MS = 15 * 60_000
_SHORTEST_REST_S = 0.05
_STORE_PAUSE_S = 1.0
_NOTE_PAUSES_S = (0.1, 0.5, 2.0, 5.0)


class WorkerLimits(Struct, frozen=True, kw_only=True):
    """parallel: letters on the way at a time.
    send_timeout_s: for one letter; a lease lasts twice as long, so that a live worker never loses one.
    give_up_after_ms: after this time since it was queued a letter is not tried again.
    longest_rest_s: how soon a letter that another process queued is noticed.
    stop_grace_s: how long letters on the way may finish when the worker is stopped.
    """

    parallel: int = 8
    send_timeout_s: float = 60
    give_up_after_ms: int = 24 * 3_600_000
    longest_rest_s: float = 5
    stop_grace_s: float = 5


class OutboxWorker:
    def __init__(
        self,
        store: Store,
        open_letter: Callable[[QueuedMail], Mail],
        sender: MailSender,
        clock: Clock,
        limits: WorkerLimits | None = None,
    ) -> None:
        self._store = store
        self._open_letter = open_letter
        self._sender = sender
        self._clock = clock
        self._limits = limits or WorkerLimits()
        self._on_the_way: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._claiming = asyncio.Lock()

    def wake(self) -> None:
        """Look at the outbox now. For the store's listener, on the event loop."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver until cancelled. Letters on the way then get a short time to finish; what does
        not finish stays in the outbox."""
        try:
            while True:
                self._woken.clear()
                if not await self._start_safely():
                    await self._rest()
        finally:
            await self._stop()

    async def settle(self, timeout_s: float) -> bool:
        """Wait until everything that is due now has been tried once; False if time ran out first
        or the store did not answer. Works with and without `run`."""
        try:
            async with asyncio.timeout(timeout_s):
                while await asyncio.shield(self._start_due()) or self._on_the_way:
                    if self._on_the_way:
                        await asyncio.wait(self._on_the_way, return_when=asyncio.FIRST_COMPLETED)
        except (TimeoutError, StoreUnavailable):
            return False
        return True

    async def _start_safely(self) -> int:
        try:
            # Shielded: a claim that was committed must also be started, or its letters would wait for the lease.
            return await asyncio.shield(self._start_due())
        except StoreUnavailable:
            log.warning("outbox_store_unavailable")
            await asyncio.sleep(_STORE_PAUSE_S)
            return 0

    async def _start_due(self) -> int:
        """Claim as many due letters as there are free places; return how many were started."""
        async with self._claiming:
            free = self._limits.parallel - len(self._on_the_way)
            if free <= 0:
                return 0
            now = self._clock.now()
            due_at = await self._store.next_mail_at()
            if due_at is None or due_at > now:  # a read is cheaper than a write that finds nothing
                return 0
            lease_ms = int(self._limits.send_timeout_s * 2000)
            outcome = await self._store.apply(ClaimMail(now=now, lease_until_at=now + lease_ms, limit=free))
            claimed: tuple[QueuedMail, ...] = outcome.results[0]
            for queued in claimed:
                task = asyncio.create_task(self._deliver(queued))
                self._on_the_way.add(task)
                task.add_done_callback(self._landed)
            return len(claimed)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._on_the_way.discard(task)
        self._woken.set()
        if not task.cancelled() and (mistake := task.exception()):
            log.error("mail_worker_mistake", error=_name(mistake))

    async def _rest(self) -> None:
        """Sleep until the next letter is due, somebody wakes us, or the longest rest is over."""
        try:
            async with asyncio.timeout(await self._rest_s()):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _rest_s(self) -> float:
        longest_s = self._limits.longest_rest_s
        if len(self._on_the_way) >= self._limits.parallel:
            return longest_s
        try:
            due_at = await self._store.next_mail_at()
        except StoreUnavailable:
            return _STORE_PAUSE_S
        if due_at is None:
            return longest_s
        return min(longest_s, max(_SHORTEST_REST_S, (due_at - self._clock.now()) / 1000))

    async def _deliver(self, queued: QueuedMail) -> None:
        if queued.expires_at is not None and self._clock.now() >= queued.expires_at:
            await self._note_failure(queued, "", "expired", retry_at=None)
            return
        kind = ""
        try:
            mail = self._open_letter(queued)
            kind = mail.kind
            async with asyncio.timeout(self._limits.send_timeout_s):
                await self._sender.send(mail, queued.id)
        except Undeliverable as refused:
            await self._note_failure(queued, kind, f"refused: {refused}", retry_at=None)
        except Exception as failure:
            # Whatever it was, one letter must not stop the others. Its text may hold an address: keep its type only.
            await self._note_failure(queued, kind, _name(failure), retry_at=self._retry_at(queued))
        else:
            log.info("mail_sent", id=queued.id, kind=kind, attempt=queued.attempts)
            await self._note(MailSent(id=queued.id))

    def _retry_at(self, queued: QueuedMail) -> Millis | None:
        """When to try again, or None if that would be too late for this letter."""
        doubled = _FIRST_RETRY_MS << min(queued.attempts - 1, 20)
        delay_ms = min(doubled, _LONGEST_RETRY_MS) * _JITTER.uniform(1.0, 1.25)
        retry_at = self._clock.now() + int(min(delay_ms, _LONGEST_RETRY_MS))
        end_at = queued.created_at + self._limits.give_up_after_ms
        if queued.expires_at is not None:
            end_at = min(end_at, queued.expires_at)
        return retry_at if retry_at < end_at else None

    async def _note_failure(self, queued: QueuedMail, kind: str, error: str, retry_at: Millis | None) -> None:
        given_up = retry_at is None
        log.warning("mail_failed", id=queued.id, kind=kind, attempt=queued.attempts, error=error, given_up=given_up)
        await self._note(MailFailed(id=queued.id, error=error, now=self._clock.now(), retry_at=retry_at))

    async def _note(self, change: MailSent | MailFailed) -> None:
        """Tell the store, with some patience: a note that is lost means a letter that goes twice."""
        for pause_s in _NOTE_PAUSES_S:
            try:
                await self._store.apply(change)
                return
            except StoreUnavailable:
                await asyncio.sleep(pause_s)
        log.warning("mail_note_lost", id=change.id, change=type(change).__name__)

    async def _stop(self) -> None:
        async with self._claiming:
            on_the_way = set(self._on_the_way)
        if not on_the_way:
            return
        _, unfinished = await asyncio.wait(on_the_way, timeout=self._limits.stop_grace_s)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)


def _name(failure: BaseException) -> str:
    """The type of a failure, and an SMTP reply code where there is one."""
    code = getattr(failure, "code", None)
    return f"{type(failure).__name__} {code}" if isinstance(code, int) else type(failure).__name__

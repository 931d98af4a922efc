"""A store around the SQL one. SQL stays the truth: whatever must never be forgotten is written there first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sekisho.model import (
    Account,
    AccountId,
    AuditRecord,
    AuditSeal,
    Challenge,
    Factor,
    GuardKey,
    JournalPage,
    Millis,
    PendingSignUp,
    QueuedMail,
    RecoveryEmail,
    Session,
    SessionId,
    SigningKey,
    Trace,
    TrustedDevice,
)
from sekisho.ports.changes import (
    Change,
    ChangeProfile,
    EndExpiredSessions,
    EndSession,
    EndSessions,
    EraseAccount,
    OneTimeCode,
    PurgeExpired,
    RaiseEpoch,
    RotateSession,
    SetAccountStatus,
    SetPassword,
    SetRoles,
    StartSession,
    TouchSession,
)
from sekisho.ports.factor_changes import RenewProof
from sekisho.ports.storage import AuditCount, AuditFilter, Committed, Outcome, Store, StoreUnavailable
from sekisho.storage.reads import GENERATION
from sekisho.storage.redis.engine import FENCE_AGAIN_AFTER_S, SessionEngine
from sekisho.storage.redis.examining import examine
from sekisho.storage.redis.fan_out import FanOut
from sekisho.storage.redis.fleet import Fleet
from sekisho.storage.redis.line import Line
from sekisho.storage.redis.saving import SAVE_EVERY_S
from sekisho.storage.redis.servers import Servers
from sekisho.storage.redis.throttle import apply_counting, is_coarse

# What changes a session that goes on, or the account of such: refused while Redis cannot be told, or a node that still
# reaches it would mint from what it was.
_MUST_FENCE = (SetRoles, ChangeProfile, RenewProof)
_OF_ACCOUNT = (EndSessions, EraseAccount, SetPassword, SetAccountStatus, SetRoles, ChangeProfile)

# With 0 for the time, every session of an account that has not ended is among the live ones.
ALWAYS = 0


class RedisStore:
    """`ports.storage.Store`. Made by `open`; belongs to the event loop that opened it."""

    def __init__(self, inner: Store, servers: Servers, prefix: str, engine: SessionEngine | None) -> None:
        self._inner = inner
        self._servers = servers
        self._engine = engine
        self._listeners: list[Callable[[Committed], None]] = []
        self._to_drop: list[str] = []
        self._dropping: set[asyncio.Task[None]] = set()
        self._is_closed = False
        self._begin(prefix)
        inner.subscribe(self._on_commit)

    @classmethod
    async def open(
        cls,
        inner: Store,
        servers: Servers,
        *,
        keeps_sessions: bool,
        must_answer: bool = True,
        save_every_s: float = SAVE_EVERY_S,
    ) -> RedisStore:
        """Wrap an open store, which is closed with this one.

        Args:
            keeps_sessions: whether Redis decides rotations (the session engine).
            must_answer: whether servers that cannot be used are an error. An operator who ends a session must not
                be kept from it by a Redis that is down.

        Raises:
            RedisCannotBeUsed: one of its kinds, with what to do. `inner` is still open.
        """
        if must_answer:
            await examine(servers, keeps_sessions=keeps_sessions)
        engine = SessionEngine(inner, save_every_s) if keeps_sessions else None
        store = cls(inner, servers, await _prefix(inner), engine)
        await store._start()
        return store

    def _begin(self, prefix: str) -> None:
        after_opening = self._engine.after_opening if self._engine is not None else _nothing_to_do
        self._fleet = Fleet(self._servers, prefix, after_opening)
        self._fan_out = FanOut(self._fleet, prefix)
        if self._engine is not None:
            self._engine.start(self._fleet)

    async def _start(self) -> None:
        await self._fleet.start()
        await self._fan_out.start()

    # Writing

    async def apply(self, *changes: Change) -> Outcome:
        if self._is_closed:
            raise StoreUnavailable("the store is closed")
        engine = self._engine
        if engine is None:
            return await self._apply_counting(changes)
        if len(changes) == 1:
            only = changes[0]
            if isinstance(only, RotateSession):
                return Outcome((await engine.rotate(only),))
            if isinstance(only, TouchSession):
                await engine.touch(only)
                return Outcome((None,))
        names = await self._concerned(changes)
        fenced_at = await self._fence(engine, names, changes)
        outcome = await self._apply_counting(changes)
        await self._fence_again(engine, names, fenced_at)
        for change in changes if outcome.lost is None else ():
            if isinstance(change, PurgeExpired):
                engine.forget_ended(change.journal_before_at)
            elif isinstance(change, RaiseEpoch):
                await self._start_over()
        return outcome

    async def _apply_counting(self, changes: Sequence[Change]) -> Outcome:
        if any(is_coarse(change) for change in changes):
            return await apply_counting(self._fleet, changes, self._inner.apply)
        return await self._inner.apply(*changes)

    async def _concerned(self, changes: Sequence[Change]) -> list[str]:
        """Return the sessions that these changes may end, or whose account they change."""
        names: dict[str, None] = {}
        for change in changes:
            if isinstance(change, EndSession | RotateSession | TouchSession | RenewProof):
                names[change.session_id] = None
            elif isinstance(change, EndExpiredSessions):
                expired = await self._inner.list_expired_sessions(change.now, change.limit)
                names.update({session.id: None for session in expired})
            elif isinstance(change, (StartSession, *_OF_ACCOUNT)):
                account_id = change.session.account_id if isinstance(change, StartSession) else change.account_id
                live = await self._inner.list_sessions(account_id, ALWAYS)
                names.update({session.id: None for session in live})
        return [*names]

    async def _fence(self, engine: SessionEngine, names: Sequence[str], changes: Sequence[Change]) -> float:
        """Fence what a commit is about to overtake. Returns when it stood, 0 if it does not.

        Raises:
            StoreUnavailable: Redis is away, and the change can wait; an end cannot: the journal is heard without Redis.
        """
        if not names:
            return 0.0
        await engine.save(names)
        fenced_at = self._fleet.time()
        try:
            await engine.fence(names)
        except StoreUnavailable:
            if any(isinstance(change, (*_MUST_FENCE, EndExpiredSessions)) for change in changes):
                raise
            return 0.0
        return fenced_at

    async def _fence_again(self, engine: SessionEngine, names: Sequence[str], fenced_at: float) -> None:
        """After the commit: what ended without a fence, and what was fenced so long ago that it may have fallen."""
        is_standing = fenced_at > 0 and self._fleet.time() - fenced_at < FENCE_AGAIN_AFTER_S
        ended, self._to_drop = self._to_drop, []
        late = {*ended} - {*names} if is_standing else {*ended, *names}
        if late:
            await engine.drop(late)

    def _on_commit(self, committed: Committed) -> None:
        """This memory first, then the others', then the nodes."""
        if self._engine is not None:
            self._to_drop += self._engine.note_ended(committed.journal)
        for listener in self._listeners:
            listener(committed)
        self._fan_out.tell()

    async def _start_over(self) -> None:
        """Leave behind whatever Redis kept before a restore."""
        await self._fan_out.close()
        await self._fleet.close()
        self._begin(await _prefix(self._inner))
        await self._start()

    def subscribe(self, listener: Callable[[Committed], None]) -> None:
        self._listeners.append(listener)

    def has_foreign_commits(self) -> bool:
        was_told = self._fan_out.take_news()
        return self._inner.has_foreign_commits() or was_told

    async def close(self) -> None:
        """Save what was not saved, then let go of Redis and of the store inside."""
        if not self._is_closed:
            self._is_closed = True
            await self._fan_out.close()
            await asyncio.gather(*self._dropping, return_exceptions=True)
            if self._engine is not None:
                await self._engine.close()
            await self._fleet.close()
        await self._inner.close()

    # Reading: sessions as Redis knows them; all else is SQL's

    async def find_session(self, session_id: SessionId) -> Session | None:
        found = await self._inner.find_session(session_id)
        if found is None or self._engine is None:
            return found
        return (await self._engine.as_used([found]))[0]

    async def find_session_and_account(self, session_id: SessionId) -> tuple[Session, Account] | None:
        found = await self._inner.find_session_and_account(session_id)
        if found is None or self._engine is None:
            return found
        session, account = found
        return (await self._engine.as_used([session]))[0], account

    async def list_sessions(self, account_id: AccountId, now: Millis) -> list[Session]:
        if self._engine is None:
            return await self._inner.list_sessions(account_id, now)
        used = await self._engine.as_used(await self._inner.list_sessions(account_id, ALWAYS))
        live = [session for session in used if session.idle_expires_at > now and session.expires_at > now]
        return sorted(live, key=lambda each: (each.last_seen_at, each.created_at, each.id), reverse=True)

    async def list_expired_sessions(self, now: Millis, limit: int) -> list[Session]:
        rows = await self._inner.list_expired_sessions(now, limit)
        used = await self._engine.as_used(rows) if self._engine is not None else rows
        return [session for session in used if session.idle_expires_at <= now]

    async def read_journal(self, after_seq: int, limit: int = 1000) -> JournalPage:
        """Ends of other nodes that are read here are taken out of Redis too: who ended them may have crashed.

        Nobody waits for that: a Redis that does not answer must not keep an end from this node's memory.
        """
        page = await self._inner.read_journal(after_seq, limit)
        if self._engine is not None and (ended := self._engine.note_ended(page.entries)):
            task = asyncio.create_task(self._engine.drop(ended))
            self._dropping.add(task)
            task.add_done_callback(self._dropping.discard)
        return page

    async def list_guard_keys(self) -> list[GuardKey]:
        return await self._inner.list_guard_keys()

    async def find_guard_key(self, key_id: str) -> GuardKey | None:
        return await self._inner.find_guard_key(key_id)

    async def find_account(self, account_id: AccountId) -> Account | None:
        return await self._inner.find_account(account_id)

    async def find_account_by_email(self, email_key: str) -> Account | None:
        return await self._inner.find_account_by_email(email_key)

    async def list_accounts(self, *, after_id: str = "", limit: int = 100) -> list[Account]:
        return await self._inner.list_accounts(after_id=after_id, limit=limit)

    async def is_known_device(self, identifier_tag: str, device_tag: str) -> bool:
        return await self._inner.is_known_device(identifier_tag, device_tag)

    async def find_pending_sign_up(self, pending_id: str) -> PendingSignUp | None:
        return await self._inner.find_pending_sign_up(pending_id)

    async def find_one_time_code(self, code_id: str) -> OneTimeCode | None:
        return await self._inner.find_one_time_code(code_id)

    async def list_pending_sign_ups(self, email_key: str) -> list[PendingSignUp]:
        return await self._inner.list_pending_sign_ups(email_key)

    async def find_recovery_email(self, account_id: AccountId) -> RecoveryEmail | None:
        return await self._inner.find_recovery_email(account_id)

    async def list_earlier_passwords(self, account_id: AccountId, limit: int) -> list[str]:
        return await self._inner.list_earlier_passwords(account_id, limit)

    async def list_factors(self, account_id: AccountId) -> list[Factor]:
        return await self._inner.list_factors(account_id)

    async def list_all_factors(self, *, after_id: str = "", limit: int = 100) -> list[Factor]:
        return await self._inner.list_all_factors(after_id=after_id, limit=limit)

    async def count_factor_adoption(self) -> dict[str, int]:
        return await self._inner.count_factor_adoption()

    async def count_recovery_codes(self, account_id: AccountId) -> int:
        return await self._inner.count_recovery_codes(account_id)

    async def find_challenge(self, challenge_id: str) -> Challenge | None:
        return await self._inner.find_challenge(challenge_id)

    async def find_trusted_device(self, value_hash: bytes) -> TrustedDevice | None:
        return await self._inner.find_trusted_device(value_hash)

    async def list_trusted_devices(self, account_id: AccountId, now: Millis) -> list[TrustedDevice]:
        return await self._inner.list_trusted_devices(account_id, now)

    async def list_signing_keys(self) -> list[SigningKey]:
        return await self._inner.list_signing_keys()

    async def list_audit(self, wanted: AuditFilter) -> list[AuditRecord]:
        return await self._inner.list_audit(wanted)

    async def list_traces(self, account_id: AccountId, *, newest: int, sign_ins: int) -> list[Trace]:
        return await self._inner.list_traces(account_id, newest=newest, sign_ins=sign_ins)

    async def count_audit(self, wanted: AuditFilter) -> list[AuditCount]:
        return await self._inner.count_audit(wanted)

    async def read_audit_to_seal(self, after_seq: int, limit: int) -> list[AuditRecord]:
        return await self._inner.read_audit_to_seal(after_seq, limit)

    async def read_audit(self, after_seq: int, until_seq: int, limit: int) -> list[AuditRecord]:
        return await self._inner.read_audit(after_seq, until_seq, limit)

    async def last_audit_seal(self) -> AuditSeal | None:
        return await self._inner.last_audit_seal()

    async def list_audit_seals(self, after_number: int, limit: int) -> list[AuditSeal]:
        return await self._inner.list_audit_seals(after_number, limit)

    async def list_aged_audit_seals(self, sealed_before_at: Millis, *, to_purge: bool, limit: int) -> list[AuditSeal]:
        return await self._inner.list_aged_audit_seals(sealed_before_at, to_purge=to_purge, limit=limit)

    async def find_meta(self, name: str) -> str | None:
        return await self._inner.find_meta(name)

    async def list_waiting_mail(self, *, after_id: str = "", limit: int = 100) -> list[QueuedMail]:
        return await self._inner.list_waiting_mail(after_id=after_id, limit=limit)

    async def next_mail_at(self) -> Millis | None:
        return await self._inner.next_mail_at()

    async def counts(self) -> dict[str, int]:
        return await self._inner.counts()


if TYPE_CHECKING:
    # The engine is loaded by name, so that this is where its shape is held to the port's.
    _: type[Store] = RedisStore


async def _prefix(inner: Store) -> str:
    """What stands before every key: two installations may share a Redis, and a restore starts over."""
    return f"sekisho:{await inner.find_meta(GENERATION)}:"


async def _nothing_to_do(_: Line) -> None:
    return

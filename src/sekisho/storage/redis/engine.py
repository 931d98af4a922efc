"""The session engine: Redis decides rotations and touches, SQL decides everything else and learns of them behind.

    ended in the journal? -> script -> unknown: load the row, again -> the table of verdicts

Before SQL ends a session or changes its account, the session's record is taken out of Redis and a fence stands in its
place (`fence`); while it stands, SQL decides. So nothing is issued from a record that a commit has overtaken, whoever
crashes when. What Redis forgets is loaded again from SQL and rolled forward by the counter rule.

Spec: docs/decisions/0030-redis-beside-sql.md.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import structlog
from msgspec.structs import replace
from redis.exceptions import AskError, MovedError

from sekisho.model import AuditRecord, JournalEntry, Millis, Session, SessionId
from sekisho.ports.changes import AppendAudit, Change, RotateSession, TouchSession
from sekisho.ports.storage import Ended, Rotated, Rotation, Store, StoreUnavailable
from sekisho.storage.changes.records import SYSTEM
from sekisho.storage.changes.rotation import app_of, classify, idle_until_at, why_dead
from sekisho.storage.redis.fleet import Fleet
from sekisho.storage.redis.line import Call, Line
from sekisho.storage.redis.records import (
    SPARE_MS,
    Seen,
    fields_of,
    is_newer,
    life_ms,
    moved,
    seen_from,
    use_from,
    use_of,
)
from sekisho.storage.redis.saving import SAVE_EVERY_S, SAVED_AT_ONCE, Unsaved
from sekisho.storage.redis.scripts import FENCE, LOAD, LOOK, ROTATE, TOUCH, Script

log = structlog.get_logger("sekisho.redis")

# Longer than any commit may take: when a fence falls, what it stood for is done, or is fenced again.
FENCE_MS = 30_000
FENCE_AGAIN_AFTER_S = FENCE_MS / 2000
TICKET_MS = 5_000

# A session that was nearly idle is saved before it is answered: its row must never look dead while it lives.
NEARLY_IDLE_MS = 60 * 60_000
# So far a row may lie behind without a word: what one session can rotate between two savings.
EXPLAINED_BY_SAVING = 1000

MOST_ROUNDS = 5
WRITING_PAUSE_S = 0.01
WRITING_ROUNDS = 100

KEYS = ("", ":fence", ":ticket")


class SessionEngine:
    """Belongs to the event loop that made it; `start` and `close` stand around its life.

    Concurrency: any number of nodes may share one Redis and one SQL store.
    """

    def __init__(self, inner: Store, save_every_s: float = SAVE_EVERY_S) -> None:
        self._inner = inner
        self._fleet: Fleet | None = None
        self._ended: dict[str, tuple[Millis, str]] = {}
        self._overtaken: set[str] = set()
        self._unsaved = Unsaved(inner, save_every_s, self._has_ended)

    def start(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._unsaved.start()

    async def close(self) -> None:
        """Save what is not saved yet, if SQL answers."""
        await self._unsaved.close()

    async def after_opening(self, line: Line) -> None:
        """Before a line is trusted: what ended or was changed while it was away must not be found on it."""
        names = [*self._ended, *self._overtaken]
        for first in range(0, len(names), SAVED_AT_ONCE):
            calls = (_fencing(name, saved="*") for name in names[first : first + SAVED_AT_ONCE])
            for reply in await line.exchange([call.words(line) for call in calls]):
                # A Cluster has many lines, and each name belongs to one of them.
                if isinstance(reply, Exception) and not isinstance(reply, MovedError | AskError):
                    raise reply
        self._unsaved.save_soon()

    async def rotate(self, change: RotateSession) -> Rotation:
        """Decide a rotation as `RotateSession` says.

        Raises:
            StoreUnavailable: Redis is away, or SQL where it is needed.
        """
        judged = ""
        for _ in range(MOST_ROUNDS):
            if change.session_id in self._ended:
                return Ended(f"session ended: {self._ended[change.session_id][1]}")
            reply = await self._decided(ROTATE, change, _rotation_args(change, judged))
            if isinstance(reply, Ended):
                return reply
            if reply is None:
                rotation: Rotation = (await self._inner.apply(change)).results[0]
                return rotation
            has_moved, seen = reply
            verdict = classify(seen.session, seen.account, change)
            if has_moved:
                if verdict is not None:
                    raise RuntimeError(f"the script rotated what the table of verdicts refuses: {verdict}")
                return await self._rotated(seen, change)
            if verdict is not None:
                return verdict
            judged = str(seen.session.counter)
        raise StoreUnavailable("the session kept changing while its token was judged")

    async def touch(self, change: TouchSession) -> None:
        """Note a use as `TouchSession` says.

        Raises:
            StoreUnavailable: Redis is away, or SQL where it is needed.
        """
        if change.session_id in self._ended:
            return
        reply = await self._decided(TOUCH, change, _use_args(change))
        if reply is None:
            await self._inner.apply(change)
        elif not isinstance(reply, Ended) and reply[0]:
            seen = reply[1].session
            idle_expires_at = min(idle_until_at(change, seen.acr), seen.expires_at)
            used = replace(seen, last_seen_at=change.now, ip=change.ip, idle_expires_at=idle_expires_at)
            await self._used(seen, used, change.now)

    async def _decided(
        self, script: Script, change: RotateSession | TouchSession, args: Sequence[str | bytes | int]
    ) -> tuple[bool, Seen] | Ended | None:
        """Run a script until it has seen the record. Returns None where SQL decides, `Ended` where the row is dead."""
        for _ in range(WRITING_ROUNDS):
            reply = await self._run(Call(script, change.session_id, KEYS, tuple(args)))
            state = reply[0]
            if state == b"seen":
                return bool(reply[1]), seen_from(reply[2:])
            if state == b"sql":
                return None
            if state == b"writing":
                await asyncio.sleep(WRITING_PAUSE_S)
                continue
            dead = await self._load(change.session_id, reply[1], change.now)
            if dead is not None:
                return dead
        raise StoreUnavailable("the session is being written to SQL")

    async def _load(self, session_id: SessionId, ticket: bytes, now: Millis) -> Ended | None:
        """Put the row into Redis, unless it is dead; the ticket fails if somebody fenced since it was given."""
        session = await self._inner.find_session(session_id)
        account = await self._inner.find_account(session.account_id) if session is not None else None
        if session is None or account is None:
            return Ended("unknown session")
        dead = why_dead(session, account, now)
        if dead:
            return Ended(dead)
        session = self._unsaved.applied_to(session)
        args = (ticket, life_ms(session, now), *fields_of(session, account))
        await self._run(Call(LOAD, session_id, KEYS, args))
        return None

    async def _rotated(self, seen: Seen, change: RotateSession) -> Rotation:
        before = seen.session
        after = replace(
            before,
            counter=change.counter + 1,
            rotated_at=change.now,
            last_seen_at=change.now,
            idle_expires_at=min(idle_until_at(change, before.acr), before.expires_at),
            ip=change.ip,
        )
        lag = change.counter - before.counter
        if lag > 0 and (not seen.is_fresh or lag > EXPLAINED_BY_SAVING):
            await self._inner.apply(use_of(after), _store_behind(after, change))
        else:
            await self._used(before, after, change.now)
        # A commit of this node may have ended it while the answer was on its way.
        if change.session_id in self._ended:
            return Ended(f"session ended: {self._ended[change.session_id][1]}")
        return Rotated(after, seen.account, lag > 0, before.ip, before.last_seen_at)

    async def _used(self, before: Session, after: Session, now: Millis) -> None:
        use = use_of(after)
        if before.idle_expires_at - now < NEARLY_IDLE_MS:
            await self._inner.apply(use)
            return
        self._unsaved.keep(use)

    async def fence(self, session_ids: Collection[str]) -> None:
        """Take these sessions' records out, saving to SQL what they know better; SQL decides from here on.

        Raises:
            StoreUnavailable: at least one record may still stand.
        """
        saved = dict.fromkeys(session_ids, "")
        for _ in range(MOST_ROUNDS):
            replies = await self._run_all([_fencing(name, saved=mark) for name, mark in saved.items()])
            uses = [use_from(name, reply) for name, reply in zip(saved, replies, strict=True) if reply]
            if not uses:
                return
            await self._inner.apply(*uses)
            saved = {use.session_id: f"{use.counter}:{use.last_seen_at}" for use in uses}
        raise StoreUnavailable("a session kept changing while it was fenced")

    async def drop(self, session_ids: Collection[str]) -> None:
        """Take out the records of sessions whose end or change is committed. If Redis is away, before it is trusted
        again."""
        self._overtaken.update(session_ids)
        try:
            await self._run_all([_fencing(name, saved="*") for name in session_ids])
        except StoreUnavailable:
            return
        self._overtaken.difference_update(session_ids)

    def note_ended(self, entries: Iterable[JournalEntry]) -> list[str]:
        """Remember ends, before anybody is told of them. Returns those that were not known."""
        ends = {entry.value: entry for entry in entries if entry.kind == "sid" and entry.value not in self._ended}
        self._ended.update({name: (entry.expires_at, entry.reason) for name, entry in ends.items()})
        self._unsaved.forget(ends)
        return [*ends]

    def forget_ended(self, before_at: Millis) -> None:
        """Forget ends that no access token can concern any more; their records went long ago."""
        self._ended = {name: end for name, end in self._ended.items() if end[0] > before_at}

    async def as_used(self, sessions: Sequence[Session]) -> list[Session]:
        """Return these rows as Redis knows them, or as they are while Redis is away."""
        live = [session for session in sessions if session.ended_at is None]
        newest: dict[str, Session] = {}
        try:
            replies = await self._run_all([Call(LOOK, session.id, ("",)) for session in live])
        except StoreUnavailable:
            replies = [(None,)] * len(live)
        for session, fields in zip(live, replies, strict=True):
            found = self._unsaved.applied_to(moved(session, fields) if fields[0] is not None else session)
            if is_newer(use_of(found), session):
                newest[session.id] = found
        return [newest.get(session.id, session) for session in sessions]

    async def save(self, session_ids: Collection[str] | None = None) -> None:
        """Write to SQL what this node rotated and touched; of these sessions, or all. Raises as `Unsaved.save`."""
        await self._unsaved.save(session_ids)

    def _has_ended(self, session_id: str) -> bool:
        return session_id in self._ended

    async def _run(self, call: Call) -> Any:
        assert self._fleet is not None, "the engine has not started"
        return await self._fleet.run(call)

    async def _run_all(self, calls: Sequence[Call]) -> list[Any]:
        assert self._fleet is not None, "the engine has not started"
        return await self._fleet.run_all(calls)


def _use_args(change: RotateSession | TouchSession) -> list[str | bytes | int]:
    ends = [change.now + change.idle_ms, change.now + change.aal2_idle_ms]
    return [change.now, *ends, change.ip, secrets.token_hex(16), TICKET_MS, SPARE_MS]


def _rotation_args(change: RotateSession, judged: str) -> list[str | bytes | int]:
    return [
        *_use_args(change),
        change.secret_hash,
        change.counter,
        change.counter + 1,
        change.client_id,
        app_of(change.client_id),
        judged,
    ]


def _fencing(session_id: str, *, saved: str) -> Call:
    return Call(FENCE, session_id, KEYS, (FENCE_MS, saved))


def _store_behind(session: Session, change: RotateSession) -> Change:
    return AppendAudit(
        record=AuditRecord(
            event="store_behind",
            outcome="success",
            at=change.now,
            account_id=session.account_id,
            session_id=session.id,
            client_id=session.client_id,
            actor=SYSTEM,
            ip=change.ip,
            user_agent=change.user_agent,
        )
    )

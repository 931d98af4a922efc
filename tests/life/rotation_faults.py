"""Ways to get rotation wrong, and one to spend a time step twice, made on purpose: the machine must see each of them.

They come in where the product lets parts be exchanged: the table that says how a change is written
(`storage.changes.STEPS_OF`), and the bundle of the refresh flow.
"""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from msgspec.structs import replace

from life.model import GRACE_MS, IDLE_MS
from sekisho.http.edge import Edge
from sekisho.model import EndReason, Millis, Origin, SessionId
from sekisho.ports import changes
from sekisho.ports.factor_changes import UseFactor
from sekisho.ports.storage import Repeated, Replayed, Rotated, Rotation
from sekisho.sessions import Sessions
from sekisho.storage.changes import STEPS_OF
from sekisho.storage.changes.rotation import classify, rotate_session
from sekisho.storage.changes.session_ends import end_session
from sekisho.storage.steps import Losing, Maker, Step, Steps, Value
from sekisho.tokens.refresh_token import Presented

TABLE = cast("dict[type[changes.Change], Maker]", STEPS_OF)


@contextmanager
def written_as(change: type[changes.Change], maker: Maker) -> Iterator[None]:
    """Let the engine write this change in another way for a while."""
    before = TABLE.get(change)
    TABLE[change] = maker
    try:
        yield
    finally:
        if before is None:
            del TABLE[change]
        else:
            TABLE[change] = before


class Advance(changes.Change, frozen=True, kw_only=True):
    """Raise the counter, whatever it is by now and whether or not the session has ended."""

    session_id: SessionId
    now: Millis
    idle_until_at: Millis
    ip: str


ADVANCE = """
UPDATE sessions
SET counter = counter + 1, last_seen_at = :now, rotated_at = :now, ip = :ip, idle_expires_at = :idle_until_at
WHERE id = :id
"""


def advance(change: Advance) -> Steps:
    values = {
        "id": change.session_id,
        "now": change.now,
        "ip": change.ip,
        "idle_until_at": change.idle_until_at,
    }
    yield Step(ADVANCE, values)
    return None


class UnguardedSessions(Sessions):
    """No guard: reads, decides, writes, and the statement does not ask again. Between the first and the last of these
    anybody may do the same."""

    async def rotate(self, presented: Presented, client_id: str, origin: Origin) -> Rotation:
        now = self._clock.now()
        session = await self._store.find_session(presented.session_id)
        account = session and await self._store.find_account(session.account_id)
        if session is None or account is None:
            return await super().rotate(presented, client_id, origin)
        wanted = changes.RotateSession(
            session_id=session.id,
            secret_hash=presented.secret_hash,
            counter=presented.counter,
            client_id=client_id,
            now=now,
            grace_ms=GRACE_MS,
            idle_ms=IDLE_MS,
            aal2_idle_ms=IDLE_MS,
            ip=origin.ip,
        )
        await sleep(0)
        if classify(session, account, wanted) is not None or presented.counter > session.counter:
            return await super().rotate(presented, client_id, origin)
        idle_until_at = min(now + IDLE_MS, session.expires_at)
        await self._store.apply(Advance(session_id=session.id, now=now, ip=origin.ip, idle_until_at=idle_until_at))
        return Rotated(session, account)


def unguarded(edge: Edge) -> Edge:
    """Put the sessions that do not guard into the refresh flow."""
    return replace(edge, refresh=replace(edge.refresh, sessions=UnguardedSessions(edge.refresh.sessions._tools)))


def rotate_with_grace_for_grandparents(change: changes.RotateSession) -> Steps:
    """The window is for the direct predecessor only; this one lets the one before it in too."""
    verdict = yield from rotate_session(change)
    if isinstance(verdict, Replayed):
        session = verdict.session
        if change.counter == session.counter - 2 and change.now - session.rotated_at <= GRACE_MS:
            return Repeated(session, verdict.account)
    return verdict


def end_session_refusing_before_the_commit(change: changes.EndSession) -> Steps:
    """Roll the end back that the refusal announces, with its audit record and its letter."""
    ended = yield from end_session(change)
    return Losing("refused before the commit") if change.reason is EndReason.REPLAY else ended


def use_without_a_guard(change: UseFactor) -> Steps:
    """Note the step, whichever was used before: the comparison has looked already."""
    values: dict[str, Value] = {"id": change.factor_id, "step": change.step, "now": change.now}
    yield Step("UPDATE factors SET last_step = :step, last_used_at = :now WHERE id = :id", values)
    return None

"""Shipping: sealed batches of the trail go to a system of the operator's, in order, at least once.

    take the place (a lease) -> the next batch -> hand over -> note how far -> the next one

The trail itself is the queue: a sink that is away for ten minutes or a day gets everything afterwards. How far it is
stands beside the trail in the database, so nothing depends on a process staying alive. Several nodes may try; one
ships at a time, and a node that died gives its place up by time.

Where the operator demands it, a sink that is too far behind stops the changes of credentials and rights
(`Demanding`): who could change them and then silence the sink would leave no trace elsewhere.

Spec: ASVS 16.4.3; FS-29.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import msgspec
import structlog
from msgspec import Struct, structs

from sekisho.audit.events import FAILURE
from sekisho.errors import ServiceUnavailable
from sekisho.model import AccountStatus, AuditRecord, Millis
from sekisho.ports.audit_sink import AuditSink, SinkUnavailable
from sekisho.ports.changes import (
    AddGuardKey,
    Change,
    ChangeEmail,
    SetAccountStatus,
    SetPassword,
    SetRoles,
    SwapMeta,
)
from sekisho.ports.clock import Clock
from sekisho.ports.factor_changes import AddFactor, ConfirmFactor, RemoveFactor, RemoveFactors, SetRecoveryCodes
from sekisho.ports.recovery_changes import RemoveRecoveryEmail, SetRecoveryEmail
from sekisho.ports.storage import Outcome, Store, StoreUnavailable
from sekisho.times import iso_time

log = structlog.get_logger("sekisho.audit")

PLACE = "audit_shipped"
ROUND_S = 5
FIRST_PAUSE_S = 1
LEASE_MS = 120_000
HAND_OVER_S = 60
LONGEST_PAUSE_S = 60
BATCHES_AT_ONCE = 20
SINK_BEHIND = "audit_sink_behind"


class Place(Struct, frozen=True):
    """How far the sink is: the number of the last seal that it has. Until `leased_until_at` somebody is at work.

    note: the text of it in the database; None before the first batch.
    """

    note: str | None

    @classmethod
    def at(cls, number: int, leased_until_at: Millis) -> Place:
        return cls(f"{number} {leased_until_at}")

    @property
    def number(self) -> int:
        return int(self.note.split(" ")[0]) if self.note else 0

    @property
    def leased_until_at(self) -> Millis:
        return int(self.note.split(" ")[1]) if self.note else 0

    def is_taken(self, now: Millis) -> bool:
        """Whether somebody is at work. Nobody leases for longer than twice the time, however clocks differ: what lies
        further ahead was left by a clock that has been put back."""
        return now < self.leased_until_at <= now + 2 * LEASE_MS


class Source(Struct, frozen=True):
    """Whose trail it is, in every line: the issuer, and the generation of its data, which a restored backup changes
    (numbers that were given since the backup are then given again)."""

    installation: str
    generation: str


class Line(Struct, frozen=True):
    """One record on its way."""

    at: Millis
    is_failure: bool
    json: bytes


class Channel(Struct, frozen=True, kw_only=True):
    """What is shipped, and under which name its place is kept.

    line: makes of a record what is handed over, or None to leave it out.
    begins_at_newest: a channel that is new skips what was sealed before.
    """

    place: str
    line: Callable[[AuditRecord, Source, int], Line | None]
    begins_at_newest: bool = False


async def keep_shipping(
    store: Store, clock: Clock, sink: AuditSink, source: Source, channel: Channel | None = None
) -> None:
    """Run for ever. A sink or a store that does not answer is tried again, after a pause that grows to a minute."""
    pause_s, name = FIRST_PAUSE_S, (channel or TRAIL).place
    try:
        while True:
            try:
                await ship_waiting(store, clock, sink, source, channel)
            except (SinkUnavailable, StoreUnavailable) as error:
                log.warning("audit_shipping_postponed", channel=name, error=str(error), retry_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            else:
                pause_s = FIRST_PAUSE_S
                await asyncio.sleep(ROUND_S)
    finally:
        await sink.close()


async def ship_waiting(
    store: Store, clock: Clock, sink: AuditSink, source: Source, channel: Channel | None = None
) -> int:
    """Hand over every sealed record of the channel (None: the whole trail) that the sink does not have yet; return how
    many.

    Raises:
        SinkUnavailable, StoreUnavailable: what was handed over before stays noted.

    Concurrency: while another node ships, this returns 0.
    """
    shipped, channel = 0, channel or TRAIL
    if channel.begins_at_newest:
        await _begin_at_newest(store, channel)
    while batches := await store.list_audit_seals((place := await _place(store, channel)).number, BATCHES_AT_ONCE):
        now = clock.now()
        held = Place.at(place.number, now + LEASE_MS)
        if place.is_taken(now) or not await _swap(store, channel, place, held):
            return shipped
        try:
            for seal in batches:
                records = await store.read_audit(seal.first_seq - 1, seal.last_seq, seal.records)
                # A batch whose time is over is a link without records.
                lines = [line for each in records if (line := channel.line(each, source, seal.number)) is not None]
                if lines:
                    await _hand_over(sink, lines)
                further = Place.at(seal.number, clock.now() + LEASE_MS)
                if not await _swap(store, channel, held, further):
                    return shipped  # It took too long, and another node goes on.
                held, shipped = further, shipped + len(lines)
        finally:
            await _swap(store, channel, held, Place.at(held.number, 0))
    return shipped


async def waiting_since(store: Store) -> Millis | None:
    """Return when the oldest batch was sealed that the sink does not have; None if it has them all."""
    waiting = await store.list_audit_seals((await _place(store, TRAIL)).number, 1)
    return waiting[0].sealed_at if waiting else None


class Demanding:
    """A store that refuses changes of credentials and rights while the sink is too far behind.

    Ending sessions, disabling accounts, taking a password away, and whatever else protects is never refused; nor are
    sign-ins, whose records wait in the trail.
    """

    def __init__(self, inner: Store, clock: Clock, longest_ms: int) -> None:
        self._inner = inner
        self._clock = clock
        self._longest_ms = longest_ms

    @classmethod
    def around(cls, inner: Store, clock: Clock, longest_ms: int) -> Store:
        # All but `apply` is the inner store's own, by `__getattr__`.
        return cast(Store, cls(inner, clock, longest_ms))

    async def apply(self, *changes: Change) -> Outcome:
        """As the inner store's.

        Raises:
            ServiceUnavailable: a change that must leave a trace elsewhere, and the sink is too far behind.
        """
        if not _takes_away(changes) and any(_needs_a_trace(change) for change in changes):
            since = await waiting_since(self._inner)
            if since is not None and self._clock.now() - since > self._longest_ms:
                log.error("audit_sink_too_far_behind", since=iso_time(since))
                raise ServiceUnavailable(detail=SINK_BEHIND, retry_after=LONGEST_PAUSE_S)
        return await self._inner.apply(*changes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


_TRACED = (
    SetPassword,
    ChangeEmail,
    AddFactor,
    ConfirmFactor,
    RemoveFactor,
    RemoveFactors,
    SetRecoveryCodes,
    SetRecoveryEmail,
    RemoveRecoveryEmail,
    SetRoles,
    AddGuardKey,
)


def _takes_away(changes: tuple[Change, ...]) -> bool:
    """Whether a password goes and none comes: its owner said "not me", or an operator wants a new one. Who silences
    the sink must not gain time by it."""
    return any(isinstance(change, SetPassword) and change.password_hash is None for change in changes)


def _needs_a_trace(change: Change) -> bool:
    if isinstance(change, SetAccountStatus):
        return change.status == AccountStatus.ACTIVE
    return isinstance(change, _TRACED)


async def _hand_over(sink: AuditSink, lines: list[Line]) -> None:
    try:
        async with asyncio.timeout(HAND_OVER_S):
            await sink.take(lines)
    except TimeoutError:
        raise SinkUnavailable(f"no answer within {HAND_OVER_S} s") from None


def _line(record: AuditRecord, source: Source, seal: int) -> Line:
    view = {**structs.asdict(source), "seal": seal, **structs.asdict(record), "at": iso_time(record.at)}
    return Line(record.at, record.outcome == FAILURE, msgspec.json.encode(view))


TRAIL = Channel(place=PLACE, line=_line)


async def _place(store: Store, channel: Channel) -> Place:
    return Place(await store.find_meta(channel.place))


async def _begin_at_newest(store: Store, channel: Channel) -> None:
    unset = await _place(store, channel)
    if unset.note is None:
        newest = await store.last_audit_seal()
        # Of nodes that begin at once one says where.
        await _swap(store, channel, unset, Place.at(newest.number if newest else 0, 0))


async def _swap(store: Store, channel: Channel, was: Place, becomes: Place) -> bool:
    assert becomes.note is not None, "a place that was taken has a note"
    return (await store.apply(SwapMeta(name=channel.place, was=was.note, value=becomes.note))).lost is None

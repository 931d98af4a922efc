"""Shipping the trail: whatever the sink, the nodes and the clock do, every sealed record arrives, in order."""

from __future__ import annotations

from asyncio import gather
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sekisho.audit.sealing import Retention, retire, seal_waiting
from sekisho.audit.seals import Seals
from sekisho.audit.shipping import LEASE_MS, PLACE, Demanding, Source, ship_waiting, waiting_since
from sekisho.errors import ServiceUnavailable
from sekisho.master_secret import MasterSecret
from sekisho.model import AccountStatus, AuditRecord, EndReason, Millis, RecoveryEmail
from sekisho.ports.audit_sink import ShippedLine, SinkUnavailable
from sekisho.ports.changes import (
    AddAccount,
    AppendAudit,
    ChangeEmail,
    EndSessions,
    SetAccountStatus,
    SetPassword,
    SetRoles,
    SwapMeta,
)
from sekisho.ports.recovery_changes import SetRecoveryEmail
from sekisho.storage.sqlite import SqliteStore
from storage.build import JOURNAL_UNTIL, MINUTE, NOW, account, done
from storage.fast import new_store

SEALS = Seals(MasterSecret(b"a secret of thirty-two bytes and more"))
SOURCE = Source("https://auth.example.com", "a generation")

pytestmark = pytest.mark.anyio


class HandClock:
    def __init__(self) -> None:
        self.at: Millis = NOW

    def now(self) -> Millis:
        return self.at


class Collector:
    """A sink that keeps what it takes, and refuses as often as it is told to."""

    def __init__(self, *, away: int = 0, dies_after_taking: int = 0) -> None:
        self.lines: list[dict[str, Any]] = []
        self.away = away
        self.dies_after_taking = dies_after_taking

    @property
    def seqs(self) -> list[int]:
        return [line["seq"] for line in self.lines]

    async def take(self, lines: Sequence[ShippedLine]) -> None:
        if self.away:
            self.away -= 1
            raise SinkUnavailable("away")
        self.lines += [msgspec.json.decode(line.json) for line in lines]
        if self.dies_after_taking:
            self.dies_after_taking -= 1
            raise SinkUnavailable("cut off before it could say yes")

    async def close(self) -> None:
        pass


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = await new_store(tmp_path)
    yield opened
    await opened.close()


async def more(store: SqliteStore, batches: int, of: int = 3) -> None:
    for _ in range(batches):
        records = (AuditRecord(event="login", outcome="failure", at=NOW, ip=f"192.0.2.{n}") for n in range(of))
        await done(store, *(AppendAudit(record=record) for record in records))
        await seal_waiting(store, SEALS, NOW)


async def test_every_sealed_record_arrives_once_and_in_order(store: SqliteStore) -> None:
    sink, clock = Collector(), HandClock()
    await more(store, 25)
    assert await ship_waiting(store, clock, sink, SOURCE) == 75
    await more(store, 1)
    assert await ship_waiting(store, clock, sink, SOURCE) == 3

    assert sink.seqs == list(range(1, 79))
    assert (sink.lines[0]["event"], sink.lines[0]["ip"], sink.lines[0]["seal"]) == ("login", "192.0.2.0", 1)
    assert (sink.lines[0]["installation"], sink.lines[0]["generation"]) == (SOURCE.installation, SOURCE.generation)
    assert await waiting_since(store) is None


async def test_V16_4_3_a_sink_that_is_away_gets_everything_afterwards(store: SqliteStore) -> None:
    sink, clock = Collector(away=120), HandClock()
    for _ in range(120):
        await more(store, 1)
        with pytest.raises(SinkUnavailable):
            await ship_waiting(store, clock, sink, SOURCE)
        clock.at += 5_000
    assert await waiting_since(store) == NOW

    await ship_waiting(store, clock, sink, SOURCE)
    assert sink.seqs == list(range(1, 361))


async def test_what_was_cut_off_before_its_yes_comes_again(store: SqliteStore) -> None:
    sink, clock = Collector(dies_after_taking=1), HandClock()
    await more(store, 2)
    with pytest.raises(SinkUnavailable):
        await ship_waiting(store, clock, sink, SOURCE)
    await ship_waiting(store, clock, sink, SOURCE)
    assert sink.seqs == [1, 2, 3, 1, 2, 3, 4, 5, 6]


async def test_of_nodes_that_ship_at_once_one_does(store: SqliteStore) -> None:
    sink, clock = Collector(), HandClock()
    await more(store, 10)
    await gather(*(ship_waiting(store, clock, sink, SOURCE) for _ in range(5)))
    assert sink.seqs == list(range(1, 31))


async def test_the_place_of_a_node_that_died_is_free_after_its_lease(store: SqliteStore) -> None:
    sink, clock = Collector(), HandClock()
    await more(store, 1)
    await done(store, SwapMeta(name=PLACE, was=None, value=f"0 {NOW + LEASE_MS}"))

    assert await ship_waiting(store, clock, sink, SOURCE) == 0
    clock.at += LEASE_MS
    assert await ship_waiting(store, clock, sink, SOURCE) == 3


async def test_a_lease_from_a_clock_that_was_far_ahead_holds_nobody_up(store: SqliteStore) -> None:
    clock, sink = HandClock(), Collector()
    await more(store, 1)
    await done(store, SwapMeta(name=PLACE, was=None, value=f"0 {NOW + 365 * 24 * 60 * MINUTE}"))
    assert await ship_waiting(store, clock, sink, SOURCE) == 3


async def test_a_node_that_took_too_long_does_not_turn_the_note_back(store: SqliteStore) -> None:
    clock = HandClock()
    await more(store, 2)

    class Slow(Collector):
        async def take(self, lines: Sequence[ShippedLine]) -> None:
            clock.at += LEASE_MS + 1
            await ship_waiting(store, clock, Collector(), SOURCE)
            await super().take(lines)

    await ship_waiting(store, clock, Slow(), SOURCE)
    assert (await store.find_meta(PLACE) or "").split()[0] == "2"


async def test_batches_whose_time_is_over_are_passed(store: SqliteStore) -> None:
    sink, clock = Collector(), HandClock()
    await more(store, 2)
    await retire(store, SEALS, Retention(None, 1), NOW + 10)
    await more(store, 1)
    assert await ship_waiting(store, clock, sink, SOURCE) == 3
    assert [line["seal"] for line in sink.lines] == [3, 3, 3]


async def test_FS_29_what_must_leave_a_trace_waits_for_a_sink_that_is_too_far_behind(store: SqliteStore) -> None:
    clock, owner = HandClock(), account()
    await done(store, AddAccount(account=owner))
    await more(store, 1)
    demanding = Demanding.around(store, clock, 10 * MINUTE)
    password = SetPassword(account_id=owner.id, security_version=owner.security_version, password_hash="$new")
    roles = SetRoles(account_id=owner.id, roles=("admin",))
    enabled = SetAccountStatus(account_id=owner.id, expected=AccountStatus.DISABLED, status=AccountStatus.ACTIVE)

    clock.at += 10 * MINUTE
    await done(demanding, roles)
    clock.at += 1
    second = RecoveryEmail(account_id=owner.id, email="a@b.test", email_key="a@b.test", verified_at=NOW)
    recovery = SetRecoveryEmail(recovery=second, security_version=owner.security_version)
    for change in (password, roles, enabled, recovery):
        with pytest.raises(ServiceUnavailable) as refused:
            await demanding.apply(AppendAudit(record=AuditRecord(event="x", outcome="success", at=NOW)), change)
        assert refused.value.detail == "audit_sink_behind"
    unchanged = await store.find_account(owner.id)
    assert unchanged is not None
    assert unchanged.password_hash is None

    # What protects, and what only signs in, goes on.
    await done(demanding, AppendAudit(record=AuditRecord(event="login", outcome="success", at=NOW)))
    await done(demanding, SetAccountStatus(account_id=owner.id, expected="active", status="disabled"))
    await done(
        demanding,
        EndSessions(account_id=owner.id, reason=EndReason.ACCOUNT_DISABLED, now=NOW, journal_until_at=JOURNAL_UNTIL),
    )
    await ship_waiting(store, clock, Collector(), SOURCE)
    await done(demanding, enabled)


async def test_FS_29_a_password_is_taken_away_however_far_behind_the_sink_is(store: SqliteStore) -> None:
    clock, owner = HandClock(), account()
    await done(store, AddAccount(account=owner))
    await more(store, 1)
    demanding = Demanding.around(store, clock, 10 * MINUTE)
    clock.at += 11 * MINUTE
    verified = ChangeEmail(
        account_id=owner.id,
        security_version=owner.security_version,
        email=owner.email,
        email_key=owner.email_key or "",
        old_identifier_tag="tag",
    )
    taken = SetPassword(account_id=owner.id, security_version=owner.security_version + 1, password_hash=None)
    with pytest.raises(ServiceUnavailable):
        await demanding.apply(verified)
    await done(demanding, verified, taken)

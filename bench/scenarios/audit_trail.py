"""The audit trail for each 100,000 events: written, sealed and verified, in this process, with full durability.

A walk that sees nothing is fast: it must find the trail whole, and the one record that is changed afterwards.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import apsw
from msgspec import structs

from bench.measure import SATURATING_USERS
from bench.rows import Aim, Row
from bench.setting import Setting
from bench.site import now_ms
from sekisho.audit import SUCCESS, Event, record
from sekisho.audit.sealing import seal_waiting
from sekisho.audit.seals import Seals
from sekisho.audit.verifying import Findings, verify_trail
from sekisho.ids import new_account_id
from sekisho.model import Origin
from sekisho.ports.changes import AppendAudit
from sekisho.storage.sqlite import SqliteStore
from sekisho.storage.sqlite.migration import migrate

EVENTS = 100_000


async def run(setting: Setting) -> list[Row]:
    events = setting.plan.size
    with tempfile.TemporaryDirectory(dir=setting.folder) as name:
        database = Path(name) / "sekisho.db"
        migrate(database)
        seals = Seals(setting.site.master())
        store = await SqliteStore.open(database)
        try:
            written = await _timed("audit trail, write", events, lambda: _write(store, events))
            sealed = await _timed("audit trail, seal", events, lambda: seal_waiting(store, seals, now_ms()))
            found: list[Findings] = []

            async def verify() -> None:
                found.append(await verify_trail(store, seals, now_ms()))

            verified = await _timed("audit trail, verify", events, verify)
            _change_one(database)
            await verify()
        finally:
            await store.close()
    broken = _broken(found[0], found[1], events)
    return [written, sealed, structs.replace(verified, violations=dict(broken))]


async def _write(store: SqliteStore, events: int) -> None:
    """As many at once as in a closed loop; each is durable when it is answered."""
    origin = Origin(ip="203.0.113.7", user_agent="Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0.0.0")
    accounts = [new_account_id() for _ in range(SATURATING_USERS)]

    async def writer(number: int) -> None:
        for _ in range(number, events, SATURATING_USERS):
            one = record(Event.LOGIN, SUCCESS, at=now_ms(), origin=origin, account_id=accounts[number], method="pwd")
            await store.apply(AppendAudit(record=one))

    await asyncio.gather(*(writer(number) for number in range(SATURATING_USERS)))


async def _timed(name: str, events: int, work: Callable[[], Awaitable[object]]) -> Row:
    cpu, begun = time.process_time(), time.monotonic()
    await work()
    cpu_s, took_s = time.process_time() - cpu, time.monotonic() - begun
    aim = Aim("per_100k_s", None, took_s * EVENTS / events)
    return Row(id=name, cpu_us=cpu_s * 1e6 / events, aims=(aim,))


def _change_one(database: Path) -> None:
    connection = apsw.Connection(str(database))
    try:
        connection.execute("UPDATE audit SET reason = 'changed' WHERE seq = (SELECT max(seq) / 2 FROM audit)")
    finally:
        connection.close()


def _broken(whole: Findings, changed: Findings, events: int) -> Counter[str]:
    broken: Counter[str] = Counter()
    if not whole.is_whole or whole.records != events:
        broken["a trail that nobody touched was not found whole"] += 1
    if [each.kind for each in changed.found] != ["record_changed"]:
        broken["a changed record was not found, or not alone"] += 1
    return broken

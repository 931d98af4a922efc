"""What an installation weighs: bytes of every kind of row on PostgreSQL, what a refresh and a login write, and what a
session takes in Redis.

    python -m bench.sizes      a minute; writes bench/sizes.json, and the page that calculates with it

Rows are copies with values of their own as in the other runs; their bytes are those of table and indexes together. What
a call writes is read from the server's own counters before and after.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import uvloop
from msgspec import Struct, json

from bench import scale
from bench.driver import ClosedLoop, Script
from bench.engines import Engines
from bench.measure import SATURATING_USERS
from bench.processes import cores
from bench.scenarios.login import logins
from bench.setting import serving
from bench.smtp_sink import smtp_sink
from bench.warming import warm

SIZE = 100_000
LOGINS_S = 8.0
REFRESHES_S = 8.0

# Copies of the rows that real logins have left, each with values of its own where an index stands.
_MORE_AUDIT = """
INSERT INTO audit (event, outcome, at, account_id, session_id, client_id, method, reason, actor, identifier_tag,
                   subject, ip, user_agent, place, device)
SELECT event, outcome, at + number, 'a' || left(md5(number::text), 25), left(md5('s' || number), 22), client_id, method,
       reason, actor, left(md5('i' || number), 22), subject, ip, user_agent, place, device
FROM (SELECT * FROM audit WHERE event = 'login' LIMIT 1) AS model, generate_series(1, $1) AS number
"""


class Written(Struct, frozen=True):
    """What one call left in the write-ahead log, and how often the log was flushed for it."""

    log_bytes: float
    flushes: float


class Sizes(Struct, frozen=True):
    """All in bytes. rows: how many of each kind were weighed."""

    taken_at: str
    rows: int
    account: float
    session: float
    audit: float
    redis_record: float
    refresh: Written
    login: Written


async def _weigh() -> Sizes:
    have = cores()
    os.sched_setaffinity(0, {have.driver})
    with tempfile.TemporaryDirectory() as name, Engines(Path(name), have.stores, SIZE) as engines:
        site, (users, _) = await engines.site(), await engines.users()
        database = await asyncpg.connect(site.url)
        account = await _bytes(database, "accounts") / SIZE
        session = await _bytes(database, "sessions") / SIZE
        async with smtp_sink() as smtp_port:
            with serving(site, smtp_port, have.server, (engines.postgres,)) as server:
                refresh = await _written(database, server.ports, users[:SATURATING_USERS], REFRESHES_S)
                login = await _written(database, server.ports, logins(site), LOGINS_S)
        before, many = await _bytes(database, "audit"), SIZE
        await database.execute(_MORE_AUDIT, many)
        audit = (await _bytes(database, "audit") - before) / many
        await database.close()
        record = await warm(await engines.site_with_redis())
    today = datetime.now(UTC).date().isoformat()
    return Sizes(today, SIZE, account, session, audit, record, refresh, login)


async def _written(
    database: asyncpg.Connection, ports: tuple[int, ...], scripts: Sequence[Script], seconds: float
) -> Written:
    load = ClosedLoop()
    await load.connect(ports, scripts)
    # The first change of a page after a checkpoint writes the whole page: as it is in use.
    await database.execute("CHECKPOINT")
    bytes_before, flushes_before = await _log(database)
    load.begin_counting()
    load.start()
    await asyncio.sleep(seconds)
    await load.stop()
    # The server's processes tell of their work with a delay.
    await asyncio.sleep(2)
    bytes_after, flushes_after = await _log(database)
    answers = load.counted().succeeded
    return Written((bytes_after - bytes_before) / answers, (flushes_after - flushes_before) / answers)


async def _log(database: asyncpg.Connection) -> tuple[int, int]:
    row = await database.fetchrow("SELECT wal_bytes::bigint, wal_sync FROM pg_stat_wal")
    return int(row[0]), int(row[1])


async def _bytes(database: asyncpg.Connection, table: str) -> int:
    return int(await database.fetchval("SELECT pg_total_relation_size($1::regclass)", table))


def main() -> None:
    sizes = uvloop.run(_weigh())
    scale.SIZES.write_bytes(json.format(json.encode(sizes), indent=2) + b"\n")
    scale.update_docs()


if __name__ == "__main__":
    main()

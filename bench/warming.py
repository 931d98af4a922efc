"""Every session's record in Redis, as after some minutes of use: a row must not be one of first loads from SQL."""

from __future__ import annotations

import asyncpg
from redis.asyncio import Redis

from bench.site import Site, now_ms
from sekisho.storage import queries
from sekisho.storage.reads import GENERATION
from sekisho.storage.redis.line import facts_from, identity_from
from sekisho.storage.redis.records import fields_of, life_ms
from sekisho.storage.rows import SESSION_WIDTH, account_from, session_from

_AT_ONCE = 1000
_ALL_SESSIONS = queries.FIND_SESSION_AND_ACCOUNT.partition("WHERE")[0]


async def warm(site: Site) -> float:
    """Load all records. Returns how many bytes of Redis' memory one takes, without what the server itself needs."""
    database = await asyncpg.connect(site.url)
    redis = Redis.from_url(site.redis_url)
    try:
        generation = await database.fetchval(queries.FIND_META.replace(":name", "$1"), GENERATION)
        before = await _info(redis)
        prefix, now = f"sekisho:{generation}:{identity_from(before)}:", now_ms()
        rows = await database.fetch(_ALL_SESSIONS)
        for first in range(0, len(rows), _AT_ONCE):
            pipeline = redis.pipeline(transaction=False)
            for row in rows[first : first + _AT_ONCE]:
                session, account = session_from(row), account_from(row, SESSION_WIDTH)
                key = f"{prefix}{{{session.id}}}"
                pipeline.execute_command("HSET", key, *fields_of(session, account))
                pipeline.pexpire(key, life_ms(session, now))
            await pipeline.execute()
        return (_used(await _info(redis)) - _used(before)) / len(rows)
    finally:
        await redis.aclose()
        await database.close()


async def count_keys(site: Site) -> int:
    """Return how many keys Redis holds: one for each session if the server looks where `warm` has put them."""
    redis = Redis.from_url(site.redis_url)
    try:
        return int(await redis.dbsize())
    finally:
        await redis.aclose()


async def _info(redis: Redis) -> bytes:
    connection = await redis.connection_pool.get_connection()  # type: ignore[no-untyped-call]
    try:
        await connection.send_command("INFO")
        info: bytes = await connection.read_response()
    finally:
        await redis.connection_pool.release(connection)
    return info


def _used(info: bytes) -> int:
    return int(facts_from(info)["used_memory"])

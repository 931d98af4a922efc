"""What `doctor` asks a server."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from sekisho.ports.storage import StoreUnavailable
from sekisho.storage.postgres.connections import UNAVAILABLE, Target, connect

LOOK = """
SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
       current_setting('server_version')
"""


class Examined(Struct, frozen=True):
    """clock_ahead_ms: how far the server's clock is ahead of ours. most_connections: for everybody but superusers."""

    version: str
    clock_ahead_ms: int
    most_connections: int


async def examine(target: Target, now: Callable[[], int]) -> Examined:
    """Ask the server itself, around a pooler.

    Raises:
        StoreUnavailable: it does not answer.
    """
    try:
        connection = await connect(target, target.listen_url or target.url)
        try:
            before = now()
            at, most, version = await connection.fetchrow(LOOK)
            return Examined(version, at - (before + now()) // 2, most)
        finally:
            await connection.close()
    except UNAVAILABLE as error:
        raise StoreUnavailable(f"PostgreSQL: {type(error).__name__}") from error

"""PostgreSQL's side of a move: one connection of its own."""

# ruff: noqa: S608 - the texts are put together from the schema's own names, values are always parameters

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

import asyncpg

from sekisho.storage.errors import DatabaseInUse, SchemaTooNew, SchemaTooOld
from sekisho.storage.moving.sides import Key, Row, TableShape
from sekisho.storage.postgres.connections import (
    APPLICATION,
    Target,
    check_server,
    connect,
    explained,
    find_revision,
)
from sekisho.storage.postgres.journal import PUBLISH
from sekisho.storage.revision import SCHEMA_REVISION
from sekisho.storage.unfinished import MOVE_NOTE

NOT_A_NOTE = f"name <> '{MOVE_NOTE}' AND name NOT LIKE '{MOVE_NOTE}:%'"

# Our own connection has another name.
FIND_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1"


class PostgresSide:
    """One database that no node uses. What nodes did before is all numbered from here on."""

    def __init__(self, connection: asyncpg.Connection, place: str) -> None:
        self._connection = connection
        self._place = place

    @classmethod
    async def open(cls, target: Target) -> PostgresSide:
        """Raises:
        StoreCannotOpen: one of its kinds; `DatabaseInUse` if a node is connected.
        """
        with explained(target.place):
            connection = await connect(target, target.listen_url or target.url, application_name=f"{APPLICATION} move")
            try:
                await check_server(connection, target.place)
                found = await find_revision(connection, target.place)
                if found != SCHEMA_REVISION:
                    is_newer = found is not None and found > SCHEMA_REVISION
                    raise (
                        SchemaTooNew(found, SCHEMA_REVISION)
                        if found is not None and is_newer
                        else SchemaTooOld(found, SCHEMA_REVISION)
                    )
                if await connection.fetchval(FIND_OTHERS, APPLICATION):
                    raise DatabaseInUse(target.place, "a server is connected to it")
                await connection.execute(PUBLISH)
            except BaseException:
                connection.terminate()
                raise
        return cls(connection, target.place)

    async def count(self, table: TableShape) -> int:
        where = f" WHERE {NOT_A_NOTE}" if table.name == "meta" else ""
        with explained(self._place):
            found: int = await self._connection.fetchval(f"SELECT count(*) FROM {table.name}{where}")
        return found

    async def rows(self, table: TableShape, after: Key | None, batch: int) -> AsyncIterator[list[Row]]:
        key = ", ".join(table.key)
        slots = ", ".join(f"${number}" for number in range(1, len(table.key) + 1))
        conditions = [NOT_A_NOTE] if table.name == "meta" else []
        while True:
            behind = [*conditions, *([f"({key}) > ({slots})"] if after is not None else [])]
            where = " WHERE " + " AND ".join(behind) if behind else ""
            sql = f"SELECT {', '.join(table.columns)} FROM {table.name}{where} ORDER BY {key} LIMIT {batch:d}"
            with explained(self._place):
                rows = [tuple(row) for row in await self._connection.fetch(sql, *(after or ()))]
            if not rows:
                return
            yield list(rows)
            after = table.key_of(rows[-1])

    async def note(self, name: str) -> str | None:
        with explained(self._place):
            found: str | None = await self._connection.fetchval("SELECT value FROM meta WHERE name = $1", name)
        return found

    async def begin(self, name: str, note: str) -> None:
        with explained(self._place):
            async with self._connection.transaction():
                await self._connection.execute("DELETE FROM meta")
                await self._leave(name, note)

    async def write(self, table: TableShape, rows: Sequence[Row], name: str, note: str) -> None:
        with explained(self._place):
            async with self._connection.transaction():
                await self._connection.copy_records_to_table(table.name, records=rows, columns=table.columns)
                await self._leave(name, note)

    async def counter(self, table: TableShape) -> int:
        with explained(self._place):
            sequence = await self._connection.fetchval(
                "SELECT pg_get_serial_sequence($1, $2)", table.name, table.counter
            )
            last, was_used = await self._connection.fetchrow(f"SELECT last_value, is_called FROM {sequence}")
        return int(last) if was_used else 0

    async def finish(self, counters: Mapping[TableShape, int]) -> None:
        with explained(self._place):
            async with self._connection.transaction():
                for table, reached in counters.items():
                    # The second value: whether the first was given already, or is the next one.
                    await self._connection.execute(
                        "SELECT setval(pg_get_serial_sequence($1, $2), $3, $4)",
                        table.name,
                        table.counter,
                        max(reached, 1),
                        reached > 0,
                    )
                await self._connection.execute(f"DELETE FROM meta WHERE NOT ({NOT_A_NOTE})")
            # What a planner knows of empty tables is wrong now.
            await self._connection.execute("ANALYZE")

    async def close(self) -> None:
        await self._connection.close()

    async def _leave(self, name: str, note: str) -> None:
        await self._connection.execute(
            "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            name,
            note,
        )

"""What a site keeps its data in: a SQLite file, PostgreSQL, or PostgreSQL with Redis deciding refreshes."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import apsw
import asyncpg
import pytest

from postgres_server import PostgresServer
from sekisho.ports.storage import Store
from sekisho.storage.postgres import PostgresStore
from sekisho.storage.postgres.connections import Target
from sekisho.storage.postgres.migration import migrate
from sekisho.storage.sqlite import SqliteStore
from storage import fast_postgres
from storage.fast import template
from storage.redis_server import RedisServer

# Those that more than one node shares.
ON_SERVERS = pytest.mark.parametrize(
    "engine", [pytest.param(name, marks=pytest.mark.heavy) for name in ("postgres", "redis")], indirect=True
)
ON_EVERY_ENGINE = pytest.mark.parametrize(
    "engine",
    ["sqlite", *(pytest.param(name, marks=pytest.mark.heavy) for name in ("postgres", "redis"))],
    indirect=True,
)


class Engine:
    """environ: the settings that lead a server here. nodes: how many serve at once in a run of faults."""

    name: str
    nodes = 2
    environ: dict[str, str]

    async def open(self) -> Store:
        """Return the SQL store, past the server's way. Close it in the end."""
        raise NotImplementedError

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Look into the database as another process would; a `?` stands for each value."""
        raise NotImplementedError

    def back_up(self) -> None:
        """Keep a copy of the database, past our own commands. Servers may run."""
        raise NotImplementedError

    def put_back(self) -> None:
        """Put the copy in the database's place. No server may run."""
        raise NotImplementedError

    def remove(self) -> None:
        """Stop what was started for this site alone."""


class Sqlite(Engine):
    name = "sqlite"
    nodes = 1

    def __init__(self, folder: Path) -> None:
        self.path = folder / "sekisho.db"
        shutil.copy(template(), self.path)
        self.path.chmod(0o600)
        self.environ = {"SEKISHO_DATABASE_URL": f"sqlite:///{self.path}"}

    async def open(self) -> Store:
        return await SqliteStore.open(self.path, durability="off")

    def back_up(self) -> None:
        self.rows("VACUUM INTO ?", str(self.path.with_name("backup.db")))

    def put_back(self) -> None:
        assert not self.path.with_name("sekisho.db-wal").exists(), "the server closed its file"
        shutil.copy(self.path.with_name("backup.db"), self.path)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        connection = apsw.Connection(str(self.path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            connection.set_busy_timeout(5000)
            return list(connection.execute(sql, values))
        finally:
            connection.close()


class Postgres(Engine):
    """A database of its own on the server of this test process, or on one that waits for the disk and may be killed."""

    name = "postgres"

    def __init__(self, own: PostgresServer | None = None) -> None:
        """own: a server that runs and is nobody else's; `remove` takes it away."""
        self._own = own
        if own is None:
            self.server, self.target = fast_postgres.server(), fast_postgres.new_database()
        else:
            self.server, self.target = own, Target(url=own.url("postgres"))
            _alone(lambda: migrate(self.target))
        self.environ = {"SEKISHO_DATABASE_URL": self.target.url}

    async def open(self) -> Store:
        return await PostgresStore.open(self.target)

    @property
    def _database(self) -> str:
        return urlsplit(self.target.url).path[1:]

    @property
    def _dump(self) -> str:
        return str(self.server.folder / f"{self._database}.dump")

    def back_up(self) -> None:
        self.server.run("pg_dump", "--format=custom", f"--file={self._dump}", "--dbname", self.target.url)

    def put_back(self) -> None:
        self.server.sql(f"DROP DATABASE {self._database}")
        self.server.sql(f"CREATE DATABASE {self._database}")
        self.server.run("pg_restore", "--dbname", self.target.url, self._dump)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        parts = sql.split("?")
        numbered = "".join(f"{part}${number}" for number, part in enumerate(parts[:-1], 1)) + parts[-1]

        async def ask() -> list[tuple[Any, ...]]:
            connection = await asyncpg.connect(self.target.url)
            try:
                return [tuple(row) for row in await connection.fetch(numbered, *values)]
            finally:
                await connection.close()

        found: list[tuple[Any, ...]] = _alone(ask)
        return found

    def remove(self) -> None:
        if self._own is not None:
            self._own.remove()


class PostgresAndRedis(Postgres):
    name = "redis"
    _numbers = itertools.count()

    def __init__(self, folder: Path, own: PostgresServer | None = None) -> None:
        super().__init__(own)
        self.redis = RedisServer(folder / f"redis-{next(self._numbers)}").start()
        self.environ = {
            **self.environ,
            "SEKISHO_REDIS_URL": self.redis.url,
            "SEKISHO_REDIS__SESSIONS": "true",
        }

    def remove(self) -> None:
        self.redis.stop()
        super().remove()


def new_engine(name: str, folder: Path, own: PostgresServer | None = None) -> Engine:
    """Return an empty database. own: its SQL server, where that is not the one which all tests share."""
    if name == "sqlite":
        return Sqlite(folder)
    if name == "postgres":
        return Postgres(own)
    return PostgresAndRedis(folder, own)


def durable_server(log_in: Path | None = None) -> PostgresServer:
    """Return a running server that waits for the disk, and that may be killed."""
    server = PostgresServer(durable=True, log_in=log_in)
    server.start()
    return server


def _alone(ask: Any) -> Any:
    """Run this in a loop of its own, whether or not the caller is in one."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(ask())))
    thread.start()
    thread.join()
    assert found, "see the exception of the thread above"
    return found[0]

"""Servers that cannot be used: the start and `doctor` say so in one line, with the setting and what to do."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from cli.refusals import PASSWORD, must_say, refused
from free_ports import free_port
from postgres_server import PostgresServer
from sekisho.storage.postgres.connections import Target
from sekisho.storage.postgres.migration import migrate
from storage.redis_server import RedisServer, redis_server


@pytest.fixture(scope="module")
def primary() -> Iterator[PostgresServer]:
    """A server with our tables in `ours`, and a user `careful` who needs a password."""
    server = PostgresServer()
    access = Path(server.data) / "pg_hba.conf"
    access.write_text("host all careful 127.0.0.1/32 scram-sha-256\n" + access.read_text())
    try:
        server.start()
        server.sql("CREATE DATABASE ours")
        server.sql(f"CREATE ROLE careful LOGIN PASSWORD '{PASSWORD}'")
        asyncio.run(migrate(Target(url=server.url("ours"))))
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="module")
def standby(primary: PostgresServer) -> Iterator[PostgresServer]:
    server = PostgresServer(standby_of=primary)
    try:
        server.start()
        assert server.sql("SELECT pg_is_in_recovery()").strip() == "t"
        yield server
    finally:
        server.remove()


@contextmanager
def saying(port: int, found: bytes, instead: bytes) -> Iterator[int]:
    """Stand before a real server and change one thing that it says. Yields the port."""

    def pass_on(reads: socket.socket, writes: socket.socket, *, changes: bool) -> None:
        with suppress(OSError):
            while data := reads.recv(1 << 16):
                writes.sendall(re.sub(found, instead, data) if changes else data)
        for end in (reads, writes):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", port))
                sockets.extend((client, server))
                for one, other, changes in ((client, server, False), (server, client, True)):
                    threads.append(threading.Thread(target=pass_on, args=(one, other), kwargs={"changes": changes}))
                    threads[-1].start()

    sockets: list[socket.socket] = []
    listener = socket.create_server(("127.0.0.1", 0))
    threads = [threading.Thread(target=accept)]
    threads[0].start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        for each in (listener, *sockets):
            each.close()


def test_a_postgresql_url_that_does_not_parse(tmp_path: Path) -> None:
    said = refused(tmp_path, "settings", SEKISHO_DATABASE_URL=f"postgresql://me:{PASSWORD}@db:port/ours")
    must_say(said, "must be postgresql://user@host:5432/name", "SEKISHO_DATABASE_URL")


def test_no_postgresql_at_the_address(tmp_path: Path) -> None:
    port = free_port()
    said = refused(tmp_path, "database", SEKISHO_DATABASE_URL=f"postgresql://me:{PASSWORD}@127.0.0.1:{port}/ours")
    must_say(said, "Check host and port in SEKISHO_DATABASE_URL", f"127.0.0.1:{port}/ours")


def test_a_wrong_password_of_postgresql(tmp_path: Path, primary: PostgresServer) -> None:
    url = f"postgresql://careful:not-{PASSWORD}@127.0.0.1:{primary.port}/ours"
    must_say(
        refused(tmp_path, "database", SEKISHO_DATABASE_URL=url), "Check user and password", "SEKISHO_DATABASE_PASSWORD"
    )


def test_a_database_that_does_not_exist(tmp_path: Path, primary: PostgresServer) -> None:
    said = refused(tmp_path, "database", SEKISHO_DATABASE_URL=primary.url("theirs"))
    must_say(said, "correct the name in SEKISHO_DATABASE_URL", "createdb")


def test_a_standby_of_postgresql(tmp_path: Path, standby: PostgresServer) -> None:
    said = refused(tmp_path, "database", SEKISHO_DATABASE_URL=standby.url("ours"))
    must_say(said, "it is a standby. Let SEKISHO_DATABASE_URL name the primary", "SEKISHO_DATABASE_URL")


def test_a_postgresql_that_is_too_old(tmp_path: Path, primary: PostgresServer) -> None:
    """No old server is at hand: a real one is made to say that it is version 13."""
    with saying(primary.port, rb"(server_version\0)\d\d", rb"\g<1>13") as port:
        url = f"postgresql://sekisho@127.0.0.1:{port}/ours?sslmode=disable"
        said = refused(tmp_path, "database", SEKISHO_DATABASE_URL=url)
    must_say(said, "14 or newer: upgrade it, or point SEKISHO_DATABASE_URL to a newer one", "PostgreSQL 13")


def test_a_redis_url_that_does_not_parse(tmp_path: Path) -> None:
    said = refused(tmp_path, "settings", SEKISHO_REDIS_URL=f"redis:/:{PASSWORD}@cache")
    must_say(said, "must be redis://host:port", "SEKISHO_REDIS_URL")


def test_no_redis_at_the_address(tmp_path: Path) -> None:
    port = free_port()
    said = refused(tmp_path, "redis", SEKISHO_REDIS_URL=f"redis://:{PASSWORD}@127.0.0.1:{port}")
    must_say(said, "correct SEKISHO_REDIS_URL", f"127.0.0.1:{port}")


def test_a_redis_that_is_too_old(tmp_path: Path) -> None:
    """No old server is at hand: a real one is made to say that it is version 5."""
    with redis_server(tmp_path / "redis") as server, saying(server.port, rb"(redis_version:)\d", rb"\g<1>5") as port:
        said = refused(tmp_path, "redis", SEKISHO_REDIS_URL=f"redis://127.0.0.1:{port}")
    must_say(said, "6.2 is the oldest that works", "SEKISHO_REDIS_URL")


@pytest.mark.parametrize(
    ("words", "english", "both"),
    [
        (("--requirepass", "secret"), "Correct user and password in SEKISHO_REDIS_URL", "REDIS_PASSWORD"),
        (("--maxmemory-policy", "allkeys-lru"), "its maxmemory-policy is allkeys-lru", "maxmemory-policy noeviction"),
        (("--appendonly", "no"), "keeps no append-only file", "appendonly yes"),
        (("--replicaof", "127.0.0.1 {primary}"), "its role is slave. Point SEKISHO_REDIS_URL to the primary", "slave"),
    ],
    ids=["wrong password", "evicts", "not durable", "replica"],
)
def test_a_redis_that_cannot_keep_sessions(tmp_path: Path, words: tuple[str, ...], english: str, both: str) -> None:
    with redis_server(tmp_path / "primary") as primary:
        server = RedisServer(tmp_path / "redis", *(word.replace("{primary}", str(primary.port)) for word in words))
        try:
            url = f"redis://:{PASSWORD}@127.0.0.1:{server.start().port}"
            if "--requirepass" not in words:
                url = server.url
            said = refused(tmp_path, "redis", SEKISHO_REDIS_URL=url, SEKISHO_REDIS__SESSIONS="true")
        finally:
            server.stop()
    must_say(said, english, both)

"""TLS to PostgreSQL and to Redis: real servers with certificates of our own; nothing falls back to plain text."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from certificates import Authority
from cli.refusals import must_say, refused
from free_ports import free_port
from live_server import live_server, sekisho
from postgres_server import USER, PostgresServer
from sekisho.storage.postgres.connections import Target
from sekisho.storage.postgres.migration import migrate
from storage.redis_server import RedisServer

SETTINGS = {
    "SEKISHO_SECRET": "uT4mXw9ZkQ2rB7sVe1LdYc6HnPj3GfAa8KiO5oRqWzE",
    "SEKISHO_PUBLIC_URL": "https://auth.mail.test",
    "SEKISHO_MAIL__HOST": "127.0.0.1",
    "SEKISHO_MAIL__FROM": "no-reply@mail.test",
}


class Authorities(NamedTuple):
    ours: Authority
    other: Authority


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    folder = tmp_path_factory.mktemp("authorities")
    return Authorities(Authority(folder / "ours", "Ours"), Authority(folder / "other", "Another"))


@pytest.fixture(scope="module")
def postgres(authorities: Authorities) -> Iterator[PostgresServer]:
    """A server on 127.0.0.1 with our tables in `ours`, that takes only encrypted connections over the network."""
    server = PostgresServer()
    for name, file in zip(("server.crt", "server.key"), authorities.ours.certify(host="127.0.0.1"), strict=True):
        there = Path(server.data) / name
        shutil.copy(file, there)
        there.chmod(0o600)
        owner = Path(server.data).stat()
        os.chown(there, owner.st_uid, owner.st_gid)
    server.options["ssl"] = "on"
    try:
        server.start()
        server.sql("CREATE DATABASE ours")
        asyncio.run(migrate(Target(url=server.url("ours"))))
        yield server
    finally:
        server.remove()


def verified(url: str, authority: Authority, mode: str = "verify-full") -> str:
    return f"{url}?sslmode={mode}&sslrootcert={authority.file}"


def test_V12_3_1_every_connection_to_postgresql_is_encrypted(
    tmp_path: Path, postgres: PostgresServer, authorities: Authorities
) -> None:
    url = verified(postgres.url("ours"), authorities.ours)
    with live_server(tmp_path, "serve", **SETTINGS, SEKISHO_DATABASE_URL=url):
        encrypted = postgres.sql(
            "SELECT count(*), bool_and(ssl) FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) "
            "WHERE application_name LIKE 'sekisho%' AND datname = 'ours'"
        )
    count, all_of_them = encrypted.strip().split("|")
    assert int(count) >= 2  # of the pool, and the one that listens
    assert all_of_them == "t"


def test_V12_3_1_V12_3_3_V12_3_4_a_postgresql_of_another_authority(
    tmp_path: Path, postgres: PostgresServer, authorities: Authorities
) -> None:
    url = verified(postgres.url("ours"), authorities.other)
    said = refused(tmp_path, "database", SEKISHO_DATABASE_URL=url)
    must_say(said, "certificate verify failed", "sslrootcert")


def test_V12_3_5_a_postgresql_that_wants_a_certificate_takes_nobody_without_one(
    tmp_path: Path, authorities: Authorities
) -> None:
    server = PostgresServer()
    folder = Path(server.data)
    certificate, key = authorities.ours.certify(host="127.0.0.1")
    owner = folder.stat()
    for name, file in (("server.crt", certificate), ("server.key", key), ("ca.crt", authorities.ours.file)):
        shutil.copy(file, folder / name)
        (folder / name).chmod(0o600)
        os.chown(folder / name, owner.st_uid, owner.st_gid)
    server.options |= {"ssl": "on", "ssl_ca_file": "ca.crt"}
    (folder / "pg_hba.conf").write_text(
        f"hostssl sekisho {USER} 127.0.0.1/32 cert\nhost all {USER} 127.0.0.1/32 trust\n"
    )
    try:
        server.start()
        server.sql("CREATE DATABASE sekisho TEMPLATE template0")
        mine, secret = authorities.ours.certify(host=USER)
        url = verified(server.url("sekisho"), authorities.ours)
        with_certificate = f"{url}&sslcert={mine}&sslkey={secret}"
        asyncio.run(migrate(Target(url=with_certificate)))
        with live_server(tmp_path, "serve", **SETTINGS, SEKISHO_DATABASE_URL=with_certificate):
            proven = server.sql("SELECT DISTINCT client_dn FROM pg_stat_ssl WHERE client_dn IS NOT NULL")
        assert proven.strip() == f"/CN={USER}"

        stranger, its_secret = authorities.other.certify(host=USER)
        said = refused(tmp_path, "database", SEKISHO_DATABASE_URL=f"{url}&sslcert={stranger}&sslkey={its_secret}")
        must_say(said, "127.0.0.1", "SEKISHO_DATABASE_URL")
        said = refused(tmp_path, "database", SEKISHO_DATABASE_URL=url)
        must_say(said, "requires a valid client certificate", "SEKISHO_DATABASE")
    finally:
        server.remove()


def test_V12_3_1_a_postgresql_of_another_name(
    tmp_path: Path, postgres: PostgresServer, authorities: Authorities
) -> None:
    url = verified(postgres.url("ours").replace("127.0.0.1", "localhost"), authorities.ours)
    said = refused(tmp_path, "database", SEKISHO_DATABASE_URL=url)
    must_say(said, "the host must be a name in that certificate", "sslrootcert")


def test_V12_3_1_a_postgresql_that_offers_no_encryption(tmp_path: Path, authorities: Authorities) -> None:
    """Also what a thief in the middle would make of one that does: there is no fallback."""
    server = PostgresServer()
    try:
        server.start()
        url = verified(server.url("postgres"), authorities.ours)
        said = refused(tmp_path, "database", SEKISHO_DATABASE_URL=url)
    finally:
        server.remove()
    must_say(said, "rejected SSL upgrade", "sslmode")


def test_a_file_of_an_authority_that_is_not_there(tmp_path: Path) -> None:
    url = f"postgresql://sekisho@127.0.0.1:1/ours?sslmode=verify-full&sslrootcert={tmp_path / 'nowhere.pem'}"
    said = refused(tmp_path, "settings", SEKISHO_DATABASE_URL=url)
    must_say(said, "SEKISHO_DATABASE_URL: names a file that is not there", "nowhere.pem")
    said = refused(tmp_path, "settings", SEKISHO_REDIS_URL=f"rediss://127.0.0.1:1?ca={tmp_path / 'nowhere.pem'}")
    must_say(said, "SEKISHO_REDIS_URL: names a file that is not there", "nowhere.pem")


@pytest.fixture
def redis(tmp_path: Path, authorities: Authorities) -> Iterator[tuple[RedisServer, int]]:
    """A server and its encrypted port."""
    certificate, key = authorities.ours.certify(host="127.0.0.1")
    port = free_port()
    words = ("--tls-port", str(port), "--tls-cert-file", str(certificate), "--tls-key-file", str(key))
    words += ("--tls-ca-cert-file", str(authorities.ours.file), "--tls-auth-clients", "no")
    server = RedisServer(tmp_path / "redis", *words)
    try:
        yield server.start(), port
    finally:
        server.stop()


def test_V12_3_1_every_connection_to_redis_is_encrypted(
    tmp_path: Path, redis: tuple[RedisServer, int], authorities: Authorities
) -> None:
    server, port = redis
    given = {**SETTINGS, "SEKISHO_DATABASE_URL": f"sqlite:///{tmp_path / 'sekisho.db'}"}
    given |= {"SEKISHO_REDIS_URL": f"rediss://127.0.0.1:{port}?ca={authorities.ours.file}"}
    assert sekisho("migrate", folder=tmp_path, **given).returncode == 0
    with live_server(tmp_path, "serve", **given, SEKISHO_REDIS__SESSIONS="true"):
        lines = server.say("CLIENT", "LIST").decode().splitlines()
    ours = [line for line in lines if "cmd=client" not in line and "laddr=" in line]
    assert len(ours) >= 2  # the line, and the one that listens
    assert all(f"laddr=127.0.0.1:{port} " in line for line in ours)


def test_V12_3_1_V12_3_3_V12_3_4_a_redis_of_another_authority(
    tmp_path: Path, redis: tuple[RedisServer, int], authorities: Authorities
) -> None:
    said = refused(tmp_path, "redis", SEKISHO_REDIS_URL=f"rediss://127.0.0.1:{redis[1]}?ca={authorities.other.file}")
    must_say(said, "`?ca=` must name the file with the authority", "SEKISHO_REDIS_URL")


def test_V12_3_1_a_redis_of_another_name(
    tmp_path: Path, redis: tuple[RedisServer, int], authorities: Authorities
) -> None:
    said = refused(tmp_path, "redis", SEKISHO_REDIS_URL=f"rediss://localhost:{redis[1]}?ca={authorities.ours.file}")
    must_say(said, "the host must be a name in that certificate", "SEKISHO_REDIS_URL")


def test_V12_3_1_a_redis_that_offers_no_encryption(
    tmp_path: Path, redis: tuple[RedisServer, int], authorities: Authorities
) -> None:
    url = f"rediss://127.0.0.1:{redis[0].port}?ca={authorities.ours.file}"
    said = refused(tmp_path, "redis", SEKISHO_REDIS_URL=url)
    must_say(said, f"No Redis answers at 127.0.0.1:{redis[0].port}", "SEKISHO_REDIS_URL")

"""PostgreSQL behind PgBouncer in transaction mode keeps the contract: nothing of ours outlives a transaction."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from free_ports import free_port
from sekisho.storage.postgres import PostgresStore
from sekisho.storage.postgres.connections import Target
from storage.contract import StoreContract
from storage.fast_postgres import lent_database, server

pytestmark = pytest.mark.anyio

# Fewer connections to the server than the contract's concurrency tests have callers.
CONFIG = """
[databases]
* = host=127.0.0.1 port={postgres} user=sekisho

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 5
; Each test has a database of its own: connections to those that are done must not fill the server.
server_idle_timeout = 1
max_client_conn = 200
"""


def binary() -> str:
    found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        missing = "pgbouncer is missing. See scripts/servers.sh"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


def somebody_else() -> Callable[[], None] | None:
    """PgBouncer refuses to run as root."""
    if os.geteuid() != 0:
        return None
    owner = pwd.getpwnam("postgres")

    def become() -> None:
        os.setgroups([])
        os.setgid(owner.pw_gid)
        os.setuid(owner.pw_uid)

    return become


@pytest.fixture(scope="module")
def pooler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Return the port of a PgBouncer before this process's server."""
    program, port = binary(), free_port()
    config = Path(tmp_path_factory.mktemp("pgbouncer")) / "pgbouncer.ini"
    config.write_text(CONFIG.format(postgres=server().port, port=port))
    with config.open("rb") as given:
        # Read through a descriptor: the folder is ours alone.
        process = subprocess.Popen(
            [program, "-q", "/dev/stdin"],
            stdin=given,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=somebody_else(),
            cwd="/",
        )
    try:
        deadline = time.monotonic() + 30
        while not _answers(port):
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.communicate()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


@pytest.fixture
async def pooled(pooler: int) -> AsyncIterator[Target]:
    async with lent_database() as direct:
        through = direct.url.replace(f":{server().port}/", f":{pooler}/")
        yield replace(direct, url=through, listen_url=direct.url, is_pooled=True)


@pytest.fixture
async def store(pooled: Target) -> AsyncIterator[PostgresStore]:
    opened = await PostgresStore.open(pooled, poll_s=3600.0)
    yield opened
    await opened.close()


class TestBehindPgBouncer(StoreContract):
    """Every test of the contract."""

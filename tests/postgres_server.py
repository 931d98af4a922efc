"""A real PostgreSQL server for tests: one per test process, on a free port and in a folder of its own."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from free_ports import free_port

USER = "sekisho"
HOW_IT_IS_MADE = ("-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "-N")


def binary(name: str) -> str:
    """Return where a program of PostgreSQL is. Without it the test is skipped by name, or fails where CI is set."""
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    found = str(newest[-1]) if newest else shutil.which(name)
    if found is None:
        missing = f"PostgreSQL is missing: no {name}. See scripts/servers.sh"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


class PostgresServer:
    """One server. `start`, `stop` and `kill` may follow each other; the data stays.

    standby_of: a running server that this one follows, read only.
    log_in: a folder for its log of changes, which may lie on a disk of its own.
    """

    def __init__(
        self,
        *,
        durable: bool = False,
        options: dict[str, str] | None = None,
        standby_of: PostgresServer | None = None,
        log_in: Path | None = None,
    ) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="sekisho-pg-"))
        self._owner = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        self.give(self.folder)
        self.options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "port": str(self.port),
            "max_connections": "200",
            "shared_buffers": "32MB",
            **({} if durable else {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}),
            **(options or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        if standby_of is None:
            self._make_data(log_in)
        else:
            # -R leaves standby.signal and where the primary is.
            primary = standby_of.url("postgres")
            self.run("pg_basebackup", "-D", self.data, "-d", primary, "-R", "-c", "fast", "--no-sync")

    def _make_data(self, log_in: Path | None) -> None:
        if log_in is None:
            # Making it takes seconds, a copy a tenth of one.
            subprocess.run(["cp", "-a", _made_once(self), self.data], check=True)
            return
        # Small pieces of the log, so that a small disk can hold some.
        self.run("initdb", "-D", self.data, *HOW_IT_IS_MADE, "-X", str(self.give(log_in) / "log"), "--wal-segsize=1")

    @property
    def data(self) -> str:
        return str(self.folder / "data")

    def give(self, folder: Path) -> Path:
        """Let the server's user write there."""
        if self._owner is not None:
            os.chown(folder, self._owner.pw_uid, self._owner.pw_gid)
        return folder

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        """Return what the server has said so far."""
        return (self.folder / "log").read_text()

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def run(self, name: str, *arguments: str) -> str:
        """Run a program of PostgreSQL as the owner of the folder; return what it printed."""
        done = subprocess.run(
            [binary(name), *arguments], preexec_fn=self._become_owner(), capture_output=True, text=True, cwd="/"
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sql(self, text: str, database: str = "postgres") -> str:
        return self.run("psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-c", text, self.url(database))

    def start(self) -> None:
        settings = [part for name, value in self.options.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [binary("postgres"), "-D", self.data, *settings],
                preexec_fn=self._become_owner(),
                stdout=log,
                stderr=log,
                cwd="/",
            )
        deadline = time.monotonic() + 30
        while subprocess.run(
            [binary("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False
        ).returncode:
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.05)

    def stop(self) -> None:
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Kill the server and all its backends, as a power cut would."""
        assert self._process is not None
        children = children_of(self._process.pid)
        for pid in (self._process.pid, *children):
            os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def remove(self) -> None:
        if self._process is not None:
            self._end(signal.SIGINT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self, how: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(timeout=30)
        self._process = None

    def _become_owner(self) -> Callable[[], None] | None:
        """PostgreSQL refuses to run as root."""
        owner = self._owner
        if owner is None:
            return None

        def become() -> None:
            os.setgroups([])
            os.setgid(owner.pw_gid)
            os.setuid(owner.pw_uid)

        return become


_made: list[str] = []


def _made_once(server: PostgresServer) -> str:
    """Return the data of a server that never ran, made once per test process. Copy it; do not start it."""
    if not _made:
        folder = Path(tempfile.mkdtemp(prefix="sekisho-pg-made-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        server.run("initdb", "-D", str(server.give(folder) / "data"), *HOW_IT_IS_MADE)
        _made.append(str(folder / "data"))
    return _made[0]


def children_of(pid: int) -> list[int]:
    """Return the processes that this one started and that have not ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found

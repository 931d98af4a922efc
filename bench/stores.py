"""PostgreSQL and Redis for a run: on temporary folders and free ports, durable as in production."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from bench.processes import START_S, STOP_S, cpu_of_tree, free_port

USER = "sekisho"
# What differs from the server's defaults. Nothing of it makes a commit less durable.
POSTGRES_OPTIONS = {"shared_buffers": "256MB", "max_wal_size": "4GB", "max_connections": "100"}
REDIS_OPTIONS = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction", "save": ""}


class StoreServer(Struct, frozen=True):
    """A running server. version: as it names itself. folder: where its data are."""

    process: subprocess.Popen[bytes]
    port: int
    version: str
    folder: Path

    def cpu_s(self) -> float:
        """Processor time of all its processes so far, those that have ended included."""
        return cpu_of_tree(self.process.pid)

    def postgres_url(self, database: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    @property
    def redis_url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"


def missing() -> list[str]:
    """Return which servers are not installed."""
    found = {"PostgreSQL": _postgres_program("postgres"), "Redis": _redis_program()}
    return [name for name, path in found.items() if path is None]


def described() -> list[str]:
    """Return what is installed, with the settings that count for the figures."""
    found = []
    if program := _postgres_program("postgres"):
        found.append(f"{_version(program)}, fsync and synchronous_commit on, {_settings(POSTGRES_OPTIONS)}")
    if program := _redis_program():
        found.append(f"{_version(program)}, {_settings(REDIS_OPTIONS)}")
    return found


@contextmanager
def postgres(core: int) -> Iterator[StoreServer]:
    """Run a new PostgreSQL server until the block ends. `missing` must not name it."""
    # It refuses to run as root, and nobody else may look into a folder of root's.
    owner = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="sekisho-bench-pg-"))
    if owner is not None:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    become = _becoming(owner, core)
    data, port = folder / "data", free_port()
    try:
        initdb = [_found(_postgres_program("initdb")), "-D", str(data), "-U", USER, "--auth=trust"]
        initdb += ["--encoding=UTF8", "--locale=C.UTF-8"]
        subprocess.run(initdb, preexec_fn=become, cwd="/", capture_output=True, check=True)  # noqa: S603 - our words
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "port": str(port)}
        words = [_found(_postgres_program("postgres")), "-D", str(data)]
        for name, value in (options | POSTGRES_OPTIONS).items():
            words += ["-c", f"{name}={value}"]
        with _process(words, port, folder, become, signal.SIGINT) as process:
            yield StoreServer(process, port, _version(words[0]), folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def redis(core: int) -> Iterator[StoreServer]:
    """Run a new Redis (or Valkey) server until the block ends. `missing` must not name it."""
    folder, port = Path(tempfile.mkdtemp(prefix="sekisho-bench-redis-")), free_port()
    try:
        words = [_found(_redis_program()), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
        for name, value in REDIS_OPTIONS.items():
            words += [f"--{name}", value]
        with _process(words, port, folder, _becoming(None, core), signal.SIGTERM) as process:
            yield StoreServer(process, port, _version(words[0]), folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _process(
    words: Sequence[str], port: int, folder: Path, become: Callable[[], None], end: signal.Signals
) -> Iterator[subprocess.Popen[bytes]]:
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(words, preexec_fn=become, cwd="/", stdout=output, stderr=output)  # noqa: S603
    try:
        begun = time.monotonic()
        while not _listens(port):
            if process.poll() is not None or time.monotonic() - begun > START_S:
                raise RuntimeError(f"{words[0]} did not start:\n{log.read_text()}")
            time.sleep(0.02)
        yield process
    finally:
        process.send_signal(end)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_S)


def _becoming(owner: pwd.struct_passwd | None, core: int) -> Callable[[], None]:
    def become() -> None:
        os.sched_setaffinity(0, {core})
        if owner is not None:
            os.setgroups([])
            os.setgid(owner.pw_gid)
            os.setuid(owner.pw_uid)

    return become


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def _version(program: str) -> str:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    found = re.search(r"(Redis|Valkey|PostgreSQL)\D*([0-9.]+)", said)
    return " ".join(found.groups()) if found else said.strip()


def _settings(options: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in options.items() if value)


def _postgres_program(name: str) -> str | None:
    """Distributions keep the server's programs out of PATH, one folder for each major version."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    return str(installed[-1]) if installed else shutil.which(name)


def _redis_program() -> str | None:
    return shutil.which("redis-server") or shutil.which("valkey-server")


def _found(program: str | None) -> str:
    assert program is not None, "ask `missing` first"
    return program

"""Real Redis and Valkey servers for tests: each in a folder of its own, on free ports, stopped by its own handle."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from free_ports import free_port

PROGRAMS = [name for name in ("redis-server", "valkey-server") if shutil.which(name)] or ["redis-server"]
"""Which of the two are here; the contract runs on each."""

BINARY = shutil.which(PROGRAMS[0])


def needs_redis() -> None:
    """Skip where there is no server to be started; where tests must be complete, that is a failure."""
    if BINARY is None:
        if os.environ.get("CI"):
            pytest.fail("redis-server is missing")
        pytest.skip("redis-server is missing")


class RedisServer:
    """One server. `port` stays over stops and starts. program: one of `PROGRAMS`."""

    def __init__(self, folder: Path, *words: str, port: int | None = None, program: str = PROGRAMS[0]) -> None:
        needs_redis()
        self.program = shutil.which(program)
        self.folder = folder
        self.port = port or free_port()
        self.words = words
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> RedisServer:
        assert self.program is not None
        given = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", ""]
        given += ["--appendonly", "yes", "--maxmemory-policy", "noeviction", "--logfile", str(self.folder / "log")]
        self.process = subprocess.Popen([self.program, *given, *self.words], stdout=subprocess.DEVNULL)
        self.wait()
        return self

    def wait(self) -> None:
        assert self.process is not None
        deadline = time.monotonic() + 60
        while True:
            try:
                if self.say("PING") in (b"+PONG\r\n", b"-NOAUTH Authentication required.\r\n"):
                    return
            except OSError:
                pass
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.02)

    def say(self, *words: str) -> bytes:
        """Send one command and return the raw beginning of its answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(
                f"*{len(words)}\r\n".encode()
                + b"".join(f"${len(word.encode())}\r\n{word}\r\n".encode() for word in words)
            )
            return connection.recv(1 << 20)

    def kill(self) -> None:
        """End the process as a crash would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@contextmanager
def redis_server(folder: Path, *words: str, program: str = PROGRAMS[0]) -> Iterator[RedisServer]:
    server = RedisServer(folder, *words, program=program)
    try:
        yield server.start()
    finally:
        server.stop()

"""A real server process on a free port, started by the command that a person would use, stopped by its process id."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from msgspec import Struct

from free_ports import free_port

START_S = 90.0
STOP_S = 30.0
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "SYSTEMROOT", "TMPDIR")


class LiveServer(Struct, frozen=True):
    """folder: its working folder. log: what it printed so far is in this file."""

    url: str
    folder: Path
    log: Path
    process: subprocess.Popen[bytes]

    def output(self) -> str:
        return self.log.read_text()

    def kill(self) -> None:
        """As a power cut would: no chance to finish anything."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(STOP_S)


def environment(**given: str) -> dict[str, str]:
    """Return a small environment, so that nothing of the machine leaks into a server under test."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", **given}


def sekisho(*words: str, folder: Path, said: str = "", **given: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end; `said` is its standard input."""
    return subprocess.run(
        [sys.executable, "-m", "sekisho", *words],
        cwd=folder,
        env=environment(**given),
        input=said,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@contextmanager
def live_server(
    folder: Path,
    command: str = "dev",
    port: int | None = None,
    *,
    program: tuple[str, ...] = ("-m", "sekisho"),
    wrapper: tuple[str, ...] = (),
    **given: str,
) -> Iterator[LiveServer]:
    """Start `sekisho dev` or `sekisho serve` and wait until it answers; stop it at the end of the block.

    Args:
        program: what Python runs instead of the package.
        wrapper: a command that becomes the server, as `("prlimit", "--nofile=64")`.
    """
    port = port or free_port()
    log = folder / f"{command}-{port}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*wrapper, sys.executable, *program, command],
            cwd=folder,
            env=environment(PORT=str(port), **given),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    server = LiveServer(f"http://127.0.0.1:{port}", folder, log, process)
    try:
        _wait_until_it_answers(server)
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_S)


def _wait_until_it_answers(server: LiveServer) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise AssertionError(f"the server ended with {server.process.returncode}:\n{server.output()}")
        try:
            if httpx2.get(f"{server.url}/readyz", timeout=2).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"the server did not answer within {START_S} s:\n{server.output()}")

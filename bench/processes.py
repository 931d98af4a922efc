"""Server processes: started on the server's core, read from /proc, stopped by their id."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

START_S = 30.0
STOP_S = 15.0
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
ROOT = Path(__file__).resolve().parent.parent


class Cores(Struct, frozen=True):
    """Which core is whose. On a machine with one core both share it, and no figure is worth much."""

    server: int
    driver: int


def cores() -> Cores:
    usable = sorted(os.sched_getaffinity(0))
    return Cores(usable[0], usable[-1])


class Started(Struct, frozen=True):
    """A process that answers. first_answer_s: from its start to its first answer."""

    process: subprocess.Popen[bytes]
    port: int
    first_answer_s: float

    def cpu_s(self) -> float:
        """Processor time of all its threads so far, user and system."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mb(self) -> float:
        """Resident memory in units of 10^6 bytes."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024 / 1e6
        return 0.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(
    words: list[str], port: int, folder: Path, core: int, environment: Mapping[str, str], probe: bytes
) -> Iterator[Started]:
    """Run `python -m words...` on one core until the block ends. `probe` is the request that it must answer.

    Raises:
        RuntimeError: it ended or did not answer in time; with what it printed.
    """
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    log = folder / f"{words[0]}-{port}.log"
    begun = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-m", *words],
            cwd=folder,
            env={**kept, "PYTHONPATH": str(ROOT), **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
    try:
        while not _answers(port, probe):
            if process.poll() is not None or time.monotonic() - begun > START_S:
                raise RuntimeError(f"{' '.join(words)} did not start:\n{log.read_text()}")
            time.sleep(0.005)
        yield Started(process, port, time.monotonic() - begun)
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_S)


def _answers(port: int, probe: bytes) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(probe)
            return connection.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False

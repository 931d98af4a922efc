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
from typing import Protocol

from msgspec import Struct

START_S = 30.0
STOP_S = 15.0
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
ROOT = Path(__file__).resolve().parent.parent


class Cores(Struct, frozen=True):
    """Which core is whose. On a machine with one core all share it, and no figure is worth much; with fewer than four
    the stores share the driver's, and a second node the first one's."""

    server: int
    second_server: int
    stores: int
    driver: int


def cores() -> Cores:
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 4:
        return Cores(usable[0], usable[0], usable[-1], usable[-1])
    return Cores(usable[0], usable[1], usable[2], usable[-1])


class UsesProcessor(Protocol):
    def cpu_s(self) -> float:
        """Processor time so far, user and system."""


class Started(Struct, frozen=True):
    """A server process that answers. first_answer_s: from its start to its first answer. stores: the servers of other
    programs that work for it."""

    process: subprocess.Popen[bytes]
    port: int
    first_answer_s: float
    stores: tuple[UsesProcessor, ...] = ()

    @property
    def ports(self) -> tuple[int, ...]:
        return (self.port,)

    def cpu_s(self) -> float:
        """Processor time of all its threads so far, user and system."""
        fields = _stat(self.process.pid)
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S

    def store_cpu_s(self) -> float | None:
        """The same of its stores; None if it has none beside itself."""
        return sum(store.cpu_s() for store in self.stores) if self.stores else None

    def resident_mb(self) -> float:
        """Resident memory in units of 10^6 bytes."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024 / 1e6
        return 0.0


class Nodes(Struct, frozen=True):
    """Several server processes on the same stores, measured as one."""

    nodes: tuple[Started, ...]

    @property
    def ports(self) -> tuple[int, ...]:
        return tuple(node.port for node in self.nodes)

    def cpu_s(self) -> float:
        return sum(node.cpu_s() for node in self.nodes)

    def store_cpu_s(self) -> float | None:
        return self.nodes[0].store_cpu_s()


def cpu_of_tree(pid: int) -> float:
    """Return the processor time of a process and its children: those that run, and those that it has waited for."""
    spent = [int(field) for field in _stat(pid)[11:15]]
    return sum(spent) / _TICKS_PER_S + sum(cpu_of_tree(child) for child in _children_of(pid))


def _children_of(pid: int) -> list[int]:
    children = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        children += [int(child) for child in path.read_text().split()]
    return children


def _stat(pid: int) -> list[str]:
    """Return the fields of a process from its state on; zeros if it has just ended, for then its parent has them."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ["0"] * 50


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(
    words: list[str],
    port: int,
    folder: Path,
    core: int,
    environment: Mapping[str, str],
    probe: bytes,
    stores: tuple[UsesProcessor, ...] = (),
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
        yield Started(process, port, time.monotonic() - begun, stores)
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

"""Disks to be filled and emptied: a small one of its own where mounting is allowed, else a limit on file sizes."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from live_server import LiveServer

DISK_BYTES = 8 * 1024 * 1024
LEFT_BYTES = 24 * 1024


class Disk:
    """`fill` leaves the server's files a few kilobytes to grow, `exhaust` nothing; `free` takes both back."""

    def exhaust(self, server: LiveServer) -> None:
        """Fill what is left, also for the server's log. A limit on file sizes has nothing left to take."""

    def fill(self, server: LiveServer) -> None:
        raise NotImplementedError

    def free(self, server: LiveServer) -> None:
        raise NotImplementedError


class SmallDisk(Disk):
    """A real "no space left on device", for the database and the server's log alike."""

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / "ballast"

    def fill(self, server: LiveServer) -> None:
        self.exhaust(server)
        os.truncate(self._ballast, self._ballast.stat().st_size - LEFT_BYTES)

    def exhaust(self, server: LiveServer | None = None) -> None:
        with self._ballast.open("ab", buffering=0) as file:
            for size in (64 * 1024, 4096):
                with suppress(OSError):
                    while True:
                        file.write(b"x" * size)

    def free(self, server: LiveServer | None = None) -> None:
        self._ballast.unlink()


class SizeLimit(Disk):
    """No file of the server may grow beyond the size that its log of changes has now."""

    def fill(self, server: LiveServer) -> None:
        log = server.folder / "sekisho.db-wal"
        _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (log.stat().st_size + LEFT_BYTES, hard))

    def free(self, server: LiveServer) -> None:
        _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (hard, hard))


@contextmanager
def small_disk(folder: Path, size: int = DISK_BYTES) -> Iterator[SmallDisk | None]:
    """Mount a small disk on the folder; None where that is not allowed."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "sekisho-faults", str(folder)]
    try:
        allowed = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        allowed = False
    try:
        yield SmallDisk(folder) if allowed else None
    finally:
        if allowed:
            subprocess.run(["umount", str(folder)], check=True)

"""What a reader must know to judge or repeat a run."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median

import apsw
from cryptography.hazmat.backends.openssl import backend

from bench import stores
from bench.measure import OPEN_USERS, SATURATING_USERS, Plan
from bench.processes import ROOT, Cores
from bench.site import ALGORITHM, HASH_PROFILE, LIMITS, Site
from sekisho.passwords.parameters import PROFILES, Argon2

LIBRARIES = (
    "uvicorn",
    "uvloop",
    "httptools",
    "starlette",
    "msgspec",
    "apsw",
    "asyncpg",
    "redis",
    "cryptography",
    "argon2-cffi",
)
_FLUSHES = 200


def conditions(plan: Plan, cores: Cores, site: Site) -> dict[str, str]:
    """Return the conditions by name, as text."""
    return {
        "commit": _commit(),
        "processor": f"{_processor()}; server on core {cores.server}, driver on core {cores.driver}, "
        f"PostgreSQL and Redis on core {cores.stores}, second node on core {cores.second_server}",
        "system": f"Linux {platform.release()}, Python {platform.python_version()}",
        "libraries": ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
        + f"; SQLite {apsw.sqlite_lib_version()}; {backend.openssl_version_text()}",
        "durability": f"WAL, synchronous=FULL; {_filesystem(site.folder)}, "
        f"a flush of 4 KiB takes {_flush_us(site.folder):.0f} µs (median)",
        "data": f"{site.size:,} accounts and sessions, {site.database_path.stat().st_size / 1e6:.0f} MB; random keys",
        "other stores": "; ".join(stores.described()) or "none",
        "password hash": _hash(),
        "access tokens": ALGORITHM,
        "limits": ", ".join(f"SEKISHO_LIMITS__{name}={value}" for name, value in LIMITS.items()),
        "load": f"closed loop {SATURATING_USERS} users, open loop {OPEN_USERS} at half of that rate; "
        f"{plan.repeats} × {plan.seconds:g} s each, median",
        "other work": f"load average {os.getloadavg()[0]:.2f} at the start",
    }


def _commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(  # noqa: S603 - our own words
            ["git", *words],  # noqa: S607 - whichever git there is
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()

    changed = " with changes" if git("status", "--porcelain", "src") else ""
    return f"{git('rev-parse', '--short=12', 'HEAD')}{changed}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _filesystem(folder: Path) -> str:
    """Return the type of the file system that holds `folder`: the longest mount point that leads there wins."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    fitting = [(len(point), kind) for point, kind in mounts if folder.resolve().is_relative_to(point)]
    return max(fitting)[1]


def _flush_us(folder: Path) -> float:
    times = []
    path = folder / "flush"
    with path.open("wb", buffering=0) as file:
        for _ in range(_FLUSHES):
            file.write(bytes(4096))
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - begun)
    path.unlink()
    return median(times) * 1e6


def _hash() -> str:
    parameters = PROFILES[HASH_PROFILE]
    assert isinstance(parameters, Argon2)
    return f"argon2id m={parameters.memory_kib} KiB t={parameters.passes} p={parameters.lanes}"

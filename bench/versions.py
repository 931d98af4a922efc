"""Versions of this repository beside each other: the files of an earlier one, and data that its own code made."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

from msgspec import Struct, json, structs

from bench.processes import ROOT
from bench.site import Site
from sekisho.model import SigningKey

# Run by the version's own code, in a process of its own. What an engine needs is loaded for that engine alone: earlier
# versions have less.
_SEED = """
import asyncio, sys
from pathlib import Path
from msgspec import json, structs

async def seeded(folder, size, url, redis_url):
    if not url:
        from bench.seeding import seed
        return await seed(Path(folder), int(size))
    from bench.seeding import seed_postgres
    site = await seed_postgres(Path(folder), int(size), url)
    if redis_url:
        from bench.warming import warm
        await warm(structs.replace(site, redis_url=redis_url))
    return site

site = asyncio.run(seeded(*sys.argv[1:]))
made = {name: getattr(site, name) for name in ("url", "secret", "values", "accounts", "keys")}
sys.stdout.buffer.write(json.encode(made))
"""


class Place(Struct, frozen=True):
    """Where an installation keeps its data.

    url: of an empty PostgreSQL database; "" for an SQLite file in the installation's folder. redis_url: of the Redis
    that decides its rotations, if one does.
    """

    url: str = ""
    redis_url: str = ""


class _Made(Struct, frozen=True):
    """What a version tells of its database."""

    url: str
    secret: str
    values: bytes
    accounts: list[str]
    keys: list[SigningKey]


def unpacked(revision: str, folder: Path) -> Path:
    """Lay the files of a version out below `folder` and return where they are."""
    code = folder / "code"
    code.mkdir()
    packed = subprocess.run(  # noqa: S603 - our own words
        ["git", "archive", revision, "--", "src", "bench"],  # noqa: S607 - the developer's own git
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
    )
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as files:
        files.extractall(code, filter="data")
    return code


def python_path(code: Path) -> str:
    return f"{code / 'src'}:{code}"


def seeded(code: Path, folder: Path, size: int, place: Place) -> Site:
    """Return an installation that the code in a folder has made, its Redis warm."""
    folder.mkdir()
    words = [sys.executable, "-c", _SEED, str(folder), str(size), place.url, place.redis_url]
    environment = os.environ | {"PYTHONPATH": python_path(code)}
    told = subprocess.run(words, cwd=code, env=environment, check=True, stdout=subprocess.PIPE)  # noqa: S603
    made = json.decode(told.stdout, type=_Made)
    return Site(folder=folder, size=size, seeded_s=0.0, redis_url=place.redis_url, **structs.asdict(made))

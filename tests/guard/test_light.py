"""The guard is light: it needs little, imports little, and costs little to import."""

from __future__ import annotations

import importlib.util
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import sekisho

OWN_REQUIREMENTS = ("cryptography", "msgspec", "cffi", "_cffi_backend", "pycparser")
SERVERS = {"starlette", "uvicorn", "apsw", "sqlalchemy", "pydantic", "structlog", "typer", "jinja2", "redis"}
HEAVY = {"asyncio", "ssl", "http.client", "logging", "email.utils", "concurrent.futures"}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Sekisho and its two requirements, and nothing else."""
    folder = tmp_path_factory.mktemp("alone")
    (folder / "sekisho").symlink_to(Path(sekisho.__file__).parent)
    for name in OWN_REQUIREMENTS:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            place = Path(spec.origin)
            place = place.parent if place.name == "__init__.py" else place
            (folder / place.name).symlink_to(place)
    return folder


def run(folder: Path, code: str) -> str:
    # -S leaves site-packages out.
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(folder), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_works_with_cryptography_and_msgspec_alone(alone: Path) -> None:
    said = run(
        alone,
        """
import sys
from sekisho.guard import Verifier, Unauthorized
from sekisho.rfc import jwk, keys
key = b"0123456789abcdef0123456789abcdef"
verifier = Verifier("https://a.example", "https://b.example", secret_key=key)
away = Verifier("https://a.example", "https://b.example", server_url="http://127.0.0.1:9")
for each in (verifier, away):
    try:
        each.verify("a.b.c")
    except Exception as error:
        print(type(error).__name__)
print(*sorted(name for name in sys.modules if "." not in name))
""",
    ).split()
    assert said[:2] == ["Unauthorized", "ServiceUnavailable"]
    assert SERVERS & set(said) == set()


def test_importing_it_loads_no_network_no_loop_and_no_log(alone: Path) -> None:
    loaded = set(run(alone, "import sekisho.guard, sys; print(*sys.modules)").split())
    assert loaded & (HEAVY | SERVERS) == set()


def test_importing_it_costs_little_more_than_what_it_stands_on(alone: Path) -> None:
    """In time of the processor, against its requirements in the same run; bench has the milliseconds."""
    floor = "import msgspec, hashlib, json, threading, cryptography.hazmat.primitives.asymmetric.ec"
    codes = ("pass", floor, "import sekisho.guard")
    rounds = [[_processor_s(alone, code) for code in codes] for _ in range(7)]
    bare, stands_on, guard = (min(each) for each in zip(*rounds, strict=True))
    assert guard - bare < 1.8 * (stands_on - bare)


def _processor_s(folder: Path, code: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(folder, code)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

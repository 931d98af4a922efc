"""`scripts/sdk.sh build`: the npm package is built again when something has changed, and only then."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Stands for npm and for node: an installation makes the folder, a build writes a line and what it makes.
NPM = """#!/bin/sh
case "$1" in
ci) mkdir -p node_modules ;;
run) mkdir -p dist/esm; touch LICENSE dist/esm/index.js; echo built ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for folder in ("scripts", "sdk/src/core", "sdk/scripts", "bin"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "sdk.sh", tmp_path / "scripts")
    for name in ("LICENSE", "sdk/package.json", "sdk/package-lock.json", "sdk/tsconfig.json", "sdk/src/core/index.ts"):
        (tmp_path / name).touch()
    for name in ("npm", "node"):
        (tmp_path / "bin" / name).write_text(NPM)
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


def builds(checkout: Path) -> bool:
    done = subprocess.run(
        ["sh", "scripts/sdk.sh", "build"],
        cwd=checkout,
        env={"PATH": f"{checkout / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return "built" in done.stdout.split()


def touch_later(path: Path) -> None:
    """As an editor would a moment from now; file systems count in coarse steps."""
    now = path.stat().st_mtime + 5
    os.utime(path, (now, now))


@pytest.mark.parametrize(
    "change",
    [
        lambda checkout: touch_later(checkout / "sdk" / "src" / "core" / "index.ts"),
        lambda checkout: touch_later(checkout / "sdk" / "tsconfig.json"),
        lambda checkout: touch_later(checkout / "sdk" / "dist" / "esm" / "index.js"),
        lambda checkout: touch_later(checkout / "sdk" / "package-lock.json"),
        lambda checkout: (checkout / "sdk" / "LICENSE").unlink(),
        lambda checkout: shutil.rmtree(checkout / "sdk" / "dist"),
        lambda checkout: shutil.rmtree(checkout / "sdk" / "node_modules"),
    ],
    ids=["a source", "a setting", "what was built", "the lock", "no licence", "nothing built", "nothing installed"],
)
def test_a_package_is_built_once_and_again_after_a_change(checkout: Path, change: Callable[[Path], object]) -> None:
    assert builds(checkout)
    assert not builds(checkout)
    change(checkout)
    assert builds(checkout)

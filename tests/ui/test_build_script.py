"""`scripts/ui.sh`: what `make serve` says where the account page cannot be built, and that CI does not go on then."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("sh", "find", "head")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a project without Node: only what the script itself calls is on its PATH."""
    for folder in ("scripts", "ui", "sdk/src", "bin", "src/sekisho/ui/assets"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "ui.sh", tmp_path / "scripts")
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found
        (tmp_path / "bin" / tool).symlink_to(found)
    return tmp_path


def run(checkout: Path, word: str, **environ: str) -> tuple[int, list[str]]:
    done = subprocess.run(
        ["sh", "scripts/ui.sh", word],
        cwd=checkout,
        env={"PATH": str(checkout / "bin"), **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, [line for line in (done.stdout + done.stderr).splitlines() if line]


def test_make_serve_says_in_one_line_that_the_page_is_the_plain_one_and_goes_on(checkout: Path) -> None:
    code, said = run(checkout, "serve", CI="1")

    assert code == 0
    assert said == ["==> Node 20 or newer was not found: the account page is the plain one"]


def test_a_build_that_nobody_changed_anything_for_says_nothing(checkout: Path) -> None:
    (checkout / "src" / "sekisho" / "ui" / "assets" / "manifest.json").write_text("{}")

    assert run(checkout, "serve") == run(checkout, "build", CI="1") == (0, [])


def test_ci_does_not_go_on_without_the_page_and_a_person_is_told(checkout: Path) -> None:
    assert run(checkout, "build", CI="1")[0] == 1
    code, said = run(checkout, "build")
    assert code == 0
    assert said == ["==> SKIPPED ui: Node 20 or newer with npm was not found"]

"""What is shipped: the wheel holds every page and what pages load."""

from __future__ import annotations

import os
import re
from pathlib import Path
from zipfile import ZipFile

import msgspec

from wheel import build_wheel

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "src" / "sekisho" / "ui"


def test_V13_4_1_the_wheel_holds_the_pages_and_what_they_load_and_no_repository(tmp_path: Path) -> None:
    with ZipFile(build_wheel(tmp_path)) as archive:
        inside = set(archive.namelist())

    pages = [f"sekisho/ui/templates/{path.name}" for path in (PAGES / "templates").iterdir()]
    loaded = [f"sekisho/ui/static/{path.name}" for path in (PAGES / "static").iterdir()]
    assert len(pages) > 10
    assert {*pages, *loaded} - inside == set()

    beside = {name for name in inside if not name.startswith(("sekisho/", "sekisho-"))}
    hidden = {name for name in inside if any(part.startswith(".") for part in name.split("/"))}
    assert beside | hidden == set()

    # `make test` builds it before; elsewhere Node may be missing.
    manifest = PAGES / "assets" / "manifest.json"
    if manifest.is_file() or os.environ.get("CI"):
        names = msgspec.json.decode(manifest.read_bytes(), type=dict[str, str])
        assert {"account.js", "account.css"} <= set(names)
        built = {f"sekisho/ui/assets/{name}" for name in ("manifest.json", *names.values())}
        assert built - inside == set()


def test_V13_4_1_an_image_is_made_of_named_files_and_no_repository() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in ignored if line and not line.startswith("#")]
    assert rules[0] == "*", "everything is left out first"
    let_in = [rule.removeprefix("!") for rule in rules if rule.startswith("!")]
    assert not any(part.startswith(".") for rule in let_in for part in rule.split("/"))
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "deploy" / "Containerfile").read_text(), re.MULTILINE)
    assert copied
    for source in " ".join(copied).split():
        assert any(source == rule or source.startswith(f"{rule}/") for rule in let_in), source

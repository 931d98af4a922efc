"""The reference pages say what the code says, byte for byte."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from sekisho.http.routes import ROUTES

ROOT = Path(__file__).parents[2]


def load_generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", ROOT / "scripts" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = load_generator()
PAGES: dict[str, str] = GENERATOR.pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_is_what_the_code_says(name: str) -> None:
    path = ROOT / "docs" / "reference" / name
    written = path.read_bytes() if path.exists() else b""

    assert written == PAGES[name].encode(), f"docs/reference/{name} is stale. Run `make docs` and commit the result."


def test_no_reference_page_is_there_that_nothing_makes() -> None:
    there = {path.name for path in (ROOT / "docs" / "reference").iterdir()}

    assert there - GENERATOR.MADE_ELSEWHERE == set(PAGES)


def test_the_check_names_a_stale_page(tmp_path: Path) -> None:
    for name, text in PAGES.items():
        (tmp_path / name).write_bytes(text.encode())
    (tmp_path / "errors.md").write_text("by hand")
    (tmp_path / "old.md").write_text("forgotten")

    assert GENERATOR.stale(tmp_path) == ["errors.md", "old.md"]


def test_every_limit_of_a_route_is_explained_by_its_settings() -> None:
    assert {rule for route in ROUTES for rule in route.limits} == set(GENERATOR.LIMITS_OF)


def test_every_call_of_the_table_has_its_own_heading() -> None:
    headings = [line for line in PAGES["http.md"].splitlines() if line.startswith("## ")]

    assert [f"## {route.method} {route.path}" for route in ROUTES] == headings[: len(ROUTES)]

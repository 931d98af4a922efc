"""The registry of the ways in: no module starts a session, or changes what one says, that the page does not name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "sekisho"
PAGES = ("docs/explanation/ways-in.md", "docs/ja/explanation/ways-in.md")
# What makes a proof staler proves nothing about anybody.
WEAKENS = {"moves"}


def modules_that(calls: str) -> set[str]:
    """Return the names of the modules outside of ports and storage in which something ending in this is called."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        if path.relative_to(SOURCE).parts[0] in ("ports", "storage", "guard"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(calls):
                found.add(path.stem)
    return found


def tables_of(page: str) -> list[set[str]]:
    """Return the flows that each table of a page names first in its rows."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [
        set(re.findall(r"^\| \[(\w+)\]", block, re.MULTILINE)) for block in text.split("\n\n") if "| --- |" in block
    ]


@pytest.mark.parametrize("page", PAGES)
def test_V6_1_3_every_way_in_stands_in_the_registry(page: str) -> None:
    starting, changing = tables_of(page)
    assert starting == modules_that("sessions.start")
    assert changing == modules_that("RenewProof") - WEAKENS


def test_V6_1_3_only_one_function_puts_a_session_into_the_store() -> None:
    assert modules_that("StartSession") == {"sessions"}

"""What every attack asserts: a generic answer, nothing changed in the database, a trace that somebody tried."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import apsw
import httpx2

from http_site import Site

CORPUS = Path(__file__).with_name("corpus")
# What may move although an attempt fails: counted tries, the audit trail, letters to the owner.
TRACES = frozenset({"throttle", "audit", "outbox", "sqlite_sequence"})


def corpus(name: str) -> list[Any]:
    """Return the attempts of a data file: each has `id`, `source` (its row of the checklist), `input`, `expected`."""
    attempts: list[Any] = json.loads((CORPUS / f"{name}.json").read_text(encoding="utf-8"))
    assert all({"id", "source", "input", "expected"} == set(attempt) for attempt in attempts)
    return attempts


def rows(folder: Path, *, without: frozenset[str] = TRACES) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of the database below `folder`, by table. Seals are left out: the server makes them by itself,
    every ten seconds."""
    [path] = folder.rglob("*.db")
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {
            table: sorted(connection.execute(f'SELECT * FROM "{table}"'), key=repr)
            for table in sorted(set(tables) - without - {"audit_seals"})
        }
    finally:
        connection.close()


def refusals(site: Site, code: str) -> float:
    """Return how many requests were refused with this code, as the operator's figures say."""
    return site.edge.metrics.registry.get_sample_value("sekisho_refusals_total", {"code": code}) or 0


def told(answer: httpx2.Response) -> tuple[int, str]:
    """Return the status and the code of an answer; "" where it is no refusal."""
    body = answer.json() if answer.content else {}
    return answer.status_code, body.get("error", "")

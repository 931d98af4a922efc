"""The application in this process, asked without a network, and its statements counted by SQLite itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import apsw

from sekisho.http.app import Application
from sekisho.storage import queries

# How the server notices commits of other processes, twenty times a second, and what it reads after one: whoever calls,
# and no part of a call.
FOLLOWING = ("PRAGMA data_version", queries.FIND_META, queries.READ_JOURNAL, queries.LIST_SIGNING_KEYS)


@contextmanager
def counting_statements() -> Iterator[Counter[str]]:
    """Count what every connection that is opened in the block runs, by its text."""
    statements: Counter[str] = Counter()

    def note(event: dict[str, Any]) -> None:
        statements[event["sql"]] += 1

    apsw.connection_hooks.append(lambda connection: connection.trace_v2(apsw.SQLITE_TRACE_STMT, note))
    try:
        yield statements
    finally:
        apsw.connection_hooks.pop()


def of_requests(statements: Counter[str]) -> int:
    return sum(count for sql, count in statements.items() if sql not in FOLLOWING)


async def call(application: Application, path: str, body: bytes) -> int:
    """Post JSON and return the status."""
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "root_path": "",
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 1),
    }
    await application(scope, receive, send)
    return status

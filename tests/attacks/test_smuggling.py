"""Requests that two parsers could read differently, sent byte by byte to a real server: never two answers for one."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from attacks.support import corpus
from live_server import LiveServer, live_server
from sekisho import __version__

ATTEMPTS = corpus("smuggling")
# For what more may come, and for a connection that must end.
PATIENCE_S, CLOSED_S = 0.5, 30.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("smuggling")) as running:
        yield running


def answers_to(server: LiveServer, *sent: bytes, within_s: float = PATIENCE_S) -> tuple[bytes, bool]:
    """Return all that the server answers on one connection, and whether it closed that connection within so long."""
    url = httpx2.URL(server.url)
    received = b""
    with socket.create_connection((url.host, url.port or 80), timeout=CLOSED_S) as connection:
        for part in sent:
            connection.sendall(part)
        connection.settimeout(within_s)
        try:
            while data := connection.recv(65536):
                received += data
        except TimeoutError:
            return received, False
        except ConnectionResetError:
            pass
        return received, True


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: f"{attempt['source']}-{attempt['id']}")
def test_V4_2_1_a_request_of_two_readings_gets_one_answer_or_none(server: LiveServer, attempt: dict[str, Any]) -> None:
    must_close = attempt["expected"] == "refused"
    received, closed = answers_to(
        server, attempt["input"].encode("latin-1"), within_s=CLOSED_S if must_close else PATIENCE_S
    )

    statuses = [line.split()[1] for line in received.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
    assert len(statuses) <= 1, received
    assert b'"ok"' not in received or attempt["expected"] == "one answer"
    if must_close:
        assert closed
        assert statuses in ([], [b"400"]), received
    assert b"101" not in statuses
    assert b"sekisho_requests" not in received


def test_KA_108_a_chunk_extension_without_end_is_not_listened_to(server: LiveServer) -> None:
    head = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;"

    received, closed = answers_to(server, head, b"a" * 200_000, within_s=CLOSED_S)

    assert closed
    assert received == b"" or b" 4" in received[:16]


def test_KA_108_two_whole_requests_on_one_connection_get_two_answers(server: LiveServer) -> None:
    """Without this, every line above could pass because nothing is ever answered."""
    one = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

    received, _ = answers_to(server, one + one)

    assert received.count(b"HTTP/1.1 200") == 2


def test_V13_4_6_no_answer_names_the_server_or_its_version(server: LiveServer) -> None:
    whole = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    for request in (whole, whole.replace(b"/healthz", b"/openapi.json"), b"nonsense\r\n\r\n"):
        received, _ = answers_to(server, request)
        assert received
        assert __version__.encode() not in received
        for word in (b"uvicorn", b"starlette", b"python", b"server:", b"x-powered-by", b"httptools"):
            assert word not in received.lower()

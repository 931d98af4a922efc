"""An answer leaves in one write, and nothing of it stays behind, whatever happens between its head and its body."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from http_site import Site
from sekisho.http.app import Application, Receive, Scope, Send
from sekisho.http.one_write import HOLDING, ONE_WRITE
from sekisho.sockets.connection import BoundedConnection, HoldingTransport

pytestmark = pytest.mark.anyio

ASKED = b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n"


class Wire(asyncio.Transport):
    """Where a connection's bytes go: each write by itself."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.writes: list[bytes] = []
        self.is_closed = False

    def write(self, data: Any) -> None:
        assert not self.is_closed
        self.writes.append(bytes(data))

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        """All has been read."""

    def resume_reading(self) -> None:
        """All has been read."""


async def answered(application: Any, asked: bytes) -> Wire:
    """Let a connection take what was asked and answer it."""
    config = uvicorn.Config(application, http=BoundedConnection, ws="none", lifespan="off", log_config=None)
    config.load()
    state, wire = ServerState(), Wire()
    connection = BoundedConnection(config, state, {})
    connection.connection_made(wire)
    connection.data_received(asked)
    async with asyncio.timeout(30):
        while state.tasks:
            await asyncio.wait(state.tasks)
    connection.connection_lost(None)
    return wire


async def test_head_and_body_of_an_answer_leave_together(site: Site) -> None:
    wire = await answered(Application(site.edge), ASKED)
    assert len(wire.writes) == 1
    assert wire.writes[0].startswith(b"HTTP/1.1 200")
    assert wire.writes[0].endswith(b"}")


async def test_answers_to_requests_in_one_packet_leave_in_their_order(site: Site) -> None:
    wire = await answered(Application(site.edge), ASKED + ASKED.replace(b"healthz", b"nowhere"))
    assert [one[:12] for one in wire.writes] == [b"HTTP/1.1 200", b"HTTP/1.1 404"]


async def test_the_last_answer_of_a_connection_leaves_before_it_closes(site: Site) -> None:
    wire = await answered(Application(site.edge), ASKED.replace(b"Host", b"Connection: close\r\nHost"))
    assert len(wire.writes) == 1
    assert wire.writes[0].endswith(b"}")
    assert wire.is_closed


async def test_an_answer_that_comes_in_pieces_is_held_by_nobody() -> None:
    async def trickle(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await send({"type": "http.response.body", "body": b"b"})

    wire = await answered(trickle, ASKED)
    assert [one[-1:] for one in wire.writes] == [b"\n", b"a", b"b"]


async def test_what_is_held_is_written_when_the_connection_closes() -> None:
    wire = Wire()
    holding = HoldingTransport(wire)
    holding.hold()
    holding.write(b"a")
    holding.write(b"b")
    assert wire.writes == []
    holding.close()
    assert wire.writes == [b"ab"]
    assert wire.is_closed


async def test_what_is_held_for_a_client_that_hung_up_is_forgotten() -> None:
    wire = Wire()
    holding = HoldingTransport(wire)
    holding.hold()
    holding.write(b"a")
    wire.close()
    holding.release()
    assert wire.writes == []


async def test_an_answer_that_fails_half_way_holds_nothing_back(site: Site) -> None:
    wire = Wire()
    holding = HoldingTransport(wire)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        holding.write(message["type"].encode())
        if message["type"] == "http.response.body":
            raise OSError("the client has gone")

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/healthz",
        "query_string": b"",
        "headers": [],
        "client": ("127.0.0.1", 1),
        "extensions": {ONE_WRITE: {HOLDING: holding}},
    }
    with pytest.raises(OSError, match="gone"):
        await Application(site.edge)(scope, receive, send)
    holding.write(b"later")
    assert wire.writes == [b"http.response.starthttp.response.body", b"later"]

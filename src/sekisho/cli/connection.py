"""One client connection: uvicorn's, with bounds on what may arrive before a request can be answered.

Attack: a client that sends header bytes for ever, fast to fill the memory or slowly to hold the
connection, never reaches the application and its limits.

Spec: RFC 9112 section 3; RFC 6585 section 5 (431).
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# The application refuses heads above 32 kB with words; this is the point where words are not deserved.
MAX_FRUITLESS_BYTES = 64 * 1024


class BoundedConnection(HttpToolsProtocol):
    """Ends the connection when 64 kB bring the parser to nothing, or a request's head takes too long."""

    head_timeout_s = 15.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._fruitless_bytes = 0
        self._got_somewhere = False
        self._head_timer: asyncio.TimerHandle | None = self.loop.call_later(self.head_timeout_s, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_head_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._got_somewhere = False
        super().data_received(data)
        self._fruitless_bytes = 0 if self._got_somewhere else self._fruitless_bytes + len(data)
        if self._fruitless_bytes > MAX_FRUITLESS_BYTES:
            self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_timeout_s, self.transport.close)

    def on_headers_complete(self) -> None:
        self._got_somewhere = True
        self._stop_head_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._got_somewhere = True
        super().on_body(body)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

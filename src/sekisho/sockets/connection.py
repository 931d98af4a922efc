"""One client connection: uvicorn's, with bounds on what may arrive before a request can be answered, and with an
answer that can leave in one write.

Attack: a client that sends header bytes for ever, fast to fill the memory or slowly to hold the
connection, never reaches the application and its limits.

Spec: RFC 9112 section 3; RFC 6585 section 5 (431).
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sekisho.http.one_write import HOLDING, ONE_WRITE

# The application refuses heads above 32 kB with words; this is the point where few words are deserved.
MAX_FRUITLESS_BYTES = 64 * 1024
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class BoundedConnection(HttpToolsProtocol):
    """Ends the connection when 64 kB bring the parser to nothing, or a request's head or body takes too long.

    Offers the application to write an answer in one piece.
    """

    head_timeout_s = 5.0
    # The application answers a slow body with words after ten seconds; here the connection ends, answered or not.
    body_timeout_s = 12.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        holding = HoldingTransport(transport)
        super().connection_made(holding)
        self._extensions: dict[str, dict[object, object]] = {ONE_WRITE: {HOLDING: holding}}
        self._fruitless_bytes = 0
        self._got_somewhere = False
        self._awaits_head = self._awaits_body = False
        self._timer: asyncio.TimerHandle | None = self.loop.call_later(self.head_timeout_s, holding.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._got_somewhere = False
        super().data_received(data)
        self._fruitless_bytes = 0 if self._got_somewhere else self._fruitless_bytes + len(data)
        if self._fruitless_bytes > MAX_FRUITLESS_BYTES:
            self._refuse()
        elif (self._awaits_head or self._awaits_body) and self._timer is None:
            # Only for what did not arrive whole: most requests need no timer.
            timeout_s = self.body_timeout_s if self._awaits_body else self.head_timeout_s
            self._timer = self.loop.call_later(timeout_s, self.transport.close)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = self._extensions
        self._awaits_head = True

    def on_headers_complete(self) -> None:
        self._got_somewhere = self._awaits_body = True
        self._awaits_head = False
        self._stop_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._got_somewhere = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._awaits_body = False
        self._stop_timer()
        super().on_message_complete()

    def _refuse(self) -> None:
        """Answer a head without end, unless an answer to an earlier request is on its way."""
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if not is_answering and not self.transport.is_closing():
            self.transport.write(TOO_LARGE)
        self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class HoldingTransport(asyncio.Transport):
    """Everything goes to the transport of the loop; `write` waits for `release` after `hold`.

    Implements `sekisho.http.one_write.Holding`. Closing writes what is held first.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._held: list[bytes] | None = None

    def hold(self) -> None:
        self._held = []

    def release(self) -> None:
        held, self._held = self._held, None
        # Who hung up meanwhile is no mistake of whoever answers.
        if held and not self._transport.is_closing():
            self._transport.write(b"".join(held))

    def write(self, data: Any) -> None:
        if self._held is None:
            self._transport.write(data)
        else:
            self._held.append(data)

    def close(self) -> None:
        self.release()
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

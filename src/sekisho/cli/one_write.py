"""The transport of a connection that can hold what is written, and write it in one piece."""

from __future__ import annotations

import asyncio
from typing import Any


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

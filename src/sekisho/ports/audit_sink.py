"""The way out for the audit trail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class SinkUnavailable(Exception):
    """The other side did not take the lines now. The text is for the operator's log; it holds no secret."""


class ShippedLine(Protocol):
    """What a sink sees of one record."""

    @property
    def is_failure(self) -> bool: ...

    @property
    def at(self) -> int:
        """Milliseconds since 1970."""

    @property
    def json(self) -> bytes:
        """The record as one JSON object, without a line end."""


class AuditSink(Protocol):
    """Takes records in the order of their numbers. What was taken may come again after a crash: the receiver knows a
    record by its `installation` and `seq`."""

    async def take(self, lines: Sequence[ShippedLine]) -> None:
        """Hand all of them over, and return when the other side has them (as far as its protocol can say so).

        Raises:
            SinkUnavailable: it may have some of them or none; all are handed over again.
        """

    async def close(self) -> None: ...

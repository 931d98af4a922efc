"""An answer in one piece: head and body leave in one write, where the server offers to hold the head back.

ASGI hands them over one after the other, and each write is a system call and a packet of its own. For an answer as
small as ours the second costs more than everything that is done to its body.
"""

from __future__ import annotations

from typing import Protocol

# In the scope: `extensions[ONE_WRITE][HOLDING]`; see the ASGI specification, section Extensions.
ONE_WRITE = "sekisho.one_write"
HOLDING = "holding"


class Holding(Protocol):
    """What stands there: the connection's writing end."""

    def hold(self) -> None:
        """Keep what is written from here on."""

    def release(self) -> None:
        """Write what was kept, at once, and keep nothing more."""

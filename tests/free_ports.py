"""Ports for the servers that tests start: free, and nobody else's between the look and the start.

The system's own choice (port 0) is one of those that it also gives to whoever connects or asks next: what was free a
moment ago may be taken, and a client that tries a server too early may be connected to itself. These lie below that
range; each worker of a run has a stretch of its own and goes through it in turns.
"""

from __future__ import annotations

import itertools
import os
import secrets
import socket
import zlib

# Above 10,080, which browsers refuse.
FIRST, STRETCH, STRETCHES = 11_000, 450, 20


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nobody listens. A node of a cluster takes the one 10,000 above it as well."""
    return next(filter(_is_free, itertools.islice(_in_turns, STRETCH)))


def stretch_of(run: str, worker: str) -> range:
    """Return the ports of one worker. Runs that go on beside each other begin at different places."""
    number = (zlib.crc32(run.encode()) + int(worker.removeprefix("gw") or 0)) % STRETCHES
    return range(FIRST + number * STRETCH, FIRST + (number + 1) * STRETCH)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


_given = os.environ.get("PYTEST_XDIST_TESTRUNUID", secrets.token_hex(8)), os.environ.get("PYTEST_XDIST_WORKER", "gw0")
_own = stretch_of(*_given)
_in_turns = itertools.islice(itertools.cycle(_own), secrets.randbelow(STRETCH), None)

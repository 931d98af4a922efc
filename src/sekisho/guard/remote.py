"""What a guard asks the server for over HTTP. Loaded when first needed, with the libraries that it takes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from email.utils import parsedate_to_datetime

from sekisho.guard.fetching import Server, Unreachable
from sekisho.guard.keys import KeysUnreadable
from sekisho.rfc import jwk

JWKS_PATH = "/.well-known/jwks.json"
log = logging.getLogger("sekisho.guard")


class JwksFetch:
    """Reads the server's JWKS, and its clock along the way.

    ahead_s: how far the server's clock is ahead of ours, 0 if it is behind or says nothing.
    """

    __slots__ = ("_clock", "_server", "ahead_s")

    def __init__(self, server: Server, clock: Callable[[], float]) -> None:
        self._server = server
        self._clock = clock
        self.ahead_s = 0.0

    def __call__(self) -> bytes:
        try:
            answer = self._server.ask("GET", JWKS_PATH, max_bytes=jwk.MAX_JWKS_BYTES)
        except Unreachable as error:
            raise KeysUnreadable(str(error)) from None
        if answer.status != 200:
            raise KeysUnreadable(f"the server answered {answer.status}")
        self._read_clock(answer.headers.get("date", ""))
        return answer.body

    def _read_clock(self, date: str) -> None:
        try:
            said = parsedate_to_datetime(date).timestamp()
        except (TypeError, ValueError, OverflowError):
            return
        self.ahead_s = max(0.0, said - self._clock())


class Reports:
    """Logs the first of a row of equal troubles, and that it is over: an outage is two lines and not two a second."""

    __slots__ = ("_last", "_what")

    def __init__(self, what: str) -> None:
        self._what = what
        self._last = ""

    def __call__(self, trouble: str) -> None:
        if trouble and not self._last:
            log.warning("%s: %s", self._what, trouble)
        elif self._last and not trouble:
            log.warning("%s: well again", self._what)
        self._last = trouble

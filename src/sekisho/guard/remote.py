"""What a guard asks the server for over HTTP. Loaded when first needed, with the libraries that it takes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from email.utils import parsedate_to_datetime

from msgspec import DecodeError, Struct, json

from sekisho.guard.feed import FeedBroken
from sekisho.guard.fetching import Server, Unreachable, refused
from sekisho.guard.keys import KeysUnreadable
from sekisho.rfc import jwk

JWKS_PATH = "/.well-known/jwks.json"
FEED_PATH = "/api/v1/revocations"
# Past what a proxy keeps: a key that is no longer shown would live so much longer.
UNCACHED = {"Cache-Control": "no-cache"}
INTROSPECTION_PATH = "/api/v1/auth/introspect"
# Three signs of life of the server.
SILENCE_S = 15.0
MAX_LINE_BYTES = 1024 * 1024
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
            answer = self._server.ask("GET", JWKS_PATH, headers=UNCACHED, max_bytes=jwk.MAX_JWKS_BYTES)
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


class HttpLine:
    """The feed over HTTP: pages by requests, the stream as server-sent events.

    Concurrency: the feed's thread alone.
    """

    __slots__ = ("_headers", "_server")

    def __init__(self, server: Server, key: str) -> None:
        self._server = server
        self._headers = {"Authorization": f"Bearer {key}", "User-Agent": "sekisho-guard"}

    def page(self, after: int) -> bytes:
        try:
            answer = self._server.ask("GET", f"{FEED_PATH}?after={after}", headers=self._headers)
        except Unreachable as error:
            raise FeedBroken(str(error)) from None
        if answer.status != 200:
            raise FeedBroken(refused(answer.status))
        return answer.body

    def stream(self, generation: str, after: int, hear: Callable[[bytes], None]) -> None:
        headers = {**self._headers, "Accept": "text/event-stream", "Last-Event-ID": f"{generation}:{after}"}
        try:
            for line in self._server.lines(
                f"{FEED_PATH}/stream", headers=headers, silence_s=SILENCE_S, max_line_bytes=MAX_LINE_BYTES
            ):
                if line.startswith(b"data:"):
                    hear(line[5:].strip())
        except Unreachable as error:
            raise FeedBroken(str(error)) from None


def ask_about(server: Server, key: str, token: str) -> bool:
    """Return whether the server says that the token counts.

    Raises:
        Unreachable: it says nothing of the sort.
    """
    answer = server.ask(
        "POST",
        INTROSPECTION_PATH,
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/x-www-form-urlencoded"},
        body=f"token={token}".encode("ascii"),
        max_bytes=64 * 1024,
    )
    if answer.status != 200:
        raise Unreachable(refused(answer.status))
    try:
        return _INTROSPECTION.decode(answer.body).active
    except DecodeError:
        raise Unreachable("the answer is no introspection") from None


class _Introspection(Struct):
    active: bool


_INTROSPECTION = json.Decoder(_Introspection)

"""Stand-ins for the issuer: keys without a network, and an HTTP server that answers whatever a test tells it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from msgspec import Struct

from sekisho.guard.flight import Flight
from sekisho.rfc import jwk, jwt
from sekisho.rfc.keys import VerificationKey


class GivenKeys:
    """The keys of a JWKS that nobody fetches."""

    def __init__(self, jwks: bytes) -> None:
        self.shown: dict[str, VerificationKey] = dict(jwk.parse_jwks(jwks))

    def accepts(self, kid: str) -> bool:
        return kid in self.shown

    def find(self, kid: str) -> VerificationKey:
        if kid not in self.shown:
            raise jwt.UnknownKey("unknown kid")
        return self.shown[kid]

    def due(self, now: float) -> Flight | None:
        return None

    def missing(self, now: float) -> Flight | None:
        return None

    def are_usable(self, now: float) -> bool:
        return True

    def age_s(self, now: float) -> float | None:
        return 0.0


class Said(Struct):
    """One answer. wait: called before it is sent, to hold it back."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = {}
    wait: Callable[[], object] = lambda: None


class StandIn:
    """asked: the requests so far, as `GET /path`. headers: of the last one. `say` maps a path (without query) to what
    is answered."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}
        self.say: dict[str, Said | Callable[[BaseHTTPRequestHandler], None]] = {}


@contextmanager
def stand_in() -> Iterator[StandIn]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            site.headers = dict(self.headers)
            site.asked.append(f"{self.command} {self.path}")
            said = site.say.get(self.path.partition("?")[0], Said(status=404))
            if not isinstance(said, Said):
                said(self)
                return
            said.wait()
            self.send_response_only(said.status)
            for name, value in ({"Date": self.date_time_string()} | said.headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said.body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:  # the guard hung up, as it may
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site = StandIn(f"http://127.0.0.1:{server.server_address[1]}")
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()

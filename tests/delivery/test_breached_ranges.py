"""The range query against a real server: what leaves, what is believed, and what happens when it misbehaves."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from certificates import Authority
from sekisho.delivery.breached_ranges import AT_ONCE, MAX_ANSWER_BYTES, RangesOverHttp
from sekisho.errors import ValidationError
from sekisho.passwords.hashing import HashPool
from sekisho.passwords.parameters import PROFILES
from sekisho.passwords.screening import Screening
from sekisho.ports.breached import BreachedRangesUnavailable

pytestmark = pytest.mark.anyio

BREACHED, FRESH = "sunny meadow 77", "nobody ever chose this one"
SHA1 = {each: hashlib.sha1(each.encode(), usedforsecurity=False).hexdigest().upper() for each in (BREACHED, FRESH)}
PADDING = "\r\n".join(f"{number:035X}:0" for number in range(800))
Behaviour = Callable[[BaseHTTPRequestHandler], None]


def answer(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def the_list(handler: BaseHTTPRequestHandler) -> None:
    """The suffix of each digest with the count 9, whatever the prefix, and padding."""
    answer(handler, f"{SHA1[BREACHED][5:]}:9\r\n{PADDING}\r\n{SHA1[FRESH][5:]}:0".encode())


class Service:
    """What was asked, with the headers."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[tuple[str, dict[str, str]]] = []


@contextmanager
def service(behaviour: Behaviour, certificate: tuple[Path, Path] | None = None) -> Iterator[Service]:
    found = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            try:
                behaviour(self)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Nothing on the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    found.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}/range"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def pool() -> HashPool:
    return HashPool(PROFILES["low_memory"], threads=1)


def screening(pool: HashPool, url: str, timeout_ms: int = 1000) -> tuple[Screening, list[str]]:
    told: list[str] = []
    found = Screening(pool, ranges=RangesOverHttp(url, timeout_ms))
    found.tell = told.append
    return found, told


async def test_V6_2_12_a_breached_password_is_refused_and_only_five_digits_leave(pool: HashPool) -> None:
    with service(the_list) as there:
        asking, told = screening(pool, there.url)
        with pytest.raises(ValidationError) as refused:
            await asking.screen(BREACHED)
        await asking.screen(FRESH)

    assert refused.value.details == {"password": "breached"}
    assert told == ["found", "clear"]
    assert [path for path, _ in there.asked] == [f"/range/{SHA1[BREACHED][:5]}", f"/range/{SHA1[FRESH][:5]}"]
    headers = there.asked[0][1]
    assert headers["add-padding"] == "true"
    assert set(headers) == {"host", "add-padding", "user-agent", "accept-encoding", "connection"}
    assert SHA1[BREACHED][5:] not in str(there.asked)
    assert BREACHED not in str(there.asked)


# Far from the 0.4 s that are waited, so that a slow machine cannot take the one for the other.
ENDLESS_S = 20.0


def slow(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.settimeout(ENDLESS_S)
    handler.connection.recv(1)  # until the other side goes away


def drips(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(round(ENDLESS_S / 0.1)):
        handler.wfile.write(b"x-%d: y\r\n" % number)
        handler.wfile.flush()
        time.sleep(0.1)


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    line = f"{1:035X}:1\r\n".encode()
    while True:
        handler.wfile.write(line * 1000)


MISBEHAVING: dict[str, Behaviour] = {
    "slow": slow,
    "drips": drips,
    "endless": endless,
    "cut": lambda handler: handler.connection.shutdown(socket.SHUT_RDWR),
    "failing": lambda handler: answer(handler, b"busy", 503),
    "redirects": lambda handler: answer(handler, b"", 302, Location="/range/other"),
    "a portal": lambda handler: answer(handler, b"<html>Sign in to this network</html>"),
    "too long": lambda handler: answer(handler, f"{1:035X}:1\r\n".encode() * (MAX_ANSWER_BYTES // 38)),
}


@pytest.mark.parametrize("how", MISBEHAVING)
async def test_V6_2_12_a_service_that_misbehaves_lets_the_password_pass_in_time(pool: HashPool, how: str) -> None:
    with service(MISBEHAVING[how]) as there:
        asking, told = screening(pool, there.url, timeout_ms=400)
        begun = time.monotonic()
        await asking.screen(BREACHED)
        spent_s = time.monotonic() - begun

    assert told == ["unavailable"]
    assert spent_s < ENDLESS_S / 2
    assert len(there.asked) <= 1


async def test_nobody_there_lets_the_password_pass(pool: HashPool) -> None:
    with service(the_list) as gone:
        pass
    asking, told = screening(pool, gone.url, timeout_ms=400)
    await asking.screen(BREACHED)
    assert told == ["unavailable"]


async def test_a_drip_gives_its_thread_back() -> None:
    with service(drips) as there:
        ranges = RangesOverHttp(there.url, timeout_ms=200)
        for _ in range(2 * AT_ONCE):
            with pytest.raises(BreachedRangesUnavailable, match="no answer within"):
                await ranges.suffixes("00000")
            async with asyncio.timeout(ENDLESS_S / 2):
                while ranges._free._value != AT_ONCE:  # noqa: ASYNC110 - a thread, not a task, gives it back
                    await asyncio.sleep(0.01)
        ranges.close()


async def test_V12_3_2_a_certificate_of_nobody_we_know_is_no_answer(tmp_path: Path, pool: HashPool) -> None:
    authority = Authority(tmp_path / "ours", "Ours")
    with service(the_list, authority.certify(host="127.0.0.1")) as there:
        asking, told = screening(pool, there.url)
        await asking.screen(BREACHED)
        trusting = RangesOverHttp(there.url, 1000, ssl.create_default_context(cafile=authority.file))
        assert SHA1[BREACHED][5:] in await trusting.suffixes(SHA1[BREACHED][:5])

    assert told == ["unavailable"]
    assert len(there.asked) == 1


@pytest.mark.parametrize(
    "url", ["http://api.example/range", "ftp://127.0.0.1/", "https://u:p@api.example/", "range", ""]
)
def test_V12_2_1_only_https_is_asked_but_for_this_machine(url: str) -> None:
    with pytest.raises(ValueError, match=r"address|https"):
        RangesOverHttp(url, 1000)


@pytest.mark.parametrize("prefix", ["", "abcde", "ABCDE1", "AB/..", "ABCD\n"])
async def test_nothing_but_a_prefix_can_be_asked(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        await RangesOverHttp("https://api.example/range", 1000).suffixes(prefix)

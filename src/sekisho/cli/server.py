"""The server process: uvicorn around the application, quiet, bounded, and honest about a start that fails."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import FrameType

import structlog
import uvicorn
from msgspec import Struct

from sekisho import __version__
from sekisho.assemble import Place, application
from sekisho.cli.failures import fail
from sekisho.cli.output import padded
from sekisho.cli.texts import say
from sekisho.http.app import Asgi, Receive, Scope, Send
from sekisho.settings import Settings
from sekisho.sockets.accepting import ConnectionCounts, SharedAcceptor
from sekisho.sockets.connection import BoundedConnection
from sekisho.sockets.listening import BACKLOG

if sys.platform != "win32":
    import resource

log = structlog.get_logger("sekisho")

# Longer than the usual idle time of proxies (60 s), so that none sends into a connection that we close.
KEEP_ALIVE_S = 75
GRACEFUL_SHUTDOWN_S = 5
MOST_OPEN_FILES = 65_536


class Membership(Struct, frozen=True):
    """What makes this process one of several workers.

    channel: to its supervisor, which is told when this worker is ready. Its end means that the supervisor has gone.
    """

    place: Place
    channel: socket.socket
    counts: ConnectionCounts


def run_server(settings: Settings, listener: socket.socket, membership: Membership | None = None) -> None:
    """Serve until a signal ends the process, or its supervisor has gone.

    Raises:
        Exception: whatever kept the application from starting.
    """
    # What a client sends wrongly is answered, not logged: anybody could fill the disk.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    _allow_open_files()
    served = application(settings, membership.place if membership else None)
    watched = _Watched(served)
    config = uvicorn.Config(
        watched,
        http=BoundedConnection,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # Who a forwarding header may be believed from is a setting of our own.
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
    )
    announce = _announce_dev if settings.mode == "dev" else _announce
    server = (
        _Worker(config, served.stop_streams, membership)
        if membership
        else _Server(config, lambda: announce(settings), served.stop_streams)
    )
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        return
    except SystemExit:
        if watched.failure is None:
            raise
        _tell_metrics_port(watched.failure, settings)
        raise watched.failure from None


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, announce: Callable[[], None], stop_streams: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__(config)
        self._announce = announce
        self._stop_streams = stop_streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._stop_streams()
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self._open(sockets or [])
        _spare_the_collector()
        self._announce()

    async def _open(self, sockets: list[socket.socket]) -> None:
        """Start the application, and to accept connections."""
        await super().startup(sockets)


class _CountedConnection(BoundedConnection):
    has_ended: Callable[[], None]

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.has_ended()


class _Worker(_Server):
    """One of several. Its supervisor answers the keyboard, which reaches every process of a terminal."""

    def __init__(
        self, config: uvicorn.Config, stop_streams: Callable[[], Awaitable[None]], membership: Membership
    ) -> None:
        super().__init__(config, self._report, stop_streams)
        self._membership = membership
        self._channel = membership.channel
        self._acceptors: list[SharedAcceptor] = []

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig != signal.SIGINT:
            super().handle_exit(sig, frame)

    async def _open(self, sockets: list[socket.socket]) -> None:
        await super()._open([])
        self._acceptors = [
            SharedAcceptor(
                each,
                self._new_connection,
                self.server_state.connections,
                self._membership.counts,
                self._membership.place.number,
            )
            for each in sockets
        ]

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for each in self._acceptors:
            each.close()
        self._acceptors = []
        await super().shutdown(sockets)

    def _new_connection(self) -> asyncio.Protocol:
        connection = _CountedConnection(self.config, self.server_state, self.lifespan.state)
        connection.has_ended = self._count
        return connection

    def _count(self) -> None:
        for each in self._acceptors:
            each.tell()

    def _report(self) -> None:
        asyncio.get_running_loop().add_reader(self._channel, self._leave_with_the_supervisor)
        # Where nobody is left to be told, the reader sees the same.
        with suppress(BrokenPipeError):
            self._channel.send(b"r")

    def _leave_with_the_supervisor(self) -> None:
        asyncio.get_running_loop().remove_reader(self._channel)
        self.should_exit = True


class _Watched:
    """Keeps the exception of a start that fails, which uvicorn would print with a traceback."""

    def __init__(self, app: Asgi) -> None:
        self._app = app
        self.failure: Exception | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            self.failure = error
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
            await send({"type": "lifespan.startup.failed", "message": ""})


def _allow_open_files() -> None:
    """Use what the system lets us have: the usual start, 1024, is a handful of idle connections away from refusing
    everybody."""
    if sys.platform != "win32":
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN_FILES)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _spare_the_collector() -> None:
    """Take what was loaded at the start out of the garbage collector's rounds, and let it come around less often.

    A request leaves hardly any cycles behind; walking the same modules and key tables every 700 allocations cost 7 % of
    a refresh.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _tell_metrics_port(failure: Exception, settings: Settings) -> None:
    if isinstance(failure, OSError) and failure.errno == errno.EADDRINUSE:
        fail("metrics_port_taken", say("start.metrics_port_taken", port=settings.metrics_port), as_json=False)


def _announce(settings: Settings) -> None:
    log.info("serving", url=settings.public_url, host=settings.host, port=settings.port, version=__version__)


def _announce_dev(settings: Settings) -> None:
    """Say where everything is. Printed once the port answers."""
    base = settings.public_url
    secret = settings.origin_of("secret")
    state = settings.database_path.parent
    lines = [
        ("dev.url", base),
        *([] if base == f"http://localhost:{settings.port}" else [("dev.listening", _where(settings))]),
        ("dev.api", f"{base}/api/v1"),
        ("dev.mailbox", f"{base}/dev/mail"),
        ("dev.health", f"{base}/healthz"),
        ("dev.openapi", f"{base}/openapi.json"),
        *([] if settings.metrics_port is None else [("dev.metrics", f"http://127.0.0.1:{settings.metrics_port}/")]),
        ("dev.database", str(settings.database_path)),
        (
            "dev.secret",
            str(state / "secret") if secret.endswith("/secret") else say("dev.secret_given", origin=secret),
        ),
    ]
    facts = "\n".join(f"  {padded(say(key), 12)}  {value}" for key, value in lines)
    curl = (
        f"  curl {base}/api/v1/auth/signup/send-code -H 'Content-Type: application/json' \\\n"
        '    -d \'{"email": "you@example.com", "password": "correct horse battery", "client_id": "web"}\''
    )
    text = [say("dev.running", version=__version__), "", facts, "", say("dev.next"), curl, "", say("dev.stop")]
    try:
        print("\n".join(text), flush=True)
    except BrokenPipeError:
        # Whoever read it has gone (`sekisho dev | head`); the server stays, and nothing is left to be flushed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _where(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{host}:{settings.port}"

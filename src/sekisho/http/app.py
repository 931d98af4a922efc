"""The ASGI application: route, answer, refuse; one place for each of the three.

It runs under uvicorn and mounts inside other ASGI applications.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, MutableMapping
from contextlib import aclosing
from itertools import chain
from time import perf_counter
from typing import Any

import structlog
from starlette.routing import Route as StarletteRoute
from starlette.routing import Router

from sekisho.errors import MethodNotAllowed, NotFound, Refusal, ServiceUnavailable, ValidationError
from sekisho.http.answer import Answer
from sekisho.http.body import ClientGone
from sekisho.http.call import Call
from sekisho.http.edge import Edge, Pages
from sekisho.http.headers import preflight_headers, whole_headers
from sekisho.http.oauth import oauth_error_answer, oauth_refusal_answer
from sekisho.http.one_write import HOLDING, ONE_WRITE, Holding
from sekisho.http.openapi import openapi_route
from sekisho.http.refusal_log import RefusalLog
from sekisho.http.refusals import internal_error_answer, refusal_answer
from sekisho.http.routes import DEV_ROUTES, NO_ROUTE, ROUTES, Route
from sekisho.ports.storage import StoreUnavailable

log = structlog.get_logger("sekisho.http")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_HEADERS = 100
MAX_HEADER_BYTES = 32 * 1024


class Application:
    """Serve `edge`. Keeps no state of its own; the edge's owner starts and stops what is behind it."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._refusal_log = RefusalLog()
        pages = edge.pages.routes if edge.pages else ()
        routes = (*ROUTES, openapi_route(ROUTES), *(DEV_ROUTES if edge.mailbox else ()), *pages)
        self._oauth_paths = frozenset(route.path for route in routes if route.is_oauth)
        by_path: dict[str, dict[str, Route]] = {}
        for route in routes:
            by_path.setdefault(route.path, {})[route.method] = route
        # A path without parameters is found in a dictionary; Starlette's router has the others, and mounting.
        self._fixed = {path: methods for path, methods in by_path.items() if "{" not in path}
        self._router = Router(
            [StarletteRoute(path, _PathApp(self, path, methods)) for path, methods in by_path.items()],
            redirect_slashes=False,
            default=_PathApp(self, NO_ROUTE, {}),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            methods = None if scope.get("root_path") else self._fixed.get(scope["path"])
            if methods is None:
                await self._router(scope, receive, send)
            else:
                await self.serve(scope["path"], methods, scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})

    async def stop_streams(self) -> None:
        """Let open streams end, and open no new ones."""
        await self._edge.guards.feed.close()

    async def serve(self, path: str, methods: Mapping[str, Route], scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request for a path of the table; every answer, also of a mistake, leaves from here."""
        started = perf_counter()
        call = Call(scope, receive, self._edge)
        origin = call.headers.get(b"origin")
        origin_text = None if origin is None else origin.decode("latin-1")
        method: str = scope["method"]
        if method == "OPTIONS" and origin_text is not None and b"access-control-request-method" in call.headers:
            headers = preflight_headers(self._edge.settings, origin_text, self._edge.csrf.header_name)
            await _send(scope, send, 204, headers, b"")
            return
        try:
            answer = await self._answer(call, path, methods)
        except ClientGone:
            return
        headers = whole_headers(answer, self._edge.settings, origin_text)
        if answer.stream is not None and method != "HEAD":
            await _stream(receive, send, answer.status, headers, answer.stream)
        else:
            await _send(scope, send, answer.status, headers, b"" if method == "HEAD" else answer.body)
        known = method if method in methods else "(other)"
        self._edge.metrics.answered(path, known, answer.status, perf_counter() - started)

    async def _answer(self, call: Call, path: str, methods: Mapping[str, Route]) -> Answer:
        try:
            answer = await _endpoint(call, methods)(call)
            if answer.refusal is not None:
                self._note(answer.refusal, path, call)
            return answer
        except Refusal as refusal:
            return self._refused(call, path, refusal)
        except StoreUnavailable as error:
            return self._refused(call, path, ServiceUnavailable(detail=str(error), retry_after=1))
        except ClientGone:
            raise
        except Exception:
            incident = secrets.token_hex(8)
            log.exception("internal_server_error", incident=incident, route=path)
            if path in self._oauth_paths:
                return oauth_error_answer(incident)
            pages = self._pages_for(call, path)
            return pages.broken(incident, call) if pages else internal_error_answer(incident, call)

    def _refused(self, call: Call, path: str, refusal: Refusal) -> Answer:
        self._note(refusal, path, call)
        if path in self._oauth_paths:
            return oauth_refusal_answer(refusal, call)
        pages = self._pages_for(call, path)
        return pages.refused(refusal, call) if pages else refusal_answer(refusal, call)

    def _note(self, refusal: Refusal, path: str, call: Call) -> None:
        self._edge.metrics.refused(refusal.code)
        self._refusal_log.note(refusal, path, call.origin.ip)

    def _pages_for(self, call: Call, path: str) -> Pages | None:
        pages = self._edge.pages
        return pages if pages is not None and pages.speaks(path, call) else None


class _PathApp:
    """One path of the table, as the ASGI application that Starlette's router calls."""

    def __init__(self, application: Application, path: str, methods: Mapping[str, Route]) -> None:
        self._application = application
        self._path = path
        self._methods = methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._application.serve(self._path, self._methods, scope, receive, send)


def _endpoint(call: Call, methods: Mapping[str, Route]) -> Callable[[Call], Awaitable[Answer]]:
    _bound_headers(call)
    if not methods:
        raise NotFound(detail="no such path")
    method: str = call.scope["method"]
    route = methods.get("GET" if method == "HEAD" else method)
    if route is None:
        raise MethodNotAllowed(details={"allow": ", ".join(_allowed(methods))}, detail=method[:20])
    return route.endpoint


async def _stream(
    receive: Receive, send: Send, status: int, headers: list[tuple[bytes, bytes]], pieces: AsyncIterator[bytes]
) -> None:
    """Send pieces as they come, until there are no more or the client hangs up."""
    await send({"type": "http.response.start", "status": status, "headers": headers})

    async def send_all() -> None:
        async with aclosing(pieces):  # type: ignore[type-var]
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def hung_up() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    tasks = [asyncio.create_task(send_all()), asyncio.create_task(hung_up())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _allowed(methods: Iterable[str]) -> list[str]:
    return sorted({*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS"})


def _bound_headers(call: Call) -> None:
    headers = call.scope["headers"]
    if len(headers) > MAX_HEADERS or sum(map(len, chain.from_iterable(headers))) > MAX_HEADER_BYTES:
        raise ValidationError(details={"headers": "too_many"}, detail="headers")


async def _send(scope: Scope, send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    """Send a whole answer, in one write where the server can."""
    start = {"type": "http.response.start", "status": status, "headers": headers}
    offered = (scope.get("extensions") or {}).get(ONE_WRITE)
    if offered is None:
        await send(start)
        await send({"type": "http.response.body", "body": body})
        return
    holding: Holding = offered[HOLDING]
    holding.hold()
    try:
        await send(start)
        await send({"type": "http.response.body", "body": body})
    finally:
        holding.release()

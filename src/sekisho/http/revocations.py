"""The feed of revocations over HTTP: as pages, and as a stream of server-sent events. Both say the same pages.

A guard reads pages from 0 until there are no more (the snapshot), then the stream from there. Each event is the page
that follows the one before; one without entries is a sign of life.

Spec: the HTML standard, section 9.2 (server-sent events); RFC 9110 section 13.1.2 (If-None-Match).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import parse_qsl

from sekisho.errors import ServiceUnavailable, ValidationError
from sekisho.http.answer import JSON, Answer
from sekisho.http.call import Call
from sekisho.http.guards import require_guard
from sekisho.model import GuardKey
from sekisho.rfc.jwt import MAX_SAFE_INTEGER

HEARTBEAT_S = 5.0
MOST_STREAMS = 500
EVENTS = b"text/event-stream; charset=utf-8"
# Proxies must neither keep nor hold back what is meant to arrive at once.
UNHELD = ((b"cache-control", b"no-store"), (b"x-accel-buffering", b"no"))


async def revocations_endpoint(call: Call) -> Answer:
    await require_guard(call)
    page = await call.edge.guards.feed.page(_number(_query(call).get("after", "0")))
    tag = f'"{page.generation}.{page.after}.{page.next}"'.encode()
    headers = ((b"etag", tag), (b"cache-control", b"private, no-cache"))
    if call.headers.get(b"if-none-match") == tag:
        return Answer(304, b"", JSON, headers)
    return Answer(200, page.body, JSON, headers)


async def revocation_stream_endpoint(call: Call) -> Answer:
    key = await require_guard(call)
    guards = call.edge.guards
    last_id = call.header(b"last-event-id")
    generation, after = _position(last_id) if last_id else ("", _number(_query(call).get("after", "0")))
    if guards.streams >= MOST_STREAMS or guards.feed.is_closing:
        raise ServiceUnavailable(detail="too many streams, or stopping", retry_after=1)
    if generation and generation != guards.feed.generation:
        after = 0
    return Answer(200, b"", EVENTS, UNHELD, stream=_events(call, key, after))


async def _events(call: Call, key: GuardKey, after: int) -> AsyncIterator[bytes]:
    guards = call.edge.guards
    feed, generation = guards.feed, guards.feed.generation
    guards.streams += 1
    try:
        # Opens the way through proxies, and tells where the stream begins.
        yield b"retry: 1000\n\n"
        while not feed.is_closing and feed.generation == generation and await guards.keys.is_there(key):
            page = await feed.page(after)
            after = page.next
            yield b"id: %b:%d\ndata: %b\n\n" % (page.generation.encode(), page.next, page.body)
            if not page.more:
                await feed.wait(generation, after, HEARTBEAT_S)
    finally:
        guards.streams -= 1


def _query(call: Call) -> dict[str, str]:
    return dict(parse_qsl(call.scope["query_string"][:1024].decode("latin-1")))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 16 and int(text) <= MAX_SAFE_INTEGER):
        raise ValidationError(details={"after": "wrong_type"}, detail="after is no number")
    return int(text)


def _position(event_id: str) -> tuple[str, int]:
    generation, _, number = event_id.rpartition(":")
    return generation[:64], _number(number)

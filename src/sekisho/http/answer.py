"""What an endpoint returns: a status, a body, headers. Nothing is sent before it is whole."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
from msgspec import Struct

from sekisho.errors import Refusal

HeaderList = tuple[tuple[bytes, bytes], ...]

JSON = b"application/json; charset=utf-8"


class Answer(Struct, frozen=True):
    """headers: beside content type, length and the edge's own. refusal: what a page of its own says was refused,
    for the log and the metrics; a refusal that is raised needs none. stream: what is sent after the headers, piece by
    piece, instead of `body`."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: HeaderList = ()
    refusal: Refusal | None = None
    stream: AsyncIterator[bytes] | None = None


_encoder = msgspec.json.Encoder()


def json_answer(body: object, status: int = 200, headers: HeaderList = ()) -> Answer:
    """Return `body`, a Struct or plain containers, as UTF-8 JSON."""
    return Answer(status, _encoder.encode(body), JSON, headers)

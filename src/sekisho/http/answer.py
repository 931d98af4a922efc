"""What an endpoint returns: a status, a body, headers. Nothing is sent before it is whole."""

from __future__ import annotations

import msgspec
from msgspec import Struct

HeaderList = tuple[tuple[bytes, bytes], ...]

JSON = b"application/json; charset=utf-8"


class Answer(Struct, frozen=True):
    """headers: beside content type, length and the edge's own."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: HeaderList = ()


_encoder = msgspec.json.Encoder()


def json_answer(body: object, status: int = 200, headers: HeaderList = ()) -> Answer:
    """Return `body`, a Struct or plain containers, as UTF-8 JSON."""
    return Answer(status, _encoder.encode(body), JSON, headers)

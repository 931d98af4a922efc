"""JSON from strangers: typed by msgspec, and no name twice in an object.

msgspec, like most parsers, lets the last of two equal names win. A reader that lets the first win
would see other claims in the same signed bytes, so repeated names are refused at every depth.

Spec: RFC 7519 section 4 and RFC 7515 section 5.2 (duplicate names), RFC 8259 section 4.
"""

from __future__ import annotations

from json import JSONDecoder
from typing import TypeVar

from msgspec import json

T = TypeVar("T")

_ANYTHING, _ENCODER = json.Decoder(), json.Encoder()


class JsonError(ValueError):
    """Not JSON of the wanted shape. Never quotes it."""


def read(data: bytes, decoder: json.Decoder[T]) -> T:
    """Return the value. `data` is untrusted and already bounded by the caller.

    Raises:
        JsonError: not UTF-8 JSON, nested too deeply, a wrong type, a missing field, or a name given twice.
    """
    try:
        value = decoder.decode(data)
        # What is its own only rendering has each name once, and this is cheaper to see than to look for each.
        if _ENCODER.encode(_ANYTHING.decode(data)) != data:
            _WITHOUT_DUPLICATES.decode(data.decode("utf-8"))
    except _Duplicate:
        raise JsonError("a name is given twice") from None
    except (ValueError, RecursionError):
        raise JsonError("not JSON of the wanted shape") from None
    return value


class _Duplicate(ValueError):
    pass


def _distinct(pairs: list[tuple[str, object]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise _Duplicate


_WITHOUT_DUPLICATES = JSONDecoder(object_pairs_hook=_distinct)

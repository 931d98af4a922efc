"""JSON from strangers: the short way past names that stand once lets nothing through that the long way refuses."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sekisho.rfc import strict_json

ANYTHING: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
NAMES = st.sampled_from(["a", "b", "", "\u00e9", '"', "\\"])
LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=3)


def rendered(names_and_values: list[tuple[str, bytes]]) -> bytes:
    return b"{" + b",".join(msgspec.json.encode(name) + b":" + value for name, value in names_and_values) + b"}"


# Rendered by hand, so that a name may stand twice.
DOCUMENTS = st.recursive(
    LEAVES.map(msgspec.json.encode),
    lambda inner: (
        st.lists(st.tuples(NAMES, inner), max_size=4).map(rendered)
        | st.lists(inner, max_size=3).map(lambda values: b"[" + b",".join(values) + b"]")
    ),
    max_leaves=8,
)


def has_a_name_twice(data: bytes) -> bool:
    found: list[bool] = []
    json.loads(data, object_pairs_hook=lambda pairs: found.append(len(dict(pairs)) != len(pairs)))
    return any(found)


@given(DOCUMENTS)
def test_a_name_that_is_given_twice_is_refused_at_any_depth_and_nothing_else_is(data: bytes) -> None:
    if has_a_name_twice(data):
        with pytest.raises(strict_json.JsonError, match="twice"):
            strict_json.read(data, ANYTHING)
    else:
        assert strict_json.read(data, ANYTHING) == json.loads(data)


@given(DOCUMENTS, st.integers(0, 60), st.binary(min_size=1, max_size=3))
@example(b'{"a":"xyz"}', 6, b"\xed\xa0\x80")
@example(b'{"a":"xyz"}', 6, b"\xff")
def test_damaged_bytes_are_refused_or_are_utf_8_with_each_name_once(data: bytes, at: int, put: bytes) -> None:
    damaged = data[:at] + put + data[at + len(put) :]
    try:
        strict_json.read(damaged, ANYTHING)
    except strict_json.JsonError:
        return
    damaged.decode("utf-8")
    assert not has_a_name_twice(damaged)

"""base64url: one spelling for any bytes. RFC 4648 sections 5 and 10."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.rfc.base64url import Base64UrlError, decode, encode


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"", ""), (b"f", "Zg"), (b"fo", "Zm8"), (b"foo", "Zm9v"), (b"foob", "Zm9vYg"), (b"\xfb\xff", "-_8")],
)
def test_published_vectors_without_padding(data: bytes, text: str) -> None:
    assert encode(data) == text
    assert decode(text, 10) == data


@given(st.binary(max_size=200))
def test_what_is_encoded_decodes_to_itself(data: bytes) -> None:
    assert decode(encode(data), len(data)) == data


@given(st.text(alphabet="ABab01-_+/= \n", max_size=12) | st.text(max_size=12))
def test_whatever_decodes_is_the_one_spelling(text: str) -> None:
    try:
        data = decode(text, 100)
    except Base64UrlError:
        return
    assert encode(data) == text


@pytest.mark.parametrize("text", ["Zg==", "Zh", "Z", "+/8", "Zm 8", "Zm8\n", "Zｇ", "Zm9vY", "=", "Zg="])
def test_every_other_spelling_is_refused(text: str) -> None:
    with pytest.raises(Base64UrlError):
        decode(text, 100)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 16, 31])
def test_the_bound_is_exact(size: int) -> None:
    assert decode(encode(b"x" * size), size) == b"x" * size
    with pytest.raises(Base64UrlError, match="too long"):
        decode(encode(b"x" * (size + 1)), size)

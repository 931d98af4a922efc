"""base64url without padding, in its canonical form only.

Spec: RFC 4648 section 5 and 3.5; RFC 7515 section 2.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64

_TO_URL = bytes.maketrans(b"+/", b"-_")
# What only other spellings have becomes a byte that is in no alphabet, and is refused as such.
_FROM_URL = bytes.maketrans(b"-_+/=", b"+/\0\0\0")


class Base64UrlError(ValueError):
    """Not the canonical spelling of any bytes, or too long."""


def encode(data: bytes) -> str:
    """Return the one spelling that `decode` takes."""
    return b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=").decode("ascii")


def decode(text: str, max_bytes: int) -> bytes:
    """Return the bytes that `text` spells, at most `max_bytes` of them.

    A second spelling of the same bytes (padding, other alphabet, line breaks, unused bits that are
    not zero) is refused: otherwise one token would have many forms, and whoever compares, caches
    or counts forms could be walked around.

    Args:
        text: untrusted. Its length is checked before anything is decoded.

    Raises:
        Base64UrlError: too long, or not canonical. Never quotes the text.
    """
    if len(text) > (max_bytes * 4 + 2) // 3:
        raise Base64UrlError("too long")
    try:
        data = a2b_base64(text.encode("ascii").translate(_FROM_URL) + b"=" * (-len(text) % 4), strict_mode=True)
    except ValueError:
        raise Base64UrlError("not base64url") from None
    # Only the last characters can have bits that are not used.
    if (rest := len(data) % 3) and encode(data[-rest:]) != text[-(rest + 1) :]:
        raise Base64UrlError("not canonical")
    return data

"""Where a person goes after a page: a path of ours, or a page of an allowed origin; nothing else, ever.

What is not understood to the last character is not followed: browsers read `\\`, `//`, tabs and `@` in ways of their
own.

Spec: OWASP ASVS 5.0 row 3.7.2; CWE-601. WHATWG URL, section 4.4 (what browsers make of an address).
"""

from __future__ import annotations

import re

from msgspec import Struct

from sekisho.http.csrf_values import is_allowed_origin
from sekisho.http.edge import EdgeSettings

LIMIT = 2000

# Printable ASCII without `\`, quotes and brackets. No `//` and no dot segment, plain or escaped, in the path.
_ADDRESS = re.compile(r"(https?://[a-z0-9.:\[\]-]+)?((?:/[!-~]*)?)")
_ODD = re.compile(r"""[\\"'<>`{}|^]""")
_ODD_PATH = re.compile(r"//|/(?:\.|%2e){1,2}(?:/|$)|%(?:2f|5c|0[0-9a-f]|1[0-9a-f])", re.IGNORECASE)


class ReturnAddress(Struct, frozen=True):
    """address: what a redirect may say. origin: another origin than ours, or ""."""

    address: str
    origin: str


def parse_return(text: str | None, settings: EdgeSettings) -> ReturnAddress | None:
    """Return where `text` (untrusted) leads, or None if it may not be followed."""
    if not text or len(text) > LIMIT or _ODD.search(text):
        return None
    found = _ADDRESS.fullmatch(text)
    if found is None or _ODD_PATH.search(re.split(r"[?#]", found[2])[0]):
        return None
    origin: str | None = found[1]
    if origin is None or origin == settings.public_origin:
        return ReturnAddress(found[2] or "/", "")
    is_allowed = is_allowed_origin(
        origin,
        public_origin=settings.public_origin,
        allowed=settings.allowed_origins,
        any_localhost=settings.any_localhost,
    )
    return ReturnAddress(text, origin) if is_allowed else None

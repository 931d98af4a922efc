"""Client hints: what a browser says of itself beside its user agent, as far as everybody is told it unasked.

Low entropy only: brand, platform, and whether it is a mobile; nothing is asked for (no `Accept-CH`), and no version
is kept. A claim like the user agent, and read as one.

Spec: W3C User-Agent Client Hints section 3; RFC 9651 (structured fields).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from sekisho.devices import BRANDS, PLATFORMS

_MOST_BYTES = 256
_BRAND = re.compile(r'"([A-Za-z0-9 .]{1,32})"\s*;\s*v="')
_PLATFORM = re.compile(r'\s*"([A-Za-z0-9 ]{1,32})"\s*')


def client_hints(headers: Mapping[bytes, bytes]) -> str:
    """Return `brand|platform|mobile` in words of closed lists, each "" where nothing good is said; "" for no hint."""
    brands = headers.get(b"sec-ch-ua")
    if brands is None:
        return ""
    platform, mobile = headers.get(b"sec-ch-ua-platform", b""), headers.get(b"sec-ch-ua-mobile", b"")
    return _read(brands[:_MOST_BYTES], platform[:_MOST_BYTES], mobile[:8])


@lru_cache(maxsize=512)
def _read(brands: bytes, platform: bytes, mobile: bytes) -> str:
    named = (each for each in _BRAND.findall(brands.decode("latin-1")) if each in BRANDS)
    found = _PLATFORM.fullmatch(platform.decode("latin-1"))
    system = found[1] if found and found[1] in PLATFORMS else ""
    is_mobile = mobile.strip().decode("latin-1")
    hints = (next(named, ""), system, is_mobile if is_mobile in ("?0", "?1") else "")
    return "|".join(hints) if any(hints) else ""

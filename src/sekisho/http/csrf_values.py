"""CSRF: an unsafe request that a browser's cookies would authorise must prove that our page sent it.

Two checks, both always: a good `Origin` (or `Sec-Fetch-Site`), and a value in a header that equals the
readable cookie and is bound by a MAC to the session, or before sign-in to a random pre-session.
So a value cannot be planted from a sibling host, and it changes at sign-in.

Spec: OWASP ASVS 5.0 rows 3.5.1 and 3.5.2; NIST SP 800-63B-4 section 5.1 (N-21).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable

from sekisho.master_secret import MasterSecret
from sekisho.rfc import base64url

PURPOSE = "csrf"
NONCE_BYTES = 16
VALUE_LENGTH = 64  # 16 + 32 bytes in base64url
LOCALHOSTS = ("http://localhost", "http://127.0.0.1", "http://[::1]", "https://localhost", "https://127.0.0.1")


class Csrf:
    """Makes and checks the values. `cookie_name` and `header_name` are settings (Django's by default)."""

    def __init__(
        self, master: MasterSecret, *, cookie_name: str = "csrftoken", header_name: str = "X-CSRFToken"
    ) -> None:
        self._master = master
        self.cookie_name = cookie_name
        self.header_name = header_name
        self.header_key = header_name.lower().encode()

    def new_value(self, binding: str) -> str:
        """Return a fresh value bound to `binding`: a session id, or a pre-session's random id."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return base64url.encode(nonce + self._mac(binding, nonce))

    def is_bound(self, value: str, bindings: Iterable[str]) -> bool:
        """Whether `value` (untrusted) was made here for one of `bindings`."""
        if len(value) != VALUE_LENGTH:
            return False
        try:
            raw = base64url.decode(value, NONCE_BYTES + 32)
        except ValueError:
            return False
        nonce, mac = raw[:NONCE_BYTES], raw[NONCE_BYTES:]
        return any([hmac.compare_digest(mac, self._mac(binding, nonce)) for binding in bindings])

    def _mac(self, binding: str, nonce: bytes) -> bytes:
        return self._master.tag(PURPOSE, binding, nonce)


def is_good_source(
    origin: str | None, fetch_site: str | None, *, public_origin: str, allowed: frozenset[str], any_localhost: bool
) -> bool:
    """Whether a request comes from a page of ours: by `Origin`, or without one by `Sec-Fetch-Site`."""
    if origin is not None:
        return is_allowed_origin(origin, public_origin=public_origin, allowed=allowed, any_localhost=any_localhost)
    return fetch_site == "same-origin"


def is_allowed_origin(origin: str, *, public_origin: str, allowed: frozenset[str], any_localhost: bool) -> bool:
    """Whether `origin` is exactly one of ours; `null` never is. With `any_localhost` also localhost at any port."""
    if origin == public_origin or origin in allowed:
        return True
    if not any_localhost:
        return False
    for host in LOCALHOSTS:
        rest = origin.removeprefix(host)
        if rest != origin and (rest == "" or (rest.startswith(":") and rest[1:].isdigit())):
            return True
    return False

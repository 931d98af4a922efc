"""Headers that every answer carries, and CORS.

Spec: OWASP ASVS 5.0 section V3.4; the Fetch standard (CORS protocol).
"""

from __future__ import annotations

from sekisho.http.answer import Answer, HeaderList
from sekisho.http.csrf_values import is_allowed_origin
from sekisho.http.edge import EdgeSettings

ALWAYS: HeaderList = (
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
NO_STORE = (b"cache-control", b"no-store")
API_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox")
DEFAULTS: HeaderList = (NO_STORE, API_POLICY, (b"referrer-policy", b"no-referrer"))
VARY = (b"vary", b"Origin")
HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")

EXPOSED = b"Date, Retry-After, WWW-Authenticate"
ALLOWED_METHODS = b"GET, POST, PUT, DELETE"
PREFLIGHT_MAX_AGE_S = b"600"


def whole_headers(answer: Answer, settings: EdgeSettings, origin: str | None) -> list[tuple[bytes, bytes]]:
    """Return all headers of an answer: its own, then ours where it has none of that name."""
    headers = [
        (b"content-type", answer.content_type),
        *ALWAYS,
    ]
    if answer.stream is None:
        headers.append((b"content-length", b"%d" % len(answer.body)))
    if answer.headers:
        own = {name for name, _ in answer.headers}
        headers += answer.headers
        headers += [default for default in DEFAULTS if default[0] not in own]
    else:
        headers += DEFAULTS
    if settings.secure:
        headers.append(HSTS)
    headers += cors_headers(settings, origin)
    return headers


def cors_headers(settings: EdgeSettings, origin: str | None) -> list[tuple[bytes, bytes]]:
    """Return the CORS headers for a page of `origin`: none for one that is not allowed."""
    if origin is None or not _is_allowed(origin, settings):
        return [VARY]
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", EXPOSED),
        VARY,
    ]


def preflight_headers(settings: EdgeSettings, origin: str, csrf_header: str) -> list[tuple[bytes, bytes]]:
    """Return the headers of a preflight's answer; for an origin that is not allowed they allow nothing."""
    headers = [*cors_headers(settings, origin), *ALWAYS, (b"content-length", b"0")]
    if _is_allowed(origin, settings):
        allowed = f"Authorization, Content-Type, Accept-Language, {csrf_header}, X-Sekisho-Session"
        headers += [
            (b"access-control-allow-methods", ALLOWED_METHODS),
            (b"access-control-allow-headers", allowed.encode()),
            (b"access-control-max-age", PREFLIGHT_MAX_AGE_S),
        ]
    return headers


def _is_allowed(origin: str, settings: EdgeSettings) -> bool:
    return is_allowed_origin(
        origin,
        public_origin=settings.public_origin,
        allowed=settings.allowed_origins,
        any_localhost=settings.any_localhost,
    )

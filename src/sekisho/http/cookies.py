"""The cookies: their names, and how each is written.

`__Host-` binds a cookie to this very host over https; on plain http (development on localhost) browsers
would drop such a cookie, so it goes without the prefix there.

Spec: RFC 6265bis section 4.1.3.2 (`__Host-`); OWASP ASVS 5.0 rows 3.3.1 to 3.3.5.
"""

from __future__ import annotations

REFRESH = "sekisho-rt-"
SESSION = "sekisho-s-"
PRE_SESSION = "sekisho-pre"
DEVICE = "sekisho-device"
TRUST = "sekisho-td-"
PAGE = "sekisho-page-"
YEAR_S = 365 * 86400


def refresh_cookie_name(app: str, *, secure: bool) -> str:
    return f"{_prefix(secure)}{REFRESH}{app}"


def session_cookie_name(app: str, *, secure: bool) -> str:
    return f"{_prefix(secure)}{SESSION}{app}"


def trust_cookie_name(app: str, *, secure: bool) -> str:
    return f"{_prefix(secure)}{TRUST}{app}"


def pre_session_cookie_name(*, secure: bool) -> str:
    return f"{_prefix(secure)}{PRE_SESSION}"


def page_cookie_name(purpose: str, *, secure: bool) -> str:
    """Return the name of a cookie of the pages, which holds what one page tells the next."""
    return f"{_prefix(secure)}{PAGE}{purpose}"


def apps_with(kind: str, cookies: dict[str, str], *, secure: bool) -> dict[str, str]:
    """Return app to value for every cookie of `kind` (`REFRESH` or `SESSION`)."""
    start = _prefix(secure) + kind
    return {name.removeprefix(start): value for name, value in cookies.items() if name.startswith(start) and value}


def device_cookie_name(*, secure: bool) -> str:
    return f"{_prefix(secure)}{DEVICE}"


def write(name: str, value: str, *, secure: bool, max_age_s: int, http_only: bool = True) -> tuple[bytes, bytes]:
    """Return a Set-Cookie header. `max_age_s` 0 deletes the cookie."""
    flags = f"; Max-Age={max_age_s}; Path=/; SameSite=Lax"
    if http_only:
        flags += "; HttpOnly"
    if secure:
        flags += "; Secure"
    return (b"set-cookie", f"{name}={value}{flags}".encode("latin-1"))


def write_device(token: str, *, secure: bool) -> tuple[bytes, bytes]:
    """The long-lived mark by which a device that signed in before is known again; it proves nothing else."""
    return write(device_cookie_name(secure=secure), token, secure=secure, max_age_s=YEAR_S)


def _prefix(secure: bool) -> str:
    return "__Host-" if secure else ""

"""Session cookies, for an API that shares its host with the server (behind one proxy).

    cookie -> asked a moment ago, and not revoked since? -> else ask the server -> unsafe method: the CSRF value too

The server is asked about a cookie at most every 30 seconds while the feed is in step, which tells of its end at once;
without a feed every second.

Spec: the server's own rules for cookies (docs/flows/csrf.md).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from importlib import import_module
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from msgspec import Struct, json

from sekisho.errors import CsrfFailed, ServiceUnavailable, SessionRevoked, Unauthorized
from sekisho.guard.flight import Flight, fly
from sekisho.guard.principal import Claims, Principal
from sekisho.guard.tokens import allowed_by
from sekisho.model import Discreet

if TYPE_CHECKING:
    from sekisho.guard.fetching import Server
    from sekisho.guard.verifier import Verifier

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
KEPT_WITH_FEED_S = 30.0
KEPT_S = 1.0
MOST_KEPT = 10_000
MOST_AT_ONCE = 64
MOST_COOKIE_CHARS = 8192
LONGEST_S = 6.0
MOST_WAITS = 3


class Seen(Protocol):
    """What is looked at of a request; those of all frameworks fit."""

    @property
    def method(self) -> str | None: ...

    @property
    def headers(self) -> Any: ...


class _User(Struct, frozen=True):
    id: str
    roles: tuple[str, ...] = ()


class _Session(Struct, frozen=True):
    id: str
    client_id: str
    amr: tuple[str, ...]
    acr: str
    auth_time: datetime


class _Current(Struct, frozen=True):
    user: _User
    session: _Session


class _Csrf(Discreet, frozen=True):
    csrf_token: str


class _Refused(Struct, frozen=True):
    error: str


_CURRENT, _CSRF, _REFUSED = json.Decoder(_Current), json.Decoder(_Csrf), json.Decoder(_Refused)
Answered = Principal | bool | str


class CookieSessions:
    """Knows callers by the session cookie of one app.

    Args:
        verifier: its server is asked, its feed listened to, its table of permissions used.
        app: the app part of `client_id`; it stands in the cookie's name.
        origin: of this host, as browsers say it: `https://app.example.com`. On plain http the cookie has no prefix.
        csrf_cookie, csrf_header: if the server's settings change them.

    Concurrency: any number of threads and event loops.
    """

    def __init__(
        self,
        verifier: Verifier,
        app: str,
        origin: str,
        *,
        csrf_cookie: str = "csrftoken",
        csrf_header: str = "X-CSRFToken",
    ) -> None:
        if not origin.startswith(("https://", "http://")) or origin.count("/") != 2:
            raise ValueError("origin is scheme and host, as https://app.example.com")
        self._verifier = verifier
        self._server: Server = verifier.server
        self._app = app
        self._origin = origin
        self._cookie = ("__Host-" if origin.startswith("https://") else "") + f"sekisho-s-{app}"
        self._csrf_cookie = csrf_cookie
        self._csrf_header = csrf_header
        self._lock = Lock()
        self._answers: dict[bytes, tuple[float, Answered]] = {}
        self._flights: dict[bytes, Flight] = {}

    def find(self, request: Seen) -> Principal | None:
        """Return who calls, or None without a session cookie.

        Raises:
            Unauthorized, SessionRevoked: the cookie is no good, or its session has ended.
            CsrfFailed: an unsafe method without the page's own value, or from a foreign page.
            ServiceUnavailable: the server does not answer.
        """
        for waited in range(MOST_WAITS + 1):
            found = self._look(request, may_wait=waited < MOST_WAITS)
            if not isinstance(found, Flight):
                return found
            found.wait()
        raise AssertionError("the last look never waits")

    async def find_async(self, request: Seen) -> Principal | None:
        """As `find`, without holding up the event loop."""
        for waited in range(MOST_WAITS + 1):
            found = self._look(request, may_wait=waited < MOST_WAITS)
            if not isinstance(found, Flight):
                return found
            await import_module("sekisho.guard.aio").wait(found)
        raise AssertionError("the last look never waits")

    def _look(self, request: Seen, *, may_wait: bool) -> Principal | Flight | None:
        cookies = _cookies(request.headers.get("Cookie") or "")
        session = cookies.get(self._cookie)
        if session is None:
            return None
        forwarded = request.headers.get("X-Forwarded-For") or ""
        found = self._answer(b"session", session, "", lambda: self._ask_session(session, forwarded), may_wait)
        if isinstance(found, Flight):
            return found
        if not isinstance(found, Principal):
            raise (SessionRevoked if found == SessionRevoked.code else Unauthorized)(detail="the server says so")
        if self._verifier.is_revoked(found):
            raise SessionRevoked(detail="in the feed")
        if request.method in SAFE_METHODS:
            return found
        is_bound = self._csrf(request, session, cookies.get(self._csrf_cookie, ""), forwarded, may_wait)
        if isinstance(is_bound, Flight):
            return is_bound
        if not is_bound:
            raise CsrfFailed(detail="csrf")
        return found

    def _csrf(self, request: Seen, session: str, held: str, forwarded: str, may_wait: bool) -> bool | Flight:
        origin = request.headers.get("Origin")
        if origin != self._origin and (origin is not None or request.headers.get("Sec-Fetch-Site") != "same-origin"):
            return False
        sent = request.headers.get(self._csrf_header) or ""
        if not held or not hmac.compare_digest(held.encode(), sent.encode()):
            return False
        # Equal is not enough: a page of a neighbouring host could have planted both. The server knows what is bound.
        found = self._answer(b"csrf", session, held, lambda: self._ask_csrf(session, held, forwarded), may_wait)
        return found if isinstance(found, Flight) else found is True

    def _answer(
        self, kind: bytes, session: str, held: str, ask: Callable[[], Answered], may_wait: bool
    ) -> Answered | Flight:
        key = sha256(b"\n".join((kind, session.encode(), held.encode()))).digest()
        if (known := self._known(key)) is not None:
            return known
        if not may_wait:
            raise ServiceUnavailable(detail="the server says nothing about the cookie", retry_after=1)
        with self._lock:
            # The answer may have come between the look above and the lock: it is not asked for again.
            if (known := self._known(key)) is not None:
                return known
            flight = self._flights.get(key)
            if flight is None:
                if len(self._flights) >= MOST_AT_ONCE:
                    raise ServiceUnavailable(detail="too many questions at once", retry_after=1)
                flight = self._flights[key] = fly(lambda: self._ask(key, ask), LONGEST_S, "cookie")
            return flight

    def _known(self, key: bytes) -> Answered | None:
        known = self._answers.get(key)
        kept_s = KEPT_WITH_FEED_S if self._verifier.hears else KEPT_S
        return known[1] if known is not None and monotonic() - known[0] < kept_s else None

    def _ask(self, key: bytes, ask: Callable[[], Answered]) -> None:
        try:
            answer: Answered | None = ask()
        except Exception:  # whatever it is: there is no answer, and who waits is told so
            answer = None
        with self._lock:
            self._flights.pop(key, None)
            self._answers.pop(key, None)
            if answer is not None:
                self._answers[key] = (monotonic(), answer)
                if len(self._answers) > MOST_KEPT:
                    del self._answers[next(iter(self._answers))]

    def _ask_session(self, session: str, forwarded: str) -> Answered:
        answer = self._server.ask(
            "GET",
            f"/api/v1/auth/session?client_id={quote(self._app)}",
            headers=_headers(f"{self._cookie}={session}", forwarded),
        )
        if answer.status == 401:
            return _REFUSED.decode(answer.body).error
        if answer.status != 200:
            raise ValueError(f"the server answered {answer.status}")
        current = _CURRENT.decode(answer.body)
        roles = frozenset(current.user.roles)
        return Principal(
            sub=current.user.id,
            client_id=current.session.client_id,
            session_id=current.session.id,
            roles=roles,
            permissions=allowed_by(roles, self._verifier.permissions),
            amr=current.session.amr,
            acr=current.session.acr,
            auth_time=int(current.session.auth_time.timestamp()),
            claims=Claims(json.decode(answer.body)),
        )

    def _ask_csrf(self, session: str, held: str, forwarded: str) -> Answered:
        cookies = f"{self._cookie}={session}; {self._csrf_cookie}={held}"
        answer = self._server.ask(
            "GET", f"/api/v1/auth/csrf?client_id={quote(self._app)}", headers=_headers(cookies, forwarded)
        )
        if answer.status != 200:
            raise ValueError(f"the server answered {answer.status}")
        # It says the very value that it was shown if that is good for this session, else a fresh one.
        return hmac.compare_digest(_CSRF.decode(answer.body).csrf_token.encode(), held.encode())


def _headers(cookies: str, forwarded: str) -> dict[str, str]:
    return {"Cookie": cookies, **({"X-Forwarded-For": forwarded} if forwarded else {})}


def _cookies(header: str) -> dict[str, str]:
    """Return name to value; the first of a repeated name, and nothing that could not stand in a header of ours."""
    found: dict[str, str] = {}
    for pair in header[:MOST_COOKIE_CHARS].split(";"):
        name, separator, value = pair.strip().partition("=")
        if separator and value.isascii() and value.isprintable():
            found.setdefault(name, value.strip('"'))
    return found

"""Who is asking: the session cookie of a request, looked up at the server.

    @signed_in
    def view(request): ... request.account   the account's id, which is never given to another one

What the server said is kept for one second, for 10,000 browsers at most. So a page that calls ten times asks once, and
a session that has ended is refused one second later at the latest. Unsafe methods need Sekisho's CSRF value.
"""

import functools
import hashlib
import json
import time
from dataclasses import dataclass
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare

KEPT_S = 1
TIMEOUT_S = 5
SAFE = ("GET", "HEAD", "OPTIONS")
CSRF_COOKIE, CSRF_HEADER = "csrftoken", "X-CSRFToken"
# Over https browsers keep a cookie of this prefix for this very host; on plain http they would drop it.
SESSION_COOKIE = ("" if settings.DEBUG else "__Host-") + f"sekisho-s-{settings.SEKISHO_APP}"


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict
    headers: dict[str, str]

    def relayed(self) -> HttpResponse:
        return JsonResponse(self.body, status=self.status, headers=self.headers)


def signed_in(view):
    """Call `view` for a signed-in person; answer 401, 403 or 409 in the server's words for everybody else."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        try:
            answer = ask("/api/v1/auth/session", request)
            if answer.status != 200:
                return answer.relayed()
            if request.method not in SAFE and not has_csrf_value(request):
                # The page's client fetches a fresh value and repeats once.
                return JsonResponse({"error": "csrf_failed"}, status=403)
        except OSError as away:
            message = f"The sign-in server cannot be reached ({away})."
            return JsonResponse({"error": "unavailable", "message": message}, status=503, headers={"Retry-After": "5"})
        request.account = answer.body["user"]["id"]
        response = view(request, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return guarded


def has_csrf_value(request: HttpRequest) -> bool:
    """A page of ours sent this: by its origin, and by a value that equals the cookie and is bound to the session."""
    origin = request.headers.get("Origin")
    if origin is None and request.headers.get("Sec-Fetch-Site") != "same-origin":
        return False
    if origin is not None and origin != f"{request.scheme}://{request.get_host()}":
        return False
    sent, held = request.headers.get(CSRF_HEADER, ""), request.COOKIES.get(CSRF_COOKIE, "")
    if not held or not constant_time_compare(sent, held):
        return False
    # The server answers with the very value of the cookie if that is good for this session, else with a new one.
    answer = ask("/api/v1/auth/csrf", request)
    return answer.status == 200 and constant_time_compare(answer.body["csrf_token"], sent)


def ask(path: str, request: HttpRequest) -> Answer:
    """Ask the server in this browser's name, or return what it said within the last second.

    Raises OSError if the server is away.
    """
    names = (SESSION_COOKIE, CSRF_COOKIE)
    cookies = "; ".join(f"{name}={request.COOKIES[name]}" for name in names if name in request.COOKIES)
    believed = request.headers.get("X-Sekisho-Session", "")
    key = hashlib.sha256("\n".join((path, cookies, believed)).encode()).hexdigest()
    kept = caches["sekisho"].get(key)
    asked_at = time.monotonic()
    if kept is not None and asked_at - kept[0] < KEPT_S:
        return kept[1]

    # The list of devices shows the person's address, not this server's (which SEKISHO_TRUSTED_PROXIES must name).
    seen_from = ", ".join(filter(None, (request.headers.get("X-Forwarded-For"), request.META["REMOTE_ADDR"])))
    headers = {"Cookie": cookies, "X-Forwarded-For": seen_from}
    if believed:
        headers["X-Sekisho-Session"] = believed
    if language := request.headers.get("Accept-Language"):
        headers["Accept-Language"] = language
    answer = sent(Request(f"{settings.SEKISHO_URL}{path}?client_id={settings.SEKISHO_APP}", headers=headers))
    caches["sekisho"].set(key, (asked_at, answer), KEPT_S)
    return answer


def sent(question: Request) -> Answer:
    try:
        with urlopen(question, timeout=TIMEOUT_S) as answer:
            return Answer(answer.status, json.load(answer), {})
    except HTTPError as refusal:
        with refusal:
            if refusal.code not in (401, 409):
                raise
            challenge = refusal.headers.get("WWW-Authenticate")
            return Answer(refusal.code, json.load(refusal), {"WWW-Authenticate": challenge} if challenge else {})

"""The one table from refusal to HTTP status, and the one place where a refusal becomes an answer."""

from __future__ import annotations

from sekisho import errors
from sekisho.catalogue import reason_with_hints, text
from sekisho.errors import CsrfFailed, Refusal, ValidationError
from sekisho.http.answer import Answer, HeaderList, json_answer
from sekisho.http.browser import csrf_value
from sekisho.http.call import Call
from sekisho.http.wire import ErrorView

STATUS: dict[type[Refusal], int] = {
    errors.ValidationError: 400,
    errors.Unauthorized: 401,
    errors.AccessTokenExpired: 401,
    errors.SessionRevoked: 401,
    errors.Forbidden: 403,
    errors.InvalidCredentials: 401,
    errors.InvalidCode: 400,
    errors.SessionNotFound: 400,
    errors.StepUpRequired: 401,
    errors.FactorUnusable: 409,
    errors.FactorLocked: 409,
    errors.FactorRequired: 409,
    errors.EmailAlreadyExists: 400,
    errors.ClientIdMismatch: 401,
    errors.RefreshTokenInvalid: 401,
    errors.ResetTokenInvalid: 400,
    errors.SessionChanged: 409,
    errors.CsrfFailed: 403,
    errors.RateLimitExceeded: 429,
    errors.NotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.UnsupportedMediaType: 415,
    errors.PayloadTooLarge: 413,
    errors.UnsupportedTokenType: 400,
    errors.ServiceUnavailable: 503,
}

INVALID_TOKEN = b'Bearer realm="sekisho", error="invalid_token"'
INSUFFICIENT = (
    b'Bearer realm="sekisho", error="insufficient_user_authentication", '
    b'error_description="a fresh or stronger proof is needed", '
)
CHALLENGES: dict[type[Refusal], bytes] = {
    errors.Unauthorized: b'Bearer realm="sekisho"',
    errors.AccessTokenExpired: b'Bearer realm="sekisho", error="invalid_token", error_description="expired"',
    errors.SessionRevoked: b'Bearer realm="sekisho", error="invalid_token", error_description="session ended"',
}


def refusal_answer(refusal: Refusal, call: Call) -> Answer:
    """Return the answer of a refusal: its code, its text in the caller's language, its details.

    Spec: RFC 6750 section 3 and RFC 9470 section 3 (`WWW-Authenticate`); RFC 9110 section 10.2.3 (`Retry-After`).
    """
    headers = extra_headers(refusal)
    details = dict(refusal.details) if refusal.details else {}
    if challenge := _challenge(refusal, details, call):
        headers += ((b"www-authenticate", challenge),)
    if isinstance(refusal, CsrfFailed):
        details["csrf_token"], cookies = csrf_value(call)
        headers += cookies
    said = message(refusal, call.locale)
    body = ErrorView(error=refusal.code, message=said, details=details) if details else None
    return json_answer(body or ErrorView(error=refusal.code, message=said), STATUS[type(refusal)], headers)


def extra_headers(refusal: Refusal) -> HeaderList:
    """Return the headers that belong to a refusal in whatever form it is told."""
    headers: HeaderList = ()
    if refusal.retry_after is not None:
        headers += ((b"retry-after", str(refusal.retry_after).encode()),)
    if isinstance(refusal, errors.MethodNotAllowed) and refusal.details:
        headers += ((b"allow", str(refusal.details["allow"]).encode()),)
    return headers


def message(refusal: Refusal, locale: str) -> str:
    """Return the text; for a form that does not match, the reason of each known field as well."""
    general = text(f"error.{refusal.code}", locale, retry_after=refusal.retry_after or 0)
    details = refusal.details
    if not isinstance(refusal, ValidationError) or not details:
        return general
    reasons = [
        f"{name}: {reason_with_hints(name, details, locale, refusal.values)}"
        for name, reason in details.items()
        if isinstance(reason, str)
    ]
    return f"{general} {' '.join(reasons)}"


def internal_error_answer(incident: str, call: Call) -> Answer:
    """Return the answer of a programming mistake: an incident id to look for in the log, and nothing else."""
    message = call.say("error.internal_server_error", incident=incident)
    return json_answer(ErrorView(error="internal_server_error", message=message, details={"incident": incident}), 500)


def _challenge(refusal: Refusal, details: dict[str, object], call: Call) -> bytes | None:
    """A token that was presented and refused is an invalid one; without a token there is no error to name. What proof
    is asked for stands in the words of RFC 9470 section 3."""
    if isinstance(refusal, errors.StepUpRequired):
        asked = f'max_age="{details["max_age"]}", acr_values="{details["acr"]}"'
        return INSUFFICIENT + asked.encode()
    presented = call.headers.get(b"authorization", b"")[:6].lower() == b"bearer"
    if presented and isinstance(refusal, errors.Unauthorized):
        return INVALID_TOKEN
    return CHALLENGES.get(type(refusal))

"""How the OAuth endpoints refuse: `error` and `error_description`, in the words of the specifications.

Spec: RFC 6749 section 5.2, RFC 7009 section 2.2.1, RFC 7662 section 2.3; RFC 6750 section 3 and RFC 7617 section 2
(`WWW-Authenticate`).
"""

from __future__ import annotations

import re

from sekisho import errors
from sekisho.errors import Refusal
from sekisho.http.answer import Answer, HeaderList, json_answer
from sekisho.http.call import Call
from sekisho.http.refusals import INVALID_TOKEN, STATUS, extra_headers, message
from sekisho.http.token_wire import OAuthErrorView

CODES: dict[type[Refusal], str] = {
    errors.Unauthorized: "invalid_client",
    errors.UnsupportedTokenType: "unsupported_token_type",
    errors.ServiceUnavailable: "temporarily_unavailable",
}
INVALID_REQUEST = "invalid_request"
BASIC = b'Basic realm="sekisho", charset="UTF-8"'
EITHER = BASIC + b', Bearer realm="sekisho"'

_UNSPEAKABLE = re.compile(r"[^\x20\x21\x23-\x5B\x5D-\x7E]")


def oauth_code(refusal: type[Refusal]) -> str:
    """Return what a refusal is called here; whatever else is wrong with a request makes it an invalid one."""
    return CODES.get(refusal, INVALID_REQUEST)


def oauth_refusal_answer(refusal: Refusal, call: Call) -> Answer:
    """Return the answer of a refusal. Its status is that of the same refusal anywhere."""
    headers = extra_headers(refusal)
    if isinstance(refusal, errors.Unauthorized):
        headers += ((b"www-authenticate", _challenge(call)),)
    return _answer(oauth_code(type(refusal)), message(refusal, "en"), STATUS[type(refusal)], headers)


def oauth_error_answer(incident: str) -> Answer:
    """Return the answer of a programming mistake."""
    return _answer("server_error", f"Incident {incident}", 500, ())


def _answer(code: str, text: str, status: int, headers: HeaderList) -> Answer:
    return json_answer(OAuthErrorView(error=code, error_description=_UNSPEAKABLE.sub("", text)), status, headers)


def _challenge(call: Call) -> bytes:
    """Name the scheme that was tried; without one, both that there are."""
    scheme = call.headers.get(b"authorization", b"").partition(b" ")[0].lower()
    return {b"basic": BASIC, b"bearer": INVALID_TOKEN}.get(scheme, EITHER)

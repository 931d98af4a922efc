"""What a browser remembers of a sign-in that waits for its second step."""

from __future__ import annotations

import msgspec

from sekisho.http import cookies
from sekisho.http.answer import HeaderList
from sekisho.mfa.challenges import SecondFactorRequired
from sekisho.model import Discreet
from sekisho.rfc import base64url
from sekisho.ui.visit import Visit

COOKIE = "second-factor"
COOKIE_LIMIT_BYTES = 1024


class Waiting(Discreet, frozen=True):
    """trust_days: for how long this browser may be trusted afterwards; 0: not at all. is_suspended: codes by mail
    finish no sign-in until another method was shown."""

    challenge: str
    methods: tuple[str, ...]
    trust_days: int = 0
    is_suspended: bool = False


def remembered(visit: Visit, asked: SecondFactorRequired) -> HeaderList:
    """Return the cookie that holds the challenge, for as long as it lives."""
    methods = tuple(method.value for method in asked.methods)
    value = msgspec.json.encode(Waiting(asked.challenge, methods, asked.trust_days, bool(asked.suspended)))
    secure = visit.edge.settings.secure
    name = waiting_cookie_name(visit)
    return (cookies.write(name, base64url.encode(value), secure=secure, max_age_s=asked.expires_in),)


def waiting_cookie_name(visit: Visit) -> str:
    return cookies.page_cookie_name(COOKIE, secure=visit.edge.settings.secure)

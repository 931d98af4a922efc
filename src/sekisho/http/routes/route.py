"""A row of the table of routes: its columns, the words in them, and which refusals follow from them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from msgspec import Struct

from sekisho import errors
from sekisho.errors import Refusal
from sekisho.http import wire
from sekisho.http.answer import Answer
from sekisho.http.call import Call

Endpoint = Callable[[Call], Awaitable[Answer]]

ANYBODY = "anybody"
TOKEN_OR_COOKIE = "refresh token or cookie"  # noqa: S105 - a word of the table, no secret
SESSION = "bearer token or session cookie"
GUARD = "guard key"
ANY_CREDENTIAL = "refresh token, bearer token or cookie"

NO_ROUTE = "(none)"
"""The path that metrics and logs say for what is in no table."""


class Route(Struct, frozen=True, kw_only=True):
    """callers: ANYBODY, TOKEN_OR_COOKIE, ANY_CREDENTIAL, SESSION or GUARD. query: optional parameters, and what they
    say. body: None where none is read. is_oauth: the body is a form, not JSON, and refusals have the form of RFC 6749
    (`sekisho.http.oauth`). answer: None where it is not JSON of one shape; or_answer: the other shape, of a call that
    forks. limits: the rules of `sekisho.throttle` that count here. refusals: what this call itself may refuse with,
    beside those of every call (`COMMON`)."""

    method: str
    path: str
    endpoint: Endpoint
    summary: str
    callers: str = ANYBODY
    query: Mapping[str, str] = MappingProxyType({})
    body: type[wire.Request] | None = None
    body_optional: bool = False
    is_oauth: bool = False
    status: int = 200
    answer: type[Struct] | None = None
    limits: tuple[str, ...] = ()
    refusals: tuple[type[Refusal], ...] = ()
    or_answer: type[Struct] | None = None


COMMON: tuple[type[Refusal], ...] = (errors.ServiceUnavailable, errors.ValidationError)
OF_BODIES: tuple[type[Refusal], ...] = (errors.PayloadTooLarge, errors.UnsupportedMediaType)
OF_SESSION: tuple[type[Refusal], ...] = (
    errors.Unauthorized,
    errors.AccessTokenExpired,
    errors.SessionRevoked,
    errors.SessionChanged,
)
API = "/api/v1"


def refusals_of(route: Route) -> tuple[type[Refusal], ...]:
    """Return every refusal that a call may answer with, in the order of the status table."""
    found = {*COMMON, *route.refusals}
    if route.callers == SESSION:
        found.update(OF_SESSION)
    if route.callers == GUARD:
        found.add(errors.Unauthorized)
    if route.body is not None:
        found.update(OF_BODIES)
    return tuple(refusal for refusal in errors.all_refusals() if refusal in found)

"""Django REST framework: an authentication class and permission classes.

    REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ["sekisho.guard.drf.GuardAuthentication"]}

    class Articles(APIView):
        permission_classes = [require(permissions=["articles.write"])]

`SEKISHO_GUARD` is as for `sekisho.guard.django`; its middleware is not needed. `request.auth` is the principal.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from sekisho.errors import Refusal
from sekisho.guard.django import _user, default_auth
from sekisho.guard.principal import Principal
from sekisho.guard.rules import rule


class Refused(APIException):
    """A refusal in DRF's words; its handler takes the headers from here."""

    def __init__(self, refusal: Refusal, request: Request) -> None:
        headers = request.headers
        answer = default_auth().answer(refusal, headers.get("Authorization"), headers.get("Accept-Language"))
        super().__init__()
        self.status_code = answer.status
        # Not through the constructor: it would make every value a text of its own kind.
        self.detail = answer.content
        if challenge := answer.headers.get("WWW-Authenticate"):
            self.auth_header = challenge
        if refusal.retry_after is not None:
            self.wait = refusal.retry_after


class GuardAuthentication(BaseAuthentication):
    """By bearer token: `request.user` as the middleware makes it, `request.auth` the principal."""

    def authenticate(self, request: Request) -> tuple[Any, Principal] | None:
        try:
            found = default_auth().find(request.headers.get("Authorization"), request)
        except Refusal as refusal:
            raise Refused(refusal, request) from None
        return (_user(found), found) if found else None

    def authenticate_header(self, request: Request) -> str:
        return f'Bearer realm="{default_auth().realm}"'


def require(
    *,
    scopes: Iterable[str] = (),
    roles: Iterable[str] = (),
    permissions: Iterable[str] = (),
    max_age: float | None = None,
    acr: str | None = None,
) -> type[BasePermission]:
    """Return a permission class for who may; see `rules.Rule`. Without arguments: anybody signed in with a token."""
    wanted = rule(scopes=scopes, roles=roles, permissions=permissions, max_age=max_age, acr=acr)

    class Required(BasePermission):
        def has_permission(self, request: Request, view: Any) -> bool:
            principal = request.auth if isinstance(request.auth, Principal) else None
            try:
                default_auth().allowed(principal, wanted)
            except Refusal as refusal:
                raise Refused(refusal, request) from None
            return True

    return Required


IsSignedIn = require()


def has_permission(*names: str) -> type[BasePermission]:
    """Return a permission class for who has all of these permissions by the verifier's table."""
    return require(permissions=names)

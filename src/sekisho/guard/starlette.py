"""Starlette: a backend for its `AuthenticationMiddleware`, and `requires`.

    auth = StarletteAuth(verifier)
    app = Starlette(routes=..., middleware=[Middleware(AuthenticationMiddleware, backend=auth, on_error=auth.on_error)])

    @auth.requires(roles=["editor"])
    async def articles(request): request.user.principal

Starlette's own `requires("articles.write")` sees the scopes too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import wraps

from starlette.authentication import AuthCredentials, AuthenticationBackend, AuthenticationError, BaseUser
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from sekisho.errors import Refusal
from sekisho.guard.auth import Auth
from sekisho.guard.principal import Principal
from sekisho.guard.rules import rule

Endpoint = Callable[[Request], Awaitable[Response]]


class PrincipalUser(BaseUser):
    """`request.user` of a signed-in caller."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal

    @property
    def is_authenticated(self) -> bool:
        return True

    @property
    def display_name(self) -> str:
        return self.principal.sub

    @property
    def identity(self) -> str:
        return self.principal.sub


class Refused(AuthenticationError):
    """A refusal on its way to `on_error`."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class _Seen:
    def __init__(self, conn: HTTPConnection) -> None:
        self.headers = conn.headers
        # A WebSocket has no method, and changes things.
        self.method: str = conn.scope.get("method", "CONNECT")


class StarletteAuth(Auth, AuthenticationBackend):
    """The backend. Without a token `request.user` is nobody; with a bad one the request is refused at once."""

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        try:
            found = await self.find_async(conn.headers.get("authorization"), _Seen(conn))
        except Refusal as refusal:
            raise Refused(refusal) from None
        if found is None:
            return None
        return AuthCredentials(["authenticated", *sorted(found.scopes)]), PrincipalUser(found)

    def on_error(self, conn: HTTPConnection, error: AuthenticationError) -> Response:
        """Return the answer to a bad token, for the middleware's `on_error`."""
        if not isinstance(error, Refused):
            raise error
        return self._response(conn, error.refusal)

    def requires(
        self,
        *,
        scopes: Iterable[str] = (),
        roles: Iterable[str] = (),
        permissions: Iterable[str] = (),
        max_age: float | None = None,
        acr: str | None = None,
    ) -> Callable[[Endpoint], Endpoint]:
        """Let an endpoint be called only by who may; see `rules.Rule`. Without arguments: by anybody signed in."""
        wanted = rule(scopes=scopes, roles=roles, permissions=permissions, max_age=max_age, acr=acr)

        def guarded(endpoint: Endpoint) -> Endpoint:
            @wraps(endpoint)
            async def checked(request: Request) -> Response:
                try:
                    self.allowed(getattr(request.user, "principal", None), wanted)
                except Refusal as refusal:
                    return self._response(request, refusal)
                return await endpoint(request)

            return checked

        return guarded

    def _response(self, conn: HTTPConnection, refusal: Refusal) -> Response:
        answer = self.answer(refusal, conn.headers.get("authorization"), conn.headers.get("accept-language"))
        return Response(answer.body, answer.status, answer.headers)

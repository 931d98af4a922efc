"""FastAPI: dependencies that give the principal, and a security scheme in the OpenAPI document.

auth = FastAPIAuth(verifier)
auth.install(app)

@app.get("/articles")
async def articles(user: Annotated[Principal, Depends(auth.current_user)]): ...

Security(auth.current_user, scopes=["articles.write"])
Depends(auth.optional_user)
Depends(auth.require(roles=["editor"], max_age=300))
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Request, Security
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from sekisho.errors import Refusal
from sekisho.guard.auth import REALM, Auth
from sekisho.guard.principal import Principal
from sekisho.guard.rules import Rule, rule
from sekisho.guard.same_host import CookieSessions
from sekisho.guard.verifier import Verifier

_SCHEME = HTTPBearer(
    bearerFormat="JWT", scheme_name="sekisho", description="An access token of Sekisho.", auto_error=False
)
_Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(_SCHEME)]


class Refused(HTTPException):
    """A refusal on its way to the client. Without `install` FastAPI puts the body under `detail`."""


class FastAPIAuth(Auth):
    """Dependencies for the routes of one API.

    current_user: the principal, with the scopes of `Security(..., scopes=[...])`; 401 without one.
    optional_user: the principal, or None where no token was sent. A bad token is 401 all the same.
    """

    def __init__(self, verifier: Verifier, *, sessions: CookieSessions | None = None, realm: str = REALM) -> None:
        super().__init__(verifier, sessions=sessions, realm=realm)
        self.current_user = self._dependency(Rule())
        self.optional_user = self._optional()

    def require(
        self,
        *,
        roles: Iterable[str] = (),
        permissions: Iterable[str] = (),
        scopes: Iterable[str] = (),
        max_age: float | None = None,
        acr: str | None = None,
    ) -> Callable[..., Awaitable[Principal]]:
        """Return a dependency that gives the principal if it may; see `rules.Rule`."""
        return self._dependency(rule(roles=roles, permissions=permissions, scopes=scopes, max_age=max_age, acr=acr))

    def install(self, app: FastAPI) -> None:
        """Answer refusals in the form of the server's own errors."""
        app.add_exception_handler(Refused, _answer)

    def _dependency(self, wanted: Rule) -> Callable[..., Awaitable[Principal]]:
        async def current_user(request: Request, scopes: SecurityScopes, _: _Credentials) -> Principal:
            try:
                found = await self.find_async(request.headers.get("authorization"), request)
                return self.allowed(found, _with_scopes(wanted, scopes.scopes))
            except Refusal as refusal:
                raise self._refused(refusal, request) from None

        return current_user

    def _optional(self) -> Callable[..., Awaitable[Principal | None]]:
        async def optional_user(request: Request, _: _Credentials) -> Principal | None:
            try:
                return await self.find_async(request.headers.get("authorization"), request)
            except Refusal as refusal:
                raise self._refused(refusal, request) from None

        return optional_user

    def _refused(self, refusal: Refusal, request: Request) -> Refused:
        answer = self.answer(refusal, request.headers.get("authorization"), request.headers.get("accept-language"))
        headers = {name: value for name, value in answer.headers.items() if name != "Content-Type"}
        return Refused(answer.status, answer.content, headers)


def _with_scopes(wanted: Rule, scopes: list[str]) -> Rule:
    if not scopes:
        return wanted
    return Rule(wanted.scopes | set(scopes), wanted.roles, wanted.permissions, wanted.max_age, wanted.acr)


async def _answer(_: Request, error: Any) -> Response:
    return JSONResponse(error.detail, error.status_code, error.headers)

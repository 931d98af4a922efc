"""Flask: a decorator for views, and `current_principal`.

auth = FlaskAuth(verifier)

@app.get("/articles")
@auth.required(roles=["editor"])
def articles(): current_principal.sub
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec, cast

from flask import Response, g, request
from werkzeug.local import LocalProxy

from sekisho.errors import Refusal
from sekisho.guard.auth import Auth
from sekisho.guard.principal import Principal
from sekisho.guard.rules import rule

P = ParamSpec("P")

current_principal = cast(Principal, LocalProxy(lambda: g.sekisho_principal))
"""The principal of this request; None in an `optional` view that nobody signed in for."""


class FlaskAuth(Auth):
    """Decorators for the views of one API. They stand below the route's own."""

    def required(
        self,
        *,
        scopes: Iterable[str] = (),
        roles: Iterable[str] = (),
        permissions: Iterable[str] = (),
        max_age: float | None = None,
        acr: str | None = None,
    ) -> Callable[[Callable[P, Any]], Callable[P, Any]]:
        """Let a view be called only by who may; see `rules.Rule`. Without arguments: by anybody signed in."""
        wanted = rule(scopes=scopes, roles=roles, permissions=permissions, max_age=max_age, acr=acr)
        return self._guarded(lambda found: self.allowed(found, wanted))

    def optional(self) -> Callable[[Callable[P, Any]], Callable[P, Any]]:
        """Let anybody call a view, and know who does. A bad token is refused all the same."""
        return self._guarded(lambda found: found)

    def _guarded(
        self, decide: Callable[[Principal | None], Principal | None]
    ) -> Callable[[Callable[P, Any]], Callable[P, Any]]:
        def guarded(view: Callable[P, Any]) -> Callable[P, Any]:
            @wraps(view)
            def checked(*args: P.args, **kwargs: P.kwargs) -> Any:
                authorization = request.headers.get("Authorization")
                try:
                    g.sekisho_principal = decide(self.find(authorization, request))
                except Refusal as refusal:
                    answer = self.answer(refusal, authorization, request.headers.get("Accept-Language"))
                    return Response(answer.body, answer.status, answer.headers)
                return view(*args, **kwargs)

            return checked

        return guarded

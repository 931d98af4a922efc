"""Django: a middleware with a lazy `request.user`, and decorators.

    MIDDLEWARE = [..., "sekisho.guard.django.GuardMiddleware"]
    SEKISHO_GUARD = {"ISSUER": "https://auth.example.com", "AUDIENCE": "https://api.example.com", "FEED_KEY": "skg_…"}

    @requires(permissions=["articles.write"])
    def articles(request): request.user.principal

The keys of `SEKISHO_GUARD` are the parameters of `Verifier` in upper case; `REALM`; `COOKIES`, what `CookieSessions`
takes on the server's own host; and `USER`, the path of a function that takes a principal and returns your user.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import cache, wraps
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import import_string

from sekisho.errors import Refusal
from sekisho.guard.auth import REALM, Auth
from sekisho.guard.principal import Principal
from sekisho.guard.rules import rule
from sekisho.guard.same_host import CookieSessions
from sekisho.guard.verifier import Verifier

View = Callable[..., Any]


class PrincipalUser:
    """`request.user` of a signed-in caller: no row of a database, and nothing to be saved."""

    is_authenticated = True
    is_anonymous = False
    is_active = True
    is_staff = False
    is_superuser = False

    def __init__(self, principal: Principal) -> None:
        self.principal = principal
        self.pk = self.id = principal.sub

    def get_username(self) -> str:
        return self.principal.sub

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Whether the roles allow it, by the verifier's table. Rules about single objects are the view's own."""
        return obj is None and perm in self.principal.permissions

    def has_perms(self, perms: Iterable[str], obj: object = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perms)

    def __str__(self) -> str:
        return self.principal.sub


@cache
def default_auth() -> Auth:
    """Return what `SEKISHO_GUARD` describes, made at its first use. Tests: `default_auth().override(principal)`.

    Raises:
        ImproperlyConfigured: the setting is missing, or has a key that nobody knows.
    """
    given = {name.lower(): value for name, value in getattr(settings, "SEKISHO_GUARD", {}).items()}
    given.pop("user", None)
    realm = given.pop("realm", REALM)
    cookies = given.pop("cookies", None)
    try:
        verifier = Verifier(**given)
        return Auth(verifier, sessions=CookieSessions(verifier, **cookies) if cookies else None, realm=realm)
    except (TypeError, ValueError) as error:
        raise ImproperlyConfigured(f"SEKISHO_GUARD: {error}") from None


@cache
def _user_of() -> Callable[[Principal], Any]:
    path = getattr(settings, "SEKISHO_GUARD", {}).get("USER")
    return cast(Callable[[Principal], Any], import_string(path)) if path else PrincipalUser


class GuardMiddleware:
    """Gives `request.user`, `await request.auser()` and `request.principal`, each when first looked at; and answers a
    refusal that a view ran into.

    A request with an Authorization header is judged by it alone, and is free of Django's CSRF check: no page of
    another site can make a browser send one. Without it, `request.user` is what another middleware made of it.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.auth = default_auth()
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        self._prepare(request)
        response: HttpResponse | Awaitable[HttpResponse] = self.get_response(request)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return refused(request, error, self.auth) if isinstance(error, Refusal) else None

    def _prepare(self, request: Any) -> None:
        authorization = request.headers.get("Authorization")
        request.principal = SimpleLazyObject(lambda: self.auth.find(authorization, request))
        if authorization is None and hasattr(request, "user") and self.auth.find(None) is None:
            return

        async def auser() -> Any:
            found = await self.auth.find_async(authorization, request)
            return _user(found)

        request.user = SimpleLazyObject(lambda: _user(self.auth.find(authorization, request)))
        request.auser = auser
        if authorization is not None:
            request._dont_enforce_csrf_checks = True


def _user(found: Principal | None) -> Any:
    if found is not None:
        return _user_of()(found)
    # Late: models can be loaded only when Django is set up.
    return import_string("django.contrib.auth.models.AnonymousUser")()


def refused(request: HttpRequest, refusal: Refusal, auth: Auth | None = None) -> HttpResponse:
    """Return the answer of a refusal."""
    headers = request.headers
    answer = (auth or default_auth()).answer(refusal, headers.get("Authorization"), headers.get("Accept-Language"))
    return HttpResponse(answer.body, status=answer.status, headers=answer.headers)


def requires(
    *,
    scopes: Iterable[str] = (),
    roles: Iterable[str] = (),
    permissions: Iterable[str] = (),
    max_age: float | None = None,
    acr: str | None = None,
) -> Callable[[View], View]:
    """Let a view be called only by who may; see `rules.Rule`. Without arguments: by anybody signed in with a token."""
    wanted = rule(scopes=scopes, roles=roles, permissions=permissions, max_age=max_age, acr=acr)

    def guarded(view: View) -> View:
        if iscoroutinefunction(view):

            @wraps(view)
            async def checked_async(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                auth = default_auth()
                try:
                    auth.allowed(await auth.find_async(request.headers.get("Authorization"), request), wanted)
                except Refusal as refusal:
                    return refused(request, refusal)
                return await view(request, *args, **kwargs)

            return checked_async

        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            auth = default_auth()
            try:
                auth.allowed(auth.find(request.headers.get("Authorization"), request), wanted)
            except Refusal as refusal:
                return refused(request, refusal)
            return view(request, *args, **kwargs)

        return checked

    return guarded


login_required = requires()

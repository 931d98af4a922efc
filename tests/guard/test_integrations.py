"""One story in each framework: the same request, the same answer, whichever serves it.

Every app has `/open` (anybody; says who), `/me` (signed in), `/write` (scope), `/edit` (role), `/delete` (permission)
and `/bank` (fresh and strong proof), all by POST as well as GET.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

import django
import flask
import httpx2
import pytest
from django.conf import settings as django_settings
from fastapi import Depends, FastAPI, Security
from msgspec import Struct
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sekisho.guard import Principal
from sekisho.guard.fastapi import FastAPIAuth
from sekisho.guard.flask import FlaskAuth, current_principal
from sekisho.guard.starlette import StarletteAuth
from sekisho.guard.testing import FakeIssuer

PERMISSIONS = {"owner": ["articles.delete"]}
ISSUER = FakeIssuer()
METHODS = ["GET", "POST"]
pytestmark = pytest.mark.anyio


class Said(Struct):
    """An answer, whichever client got it. headers: lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: Any


Ask = Callable[..., Any]
Override = Callable[[Principal], AbstractContextManager[None]]


def fastapi_app() -> tuple[FastAPI, FastAPIAuth]:
    auth = FastAPIAuth(ISSUER.verifier(permissions=PERMISSIONS))
    app = FastAPI()
    auth.install(app)

    @app.get("/open")
    @app.post("/open")
    async def open_(
        user: Principal | None = Depends(auth.optional_user),  # noqa: B008
    ) -> dict[str, str | None]:
        return {"sub": user.sub if user else None}

    def add(path: str, dependency: Any) -> None:
        @app.get(path)
        @app.post(path)
        async def view(user: Principal = dependency) -> dict[str, str]:
            return {"sub": user.sub}

    add("/me", Depends(auth.current_user))
    add("/write", Security(auth.current_user, scopes=["articles.write"]))
    add("/edit", Depends(auth.require(roles=["editor"])))
    add("/delete", Depends(auth.require(permissions=["articles.delete"])))
    add("/bank", Depends(auth.require(max_age=300, acr="aal2")))
    return app, auth


def starlette_app() -> tuple[Starlette, StarletteAuth]:
    auth = StarletteAuth(ISSUER.verifier(permissions=PERMISSIONS))

    async def view(request: Request) -> Response:
        return JSONResponse({"sub": request.user.display_name or None})

    routes = [
        Route("/open", view, methods=METHODS),
        Route("/me", auth.requires()(view), methods=METHODS),
        Route("/write", auth.requires(scopes=["articles.write"])(view), methods=METHODS),
        Route("/edit", auth.requires(roles=["editor"])(view), methods=METHODS),
        Route("/delete", auth.requires(permissions=["articles.delete"])(view), methods=METHODS),
        Route("/bank", auth.requires(max_age=300, acr="aal2")(view), methods=METHODS),
    ]
    backend = Middleware(AuthenticationMiddleware, backend=auth, on_error=auth.on_error)
    return Starlette(routes=routes, middleware=[backend]), auth


def flask_app() -> tuple[flask.Flask, FlaskAuth]:
    auth = FlaskAuth(ISSUER.verifier(permissions=PERMISSIONS))
    app = flask.Flask("guarded")

    def add(path: str, decorator: Callable[[Callable[[], Any]], Callable[[], Any]]) -> None:
        def view() -> dict[str, str | None]:
            return {"sub": current_principal.sub if current_principal else None}

        app.add_url_rule(path, path, decorator(view), methods=METHODS)

    add("/open", auth.optional())
    add("/me", auth.required())
    add("/write", auth.required(scopes=["articles.write"]))
    add("/edit", auth.required(roles=["editor"]))
    add("/delete", auth.required(permissions=["articles.delete"]))
    add("/bank", auth.required(max_age=300, acr="aal2"))
    return app, auth


@pytest.fixture(scope="module")
def django_ready() -> None:
    if not django_settings.configured:
        django_settings.configure(
            SECRET_KEY="for tests alone",
            ALLOWED_HOSTS=["testserver"],
            ROOT_URLCONF="guard.django_urls",
            MIDDLEWARE=[
                "sekisho.guard.django.GuardMiddleware",
                "django.middleware.csrf.CsrfViewMiddleware",
            ],
            INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
            REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": ["sekisho.guard.drf.GuardAuthentication"]},
            SEKISHO_GUARD={
                "ISSUER": ISSUER.issuer,
                "AUDIENCE": ISSUER.audience,
                "KEYS": ISSUER.keys,
                "PERMISSIONS": PERMISSIONS,
            },
        )
        django.setup()


def over_asgi(app: Any) -> Ask:
    async def ask(path: str, method: str = "GET", **headers: str) -> Said:
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
            answer = await client.request(method, path, headers=headers)
        return Said(answer.status_code, dict(answer.headers), answer.json() if answer.content else None)

    return ask


@pytest.fixture(params=["fastapi", "starlette", "flask", "django", "django async", "drf"])
def served(request: pytest.FixtureRequest) -> Iterator[tuple[Ask, Override]]:
    match request.param:
        case "fastapi":
            app, auth = fastapi_app()
            yield over_asgi(app), auth.override
        case "starlette":
            star, star_auth = starlette_app()
            yield over_asgi(star), star_auth.override
        case "flask":
            wsgi, flask_auth = flask_app()

            async def ask_flask(path: str, method: str = "GET", **headers: str) -> Said:
                answer = wsgi.test_client().open(path, method=method, headers=headers)
                return Said(answer.status_code, {k.lower(): v for k, v in answer.headers}, answer.get_json())

            yield ask_flask, flask_auth.override
        case kind:
            request.getfixturevalue("django_ready")
            yield from served_by_django({"django": "", "django async": "/async", "drf": "/drf"}[kind])


def served_by_django(prefix: str) -> Iterator[tuple[Ask, Override]]:
    from django.test import AsyncClient, Client  # noqa: PLC0415 - needs settings

    from sekisho.guard.django import default_auth  # noqa: PLC0415 - needs settings

    async def ask(path: str, method: str = "GET", **headers: str) -> Said:
        if prefix == "/async":
            answer: Any = await AsyncClient(enforce_csrf_checks=True).generic(method, prefix + path, headers=headers)
        else:
            answer = Client(enforce_csrf_checks=True).generic(method, prefix + path, headers=headers)
        return Said(answer.status_code, {k.lower(): v for k, v in answer.items()}, json.loads(answer.content))

    yield ask, default_auth().override


def bearer(**more: Any) -> dict[str, str]:
    return {"authorization": ISSUER.headers("alice", **more)["Authorization"]}


async def test_a_good_token_is_known_and_no_token_is_nobody(served: tuple[Ask, Override]) -> None:
    ask, _ = served
    assert (await ask("/open")).body == {"sub": None}
    for path in ("/open", "/me"):
        answer = await ask(path, **bearer())
        assert (answer.status, answer.body) == (200, {"sub": "alice"})
    answer = await ask("/me")
    assert (answer.status, answer.body["error"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == 'Bearer realm="api"'


async def test_a_bad_token_is_refused_everywhere_and_never_nobody(served: tuple[Ask, Override]) -> None:
    ask, _ = served
    bad = {
        "unauthorized": [f"Bearer {ISSUER.forged_token()}", "Bearer a.b.c", "Basic YTpi", "Bearer"],
        "access_token_expired": [f"Bearer {ISSUER.expired_token()}"],
    }
    for code, headers in bad.items():
        for header in headers:
            for path in ("/open", "/me", "/bank"):
                answer = await ask(path, authorization=header)
                assert (answer.status, answer.body["error"]) == (401, code), (path, header)
                assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_V10_3_2_V10_3_4_rules_hold_with_the_right_challenge(served: tuple[Ask, Override]) -> None:
    ask, _ = served
    enough = {
        "/write": {"scopes": ["articles.write", "x"]},
        "/edit": {"roles": ["editor"]},
        "/delete": {"roles": ["owner"]},
        "/bank": {"acr": "aal2", "signed_in_s_ago": 200},
    }
    for path, given in enough.items():
        assert (await ask(path, **bearer(**given))).status == 200, path
    for path in ("/write", "/edit", "/delete"):
        answer = await ask(path, **bearer(scopes=["x"], roles=["x"]))
        assert (answer.status, answer.body["error"]) == (403, "forbidden"), path
    answer = await ask("/write", **bearer())
    assert 'error="insufficient_scope", scope="articles.write"' in answer.headers["www-authenticate"]
    for given in ({"acr": "aal1"}, {"acr": "aal2", "signed_in_s_ago": 302}):
        answer = await ask("/bank", **bearer(**given))
        assert (answer.status, answer.body["error"]) == (401, "step_up_required")
        assert 'error="insufficient_user_authentication"' in answer.headers["www-authenticate"]
    assert answer.body["details"] == {"max_age": 300}
    assert 'max_age="300"' in answer.headers["www-authenticate"]
    japanese = await ask("/me", **{"accept-language": "ja"})
    assert japanese.body["message"] == "サインインしてください。"


async def test_a_bearer_token_needs_no_csrf_value(served: tuple[Ask, Override]) -> None:
    ask, _ = served
    assert (await ask("/me", "POST", **bearer())).status == 200


async def test_tests_can_say_who_is_calling(served: tuple[Ask, Override]) -> None:
    ask, override = served
    with override(Principal(sub="bob", roles=frozenset({"editor"}))):
        assert (await ask("/me")).body == {"sub": "bob"}
        assert (await ask("/edit")).body == {"sub": "bob"}
        assert (await ask("/delete")).status == 403
        assert (await ask("/me", **bearer())).body == {"sub": "alice"}
    assert (await ask("/me")).status == 401


def test_fastapi_names_the_scheme_and_the_scopes_in_its_document() -> None:
    document = fastapi_app()[0].openapi()
    scheme = document["components"]["securitySchemes"]["sekisho"]
    assert (scheme["type"], scheme["scheme"], scheme["bearerFormat"]) == ("http", "bearer", "JWT")
    for path in ("/me", "/edit", "/open"):
        assert list(document["paths"][path]["get"]["security"][0]) == ["sekisho"]
    parameters = [document["paths"][path]["get"].get("parameters", []) for path in document["paths"]]
    assert parameters == [[]] * len(parameters)


async def test_without_install_fastapi_still_answers_with_status_and_challenge() -> None:
    auth = FastAPIAuth(ISSUER.verifier())
    app = FastAPI()

    @app.get("/me")
    async def me(user: Principal = Depends(auth.current_user)) -> str:  # noqa: B008
        return user.sub

    answer = await over_asgi(app)("/me")
    assert (answer.status, answer.body["detail"]["error"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == 'Bearer realm="api"'


async def test_starlettes_own_requires_sees_the_scopes() -> None:
    from starlette.authentication import requires  # noqa: PLC0415

    auth = StarletteAuth(ISSUER.verifier())

    @requires("articles.write")
    async def view(request: Request) -> Response:
        return JSONResponse({"sub": request.user.identity})

    backend = Middleware(AuthenticationMiddleware, backend=auth, on_error=auth.on_error)
    app = Starlette(routes=[Route("/write", view)], middleware=[backend])
    assert (await over_asgi(app)("/write", **bearer(scopes=["articles.write"]))).status == 200

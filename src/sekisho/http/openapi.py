"""The OpenAPI 3.1 document, generated from the route table with msgspec's JSON Schema."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec

from sekisho import errors
from sekisho.http.answer import JSON, Answer
from sekisho.http.call import Call
from sekisho.http.oauth import oauth_code
from sekisho.http.refusals import STATUS
from sekisho.http.routes import ANYBODY, DEV_ROUTES, GUARD, SESSION, Route, refusals_of
from sekisho.http.token_wire import OAuthErrorView
from sekisho.http.wire import ErrorView

# Of the interface, as in its path: which release runs here is nobody's business.
API_VERSION = "1"
FORM = "application/x-www-form-urlencoded"
REFERENCE = "#/components/schemas/{name}"
SECURITY: dict[str, list[dict[str, list[str]]]] = {
    ANYBODY: [],
    GUARD: [{"guardKey": []}],
    SESSION: [{"bearer": []}, {"sessionCookie": []}],
}


def openapi_route(routes: Sequence[Route]) -> Route:
    """Return the route that serves the document of `routes`, rendered when it is first asked for."""

    @cache
    def rendered() -> bytes:
        return msgspec.json.encode(document(routes))

    async def openapi_endpoint(call: Call) -> Answer:
        return Answer(200, rendered(), JSON, ((b"cache-control", b"public, max-age=300"),))

    return Route(method="GET", path="/openapi.json", endpoint=openapi_endpoint, summary="This document")


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """Return the document as plain containers."""
    shapes = [shape for route in routes for shape in (route.body, route.answer, route.or_answer) if shape is not None]
    _, schemas = msgspec.json.schema_components([*shapes, ErrorView, OAuthErrorView], ref_template=REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sekisho",
            "version": API_VERSION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "guardKey": {"type": "http", "scheme": "bearer", "description": "`sekisho guard-key add`"},
                "guardClient": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "The name of a guard's key, and the key as secret (RFC 6749 section 2.3.1)",
                },
                "sessionCookie": {"type": "apiKey", "in": "cookie", "name": "__Host-sekisho-s-<app>"},
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "tags": [_tag(route)],
        "security": SECURITY.get(route.callers, [{}]) + ([{"guardClient": []}] if route.is_oauth else []),
        "responses": _responses(route),
    }
    if route.limits:
        operation["x-limits"] = list(route.limits)
    if parameters := _parameters(route):
        operation["parameters"] = parameters
    if route.body is not None:
        operation["requestBody"] = {
            "required": not route.body_optional,
            "content": {FORM if route.is_oauth else "application/json": {"schema": _reference(route.body)}},
        }
    return operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    text = {"schema": {"type": "string", "maxLength": 200}}
    found: list[dict[str, Any]] = []
    if "{id}" in route.path:
        found.append({"name": "id", "in": "path", "required": True, **text})
    found += [{"name": name, "in": "query", "description": about, **text} for name, about in route.query.items()]
    if route.callers == SESSION:
        about = "Names the app where a session cookie is sent and several apps share this host."
        found.append({"name": "client_id", "in": "query", "description": about, **text})
    if route.callers not in (ANYBODY, GUARD):
        about = "The session that the client believes in; another one's cookie answers `session_changed`."
        found.append({"name": "X-Sekisho-Session", "in": "header", "description": about, **text})
    if errors.CsrfFailed in route.refusals:
        about = "The CSRF value, where cookies authorise the call or will be set. The name is a setting."
        found.append({"name": "X-CSRFToken", "in": "header", "description": about, **text})
    return found


def _responses(route: Route) -> dict[str, Any]:
    success: dict[str, Any] = {"description": route.summary}
    if route.answer is not None:
        success["content"] = {"application/json": {"schema": _answer(route.answer, route.or_answer)}}
    responses: dict[str, Any] = {str(route.status): success}
    by_status: dict[int, list[str]] = {}
    for refusal in refusals_of(route):
        codes = by_status.setdefault(STATUS[refusal], [])
        if (code := oauth_code(refusal) if route.is_oauth else refusal.code) not in codes:
            codes.append(code)
    for status, codes in sorted(by_status.items()):
        responses[str(status)] = {
            "description": ", ".join(f"`{code}`" for code in codes),
            "content": {"application/json": {"schema": _reference(OAuthErrorView if route.is_oauth else ErrorView)}},
        }
    return responses


def _reference(shape: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": REFERENCE.format(name=shape.__name__)}


def _answer(shape: type[msgspec.Struct], other: type[msgspec.Struct] | None) -> dict[str, Any]:
    return _reference(shape) if other is None else {"oneOf": [_reference(shape), _reference(other)]}


def _operation_id(route: Route) -> str:
    words = route.path.removeprefix("/api/v1/").strip("/").replace("{", "").replace("}", "").replace(".", "-")
    return f"{route.method.lower()}-{words.replace('/', '-')}"


def _tag(route: Route) -> str:
    if not route.path.startswith("/api/v1/"):
        return "development" if route in DEV_ROUTES else "operations"
    return route.path.removeprefix("/api/v1/").split("/")[0]

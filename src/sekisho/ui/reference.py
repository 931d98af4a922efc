"""The reference of the API as one page, made from the OpenAPI document: no foreign script, nothing to load, and the
browser's own search finds every word."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import groupby
from typing import Any

import msgspec
from msgspec import Struct

from sekisho.errors import Refusal
from sekisho.http.answer import Answer
from sekisho.http.openapi import REFERENCE, document
from sekisho.http.routes import ROUTES
from sekisho.ui.rendering import Look, page
from sekisho.ui.visit import Visit

PATH = "/docs"
_SCHEMA = REFERENCE.format(name="")


class Operation(Struct, frozen=True, kw_only=True):
    """One call, ready to be shown. body: the name of its schema, or "". callers: credentials that it takes."""

    id: str
    method: str
    path: str
    summary: str
    callers: tuple[str, ...]
    limits: tuple[str, ...]
    parameters: tuple[Mapping[str, Any], ...]
    body: str
    body_required: bool
    responses: tuple[tuple[str, str, str], ...]


class Field(Struct, frozen=True):
    """kind: the type in words; refers_to: the schema that it is made of, or ""."""

    name: str
    kind: str
    refers_to: str
    required: bool
    about: str


class ReferencePage(Struct, frozen=True):
    look: Look

    async def show(self, visit: Visit, refusal: Refusal | None) -> Answer:
        return page(
            visit,
            self.look,
            "reference.html",
            at=PATH,
            refusal=refusal,
            groups=_groups(),
            schemas=_schemas(),
            wide=True,
        )


@cache
def _document() -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document(ROUTES)))
    return found


@cache
def _groups() -> tuple[tuple[str, tuple[Operation, ...]], ...]:
    """Return the operations by tag, in the order of the table."""
    operations = [
        (operation["tags"][0], _operation(method, path, operation))
        for path, methods in _document()["paths"].items()
        for method, operation in methods.items()
    ]
    order = list(dict.fromkeys(tag for tag, _ in operations))
    operations.sort(key=lambda pair: order.index(pair[0]))
    return tuple(
        (tag, tuple(operation for _, operation in members))
        for tag, members in groupby(operations, lambda pair: pair[0])
    )


def _operation(method: str, path: str, said: Mapping[str, Any]) -> Operation:
    body = said.get("requestBody")
    return Operation(
        id=said["operationId"],
        method=method.upper(),
        path=path,
        summary=said["summary"],
        callers=tuple(name for entry in said["security"] for name in entry),
        limits=tuple(said.get("x-limits", ())),
        parameters=tuple(said.get("parameters", ())),
        body=_schema_of(body) if body else "",
        body_required=bool(body and body["required"]),
        responses=tuple(
            (status, answer["description"], _schema_of(answer)) for status, answer in said["responses"].items()
        ),
    )


def _schema_of(part: Mapping[str, Any]) -> str:
    content = part.get("content", {}).get("application/json", {})
    return str(content.get("schema", {}).get("$ref", "")).removeprefix(_SCHEMA)


@cache
def _schemas() -> tuple[tuple[str, str, tuple[Field, ...]], ...]:
    """Return every schema: name, description, fields."""
    return tuple(
        (name, schema.get("description", ""), _fields(schema))
        for name, schema in sorted(_document()["components"]["schemas"].items())
    )


def _fields(schema: Mapping[str, Any]) -> tuple[Field, ...]:
    required = schema.get("required", ())
    return tuple(
        Field(name, *_kind(form), required=name in required, about=_bounds(form))
        for name, form in schema.get("properties", {}).items()
    )


def _kind(form: Mapping[str, Any]) -> tuple[str, str]:
    """Return a type in words, and the schema that it refers to."""
    if "$ref" in form:
        name = str(form["$ref"]).removeprefix(_SCHEMA)
        return name, name
    if "anyOf" in form:
        kinds = [_kind(one) for one in form["anyOf"]]
        return " | ".join(kind for kind, _ in kinds), next((name for _, name in kinds if name), "")
    if form.get("type") == "array":
        kind, name = _kind(form.get("items") or {})
        return f"{kind}[]", name
    if "enum" in form:
        return " | ".join(f'"{value}"' for value in form["enum"]), ""
    return str(form.get("type", "any")), ""


def _bounds(form: Mapping[str, Any]) -> str:
    parts = [form, *form.get("anyOf", ())]
    return ", ".join(f"≤ {part['maxLength']}" for part in parts if "maxLength" in part)

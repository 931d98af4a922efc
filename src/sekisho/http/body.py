"""Reading a request body: bounded first, then its type, then its form; each mistake named by field.

Spec: RFC 8259 section 4 (a repeated name has no one meaning: refused).
"""

from __future__ import annotations

import json
from asyncio import timeout
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from functools import cache
from types import coroutine
from typing import Any, TypeVar, cast

import msgspec
from msgspec.structs import FieldInfo, fields

from sekisho.errors import PayloadTooLarge, UnsupportedMediaType, ValidationError

BODY_LIMIT_BYTES = 64 * 1024
BODY_TIMEOUT_S = 10

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Body = TypeVar("Body", bound=msgspec.Struct)


class ClientGone(Exception):
    """The client closed the connection before its request was whole. There is nobody to answer."""


async def read_bytes(receive: Receive, declared_length: bytes | None) -> bytes:
    """Return the whole body.

    Raises:
        PayloadTooLarge: it is, or says that it is, larger than 64 KiB.
        ValidationError: it did not arrive within ten seconds.
        ClientGone: the connection closed first.
    """
    if declared_length is not None and declared_length.isdigit() and int(declared_length[:12]) > BODY_LIMIT_BYTES:
        raise PayloadTooLarge(detail="declared length")
    reading = _read(receive)
    try:
        awaited = reading.send(None)
    except StopIteration as whole:
        # Nearly every body has come with its head: a clock for it would cost more than reading it.
        return cast(bytes, whole.value)
    try:
        async with timeout(BODY_TIMEOUT_S):
            return await _go_on(reading, awaited)
    except TimeoutError:
        raise ValidationError(details={"body": "too_slow"}, detail="body did not arrive in time") from None


@coroutine
def _go_on(begun: Coroutine[Any, Any, bytes], awaited: Any) -> Generator[Any, Any, bytes]:
    """Await a coroutine that has run already up to where it waits for `awaited`."""
    try:
        while True:
            try:
                result = yield awaited
            except BaseException as error:
                awaited = begun.throw(error)
            else:
                awaited = begun.send(result)
    except StopIteration as end:
        return cast(bytes, end.value)


async def _read(receive: Receive) -> bytes:
    body, is_whole = b"", False
    while not is_whole:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += cast(bytes, message.get("body", b""))
        is_whole = not message.get("more_body", False)
        if len(body) > BODY_LIMIT_BYTES:
            raise PayloadTooLarge(detail="length")
    return body


def require_plain(content_encoding: bytes | None) -> None:
    """Raise `UnsupportedMediaType` for a compressed body: nothing is unpacked here, however small it says it is."""
    if content_encoding is not None and content_encoding.strip().lower() not in (b"", b"identity"):
        raise UnsupportedMediaType(detail="content-encoding")


def require_json(content_type: bytes) -> None:
    """Raise `UnsupportedMediaType` unless the body is `application/json` in UTF-8."""
    if content_type == b"application/json":
        return
    kind, _, parameters = content_type.decode("latin-1").partition(";")
    charset = parameters.strip().lower()
    if kind.strip().lower() != "application/json" or charset not in ("", "charset=utf-8", 'charset="utf-8"'):
        raise UnsupportedMediaType(detail="not application/json")


def parse(body: bytes, form: type[Body]) -> Body:
    """Return `body` as `form`, a flat Struct that forbids unknown fields.

    Raises:
        ValidationError: `details` names every field that is missing, unknown, repeated or of the wrong
            type; `body` stands for the whole when it is no JSON object.
    """
    try:
        parsed: Body = _decoder(form).decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        details = _explain(body, form)
        raise ValidationError(details=details, detail=type(error).__name__) from None
    if repeated := _repeated_names(body, form):
        raise ValidationError(details=dict.fromkeys(repeated, "duplicate_key"), detail="duplicate key")
    return parsed


@cache
def _decoder(form: type[msgspec.Struct]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(form)


# The standard library's reader, because it hands over what stands there and not what is left of it.
_pairs = json.JSONDecoder(object_pairs_hook=list)


def _repeated_names(body: bytes, form: type[msgspec.Struct]) -> list[str]:
    """Return the names that stand more than once in a body that matched its flat form.

    Without a backslash a name has one spelling, so that counting the known ones is enough for nearly every body.
    """
    if b"\\" not in body and all(body.count(name) < 2 for name in _quoted_names(form)):
        return []
    names: list[str] = [name for name, _ in _pairs.decode(body.decode())]
    return sorted({name for name in names if names.count(name) > 1})


@cache
def _quoted_names(form: type[msgspec.Struct]) -> tuple[bytes, ...]:
    return tuple(f'"{field.encode_name}"'.encode() for field in fields(form))


def _explain(body: bytes, form: type[msgspec.Struct]) -> dict[str, str]:
    """Return the reason for each field of a body that did not match."""
    if not body.strip():
        return {"body": "empty"}
    try:
        given = msgspec.json.decode(body)
    except RecursionError:
        return {"body": "too_deep"}
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {"body": "invalid_json"}
    if not isinstance(given, dict):
        return {"body": "wrong_type"}
    known = {field.encode_name: field for field in fields(form)}
    wrong = {_bounded(name): "unknown_field" for name in list(given)[:20] if name not in known}
    for name, field in known.items():
        if name not in given:
            if field.required:
                wrong[name] = "required"
        elif reason := _wrong_value(given[name], field):
            wrong[name] = reason
    return wrong or {"body": "invalid_json"}


def _wrong_value(value: object, field: FieldInfo) -> str | None:
    try:
        msgspec.convert(value, field.type)
    except msgspec.ValidationError as error:
        text = str(error)
        if "length" in text:
            return "too_long" if "<=" in text else "too_short"
        return "invalid_choice" if "enum" in text.lower() else "wrong_type"
    return None


def _bounded(name: str) -> str:
    return "".join(mark if mark.isprintable() else "?" for mark in name[:64])

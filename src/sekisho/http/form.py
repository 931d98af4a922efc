"""Bodies of the OAuth endpoints: `application/x-www-form-urlencoded`, bounded, each name once.

Spec: RFC 6749 appendix B, section 3.2 (parameters must not be included more than once).
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from sekisho.errors import UnsupportedMediaType, ValidationError
from sekisho.http.call import Call

MAX_FIELDS = 20
MAX_VALUE_CHARS = 8192


async def read_form(call: Call) -> dict[str, str]:
    """Return the fields. Unknown ones are passed over, as the specification asks.

    Raises:
        PayloadTooLarge: as every body.
        UnsupportedMediaType: not a form.
        ValidationError: not a form's text, a field twice, or one too long.
    """
    kind = (call.header(b"content-type") or "").partition(";")[0].strip().lower()
    raw = await call.raw_body()
    if kind != "application/x-www-form-urlencoded":
        raise UnsupportedMediaType(detail="not a form")
    try:
        text = raw.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=MAX_FIELDS)
    except ValueError:
        raise ValidationError(details={"body": "wrong_type"}, detail="not a form") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValidationError(details={"body": "duplicate_key"}, detail="a field twice")
    if any(len(value) > MAX_VALUE_CHARS for value in fields.values()):
        raise ValidationError(details={"body": "too_long"}, detail="a field too long")
    return fields


def required(fields: dict[str, str], name: str) -> str:
    """Return a field.

    Raises:
        ValidationError: missing or empty.
    """
    if not fields.get(name):
        raise ValidationError(details={name: "required"}, detail="missing field")
    return fields[name]

"""What every group of settings is made of."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

TOKEN = r"^[A-Za-z0-9_-]{1,64}$"  # noqa: S105 - the shape of a cookie or header name


class Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def setting(default: Any, en: str, ja: str, example: str, **bounds: Any) -> Any:
    """Return a field that knows its meaning in both languages and a value that works."""
    return Field(default, description=en, json_schema_extra={"ja": ja, "example": example}, **bounds)


def split(value: object) -> object:
    """Turn `a, b` into `("a", "b")`; anything that is not text passes through."""
    if isinstance(value, str):
        return tuple(part for part in (piece.strip() for piece in value.split(",")) if part)
    return value

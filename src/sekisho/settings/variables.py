"""The variables: one per setting, derived from the model, with the names that others use for them."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin

from msgspec import Struct
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from sekisho.settings.model import Settings

PREFIX = "SEKISHO_"
DERIVED = frozenset({"mode", "database_path"})

ALIASES = {
    "PORT": "port",
    "ALLOWED_ORIGINS": "allowed_origins",
    "JWT_SECRET_KEY": "jwt.secret_key",
    "DB_PASSWORD": "database_password",
    "REDIS_HOST": "redis.host",
    "REDIS_PORT": "redis.port",
    "REDIS_PASSWORD": "redis.password",
    "SMTP_HOST": "mail.host",
    "SMTP_PORT": "mail.port",
    "SMTP_USER": "mail.user",
    "SMTP_PASSWORD": "mail.password",
    "SMTP_FROM": "mail.from",
}

# Greedy: a password that holds an unescaped @ must not show its end.
_URL_PASSWORD = re.compile(r"^(\w+://[^:/@]*):.*@")


class Variable(Struct, frozen=True, kw_only=True):
    """One setting as the outside names it.

    path: group and name, as `jwt.access_minutes`.
    kind: the type in words of the reference page.
    aliases: other names that are accepted; `name` wins over them.
    """

    path: str
    name: str
    kind: str
    default: str
    en: str
    ja: str
    example: str
    is_secret: bool
    aliases: tuple[str, ...]

    def names(self) -> tuple[str, ...]:
        """Every name that may carry the value, the strongest first."""
        return (self.name, *self.aliases)


def _kind(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return " | ".join(get_args(annotation))
    if get_origin(annotation) is tuple:
        return "list"
    if get_origin(annotation) in (Union, types.UnionType):
        return _kind(next(part for part in get_args(annotation) if part is not type(None)))
    return {bool: "true | false", int: "number", str: "text", SecretStr: "secret"}.get(annotation, "path")


def shown(value: object) -> str:
    """Return a value as somebody would write it into its variable; a secret as stars."""
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return "********"
    if isinstance(value, str) and value.startswith("postgres"):
        return _URL_PASSWORD.sub(r"\1:********@", value)
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _variable(path: str, field: FieldInfo) -> Variable:
    extra = field.json_schema_extra
    assert isinstance(extra, dict), path
    kind = _kind(field.annotation)
    return Variable(
        path=path,
        name=PREFIX + path.replace(".", "__").upper(),
        kind=kind,
        default=shown(field.default),
        en=field.description or "",
        ja=str(extra["ja"]),
        example=str(extra["example"]),
        is_secret=kind == "secret",
        aliases=tuple(alias for alias, target in ALIASES.items() if target == path),
    )


def _walk(model: type[BaseModel], prefix: str = "") -> Iterator[Variable]:
    for name, field in model.model_fields.items():
        path = prefix + (str(field.validation_alias) if field.validation_alias else name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _walk(field.annotation, path + ".")
        elif path not in DERIVED:
            yield _variable(path, field)


VARIABLES: dict[str, Variable] = {variable.path: variable for variable in _walk(Settings)}


def value_of(settings: Settings, path: str) -> Any:
    """Return the value that stands under a path such as `mail.from`."""
    value: Any = settings
    for name in path.replace("mail.from", "mail.sender").split("."):
        value = getattr(value, name)
    return value

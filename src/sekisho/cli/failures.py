"""How a command fails: one exact sentence on standard error and exit code 1; never a traceback for what an
operator can put right."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import msgspec
import typer

from sekisho import catalogue
from sekisho.cli.texts import LANGUAGE, has, say
from sekisho.errors import Refusal, ServiceUnavailable, ValidationError
from sekisho.master_secret import UnsealError
from sekisho.ports.storage import StoreUnavailable
from sekisho.settings import SettingsError

FAILED = 1


def fail(error: str, message: str, *, as_json: bool, **more: object) -> NoReturn:
    """Tell the failure and leave with exit code 1.

    error: a stable word for scripts. more: further fields of the JSON form.
    """
    if as_json:
        print(msgspec.json.encode({"error": error, "message": message, **more}).decode(), file=sys.stderr)
    else:
        print(message, file=sys.stderr)
    raise typer.Exit(FAILED)


@contextmanager
def told(*, as_json: bool = False, hint: str = "") -> Iterator[None]:
    """Turn every failure that an operator can put right into `fail`; a programming mistake passes."""
    try:
        yield
    except SettingsError as error:
        message = error.render(LANGUAGE) + (f"\n\n{hint}" if hint else "")
        mistakes = [
            {"variable": each.variable, "message": each.ja if LANGUAGE == "ja" else each.en, "example": each.example}
            for each in error.mistakes
        ]
        fail("settings", message, as_json=as_json, mistakes=mistakes)
    except ValidationError as error:
        fail(error.code, "\n".join(_field_lines(error)), as_json=as_json, details=dict(error.details or {}))
    except ServiceUnavailable as error:
        fail(error.code, say("refused.busy"), as_json=as_json)
    except Refusal as error:
        fail(error.code, catalogue.text(f"error.{error.code}", LANGUAGE), as_json=as_json)
    except StoreUnavailable as error:
        fail("store_unavailable", say("store.unavailable", detail=error), as_json=as_json)
    except Exception as error:
        sentence = store_failure(error)
        if sentence is None:
            raise
        fail(_snake(type(error).__name__), sentence, as_json=as_json)


def store_failure(error: BaseException) -> str | None:
    """Return what to tell when a store cannot be opened; None if this error is something else.

    By the class's name, so that telling a failure loads no database library.
    """
    if isinstance(error, UnsealError):
        return say("store.UnsealError")
    key = f"store.{type(error).__name__}"
    if not has(key):
        return None
    facts: dict[str, Any] = {name: getattr(error, name, None) or "-" for name in ("path", "found", "wanted")}
    return say(key, detail=error, **facts)


def _field_lines(error: ValidationError) -> Iterator[str]:
    for field, reason in (error.details or {}).items():
        yield say("refused.field", field=field, reason=_reason(field, str(reason)))


def _reason(field: str, reason: str) -> str:
    """The commands' own sentence about this field, else the one that the server says to everybody."""
    own, shared = f"reason.{field}.{reason}", f"reason.{reason}"
    if has(own):
        return say(own)
    return catalogue.text(shared, LANGUAGE) if shared in catalogue.keys(LANGUAGE) else reason


def _snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name).lstrip("_")

"""How a command fails: one exact sentence on standard error and exit code 1; never a traceback for what an
operator can put right."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import typer

from sekisho import catalogue
from sekisho.audit.shipping import SINK_BEHIND
from sekisho.cli.texts import LANGUAGE, has, say
from sekisho.errors import Refusal, ServiceUnavailable, ValidationError
from sekisho.master_secret import UnsealError
from sekisho.ports.storage import StoreUnavailable
from sekisho.settings import STATE_FOLDER, Settings, SettingsError

FAILED = 1


def fail(error: str, message: str, *, as_json: bool, **more: object) -> NoReturn:
    """Tell the failure and leave with exit code 1.

    error: a stable word for scripts. more: further fields of the JSON form.
    """
    tell_failure(error, message, as_json=as_json, **more)
    raise typer.Exit(FAILED)


def tell_failure(error: str, message: str, *, as_json: bool, **more: object) -> None:
    told = msgspec.json.encode({"error": error, "message": message, **more}).decode() if as_json else message
    print(told, file=sys.stderr)


@contextmanager
def told(settings: Settings | None = None, *, as_json: bool = False, hint: str = "") -> Iterator[None]:
    """Turn every failure that an operator can put right into `fail`; a programming mistake passes.

    settings: those that the store is opened with, to name its place.
    """
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
        is_behind = error.detail == SINK_BEHIND
        fail(error.code, say("refused.sink_behind" if is_behind else "refused.busy"), as_json=as_json)
    except Refusal as error:
        fail(error.code, catalogue.text(f"error.{error.code}", LANGUAGE), as_json=as_json)
    except StoreUnavailable as error:
        fail("store_unavailable", say("store.unavailable", detail=error), as_json=as_json)
    except Exception as error:
        sentence = store_failure(error, settings)
        if sentence is None:
            raise
        fail(_snake(type(error).__name__), sentence, as_json=as_json)


def store_failure(error: BaseException, settings: Settings | None = None) -> str | None:
    """Return what to tell when a store cannot be opened; None if this error is something else.

    By the class's name, so that telling a failure loads no database library.
    """
    if isinstance(error, UnsealError):
        return say("store.UnsealError")
    key = f"store.{type(error).__name__}"
    if not has(key):
        return None
    if settings is not None and (exact := _exact_failure(type(error).__name__, error, settings)):
        return exact
    facts: dict[str, Any] = {name: getattr(error, name, None) or "-" for name in ("path", "found", "wanted", "why")}
    return say(key, detail=error, **facts)


def _exact_failure(kind: str, error: BaseException, settings: Settings) -> str | None:
    """Return the sentence for what a look at the disk or the mode explains better than the store can."""
    if settings.is_postgres:
        is_empty = kind == "SchemaTooOld" and getattr(error, "found", None) is None
        return say("store.no_tables", path=settings.database_place) if is_empty else None
    path = settings.database_path
    never_made = kind == "SchemaTooOld" and getattr(error, "found", None) is None
    if (never_made or kind == "CannotWrite") and _is_missing(path.parent):
        return say("store.no_folder", folder=path.parent, quoted=shlex.quote(str(path.parent)))
    if never_made:
        return say("store.no_database" if _is_missing(path) else "store.no_tables", path=path)
    if kind == "WrongMasterSecret" and settings.origin_of("secret") == f"file {STATE_FOLDER}/secret":
        folder = f"{STATE_FOLDER}" + ("" if path.parent.name == STATE_FOLDER else f" {shlex.quote(str(path))}")
        return say("store.wrong_dev_secret", secret=f"{STATE_FOLDER}/secret", path=_from_here(path), folder=folder)
    return None


def _is_missing(path: Path) -> bool:
    """What cannot be looked at is not missing."""
    try:
        path.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def _from_here(path: Path) -> str:
    below = os.path.relpath(path)
    return str(path) if below.startswith(os.pardir) else below


def _field_lines(error: ValidationError) -> Iterator[str]:
    details = error.details or {}
    for field, reason in details.items():
        if isinstance(reason, str):
            yield say("refused.field", field=field, reason=_reason(field, reason, details, error.values))


def _reason(field: str, code: str, details: Mapping[str, object], values: Mapping[str, object]) -> str:
    """The commands' own sentence about this field, else the one that the server says to everybody."""
    own = f"reason.{field}.{code}"
    if has(own):
        return say(own)
    is_known = f"reason.{code}" in catalogue.keys(LANGUAGE)
    return catalogue.reason_with_hints(field, details, LANGUAGE, values) if is_known else code


def _snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name).lstrip("_")

"""Load: find every value, check each, check all together, complete what was left open."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic_settings import EnvSettingsSource

from sekisho.settings.dev import STATE_FOLDER, StateUnusable, development_secret, make_folder
from sekisho.settings.mistakes import Mistake, SettingsError, StateError, assignment, language_of
from sekisho.settings.model import Mode, Settings
from sekisho.settings.rules import faults
from sekisho.settings.rules.fault import Fault
from sekisho.settings.sources import Found, find
from sekisho.settings.variables import VARIABLES

_SQLITE = "sqlite:///"
_NONE: Mapping[str, object] = {}


def load(
    mode: Mode,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    overrides: Mapping[str, object] = _NONE,
    *,
    may_create: bool = True,
) -> Settings:
    """Return settings that are valid as a whole.

    In dev this makes `.sekisho/` in `cwd`, with a master secret in it if none is given; nothing is
    written when there are mistakes.

    Args:
        environ: instead of the process environment.
        cwd: what relative paths, `.env` and `.sekisho/` are relative to; by default the current folder.
        overrides: values of command line options by path, as `{"port": 9000}`.
        may_create: False for who only reads: development state that is not there stays so.

    Raises:
        SettingsError: with every mistake there is.
        StateError: the settings are right, but the folder of dev cannot be used.
    """
    given = os.environ if environ is None else environ
    folder = Path.cwd() if cwd is None else cwd.absolute()
    found, mistakes = find(given, folder, overrides, with_dotenv=mode == "dev")
    if key := found.get("jwt.secret_key"):
        found.setdefault("jwt.algorithm", Found("HS256", key.name, key.origin))

    settings, type_mistakes = _typed(found)
    explained = {mistake.variable for mistake in mistakes}
    mistakes += [mistake for mistake in type_mistakes if mistake.variable not in explained]
    settings = _completed(settings, mode, folder)
    mistakes += _unsaid(faults(settings), found, {mistake.variable for mistake in mistakes})
    if mistakes:
        raise SettingsError(mistakes, language=language_of(given))
    if mode == "dev":
        try:
            settings = _with_state(settings, folder / STATE_FOLDER, found, may_create=may_create)
        except StateUnusable as unusable:
            raise StateError([unusable.mistake], language=language_of(given)) from unusable
    settings._origins.update({path: value.origin for path, value in found.items()})
    return settings


class _Given(EnvSettingsSource):
    """The library's reading of names (prefix, nesting), fed with what `find` chose."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        super().__init__(Settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): text for name, text in self._texts.items()}


def _build(found: Mapping[str, Found]) -> Settings:
    values: dict[str, Any] = _Given({VARIABLES[path].name: value.text for path, value in found.items()})()
    return Settings(**values)


def _typed(found: Mapping[str, Found]) -> tuple[Settings, list[Mistake]]:
    """Return settings in which each unusable value is replaced by its default, and the complaints."""
    try:
        return _build(found), []
    except ValidationError as problem:
        wrong = {
            ".".join(str(part) for part in error["loc"][:2] if isinstance(part, str)): error
            for error in problem.errors()
        }
    mistakes = [_mistake(Fault(path, *_worded(error, found[path].text)), found) for path, error in wrong.items()]
    return _build({path: value for path, value in found.items() if path not in wrong}), mistakes


_WORDS: dict[str, Callable[[Mapping[str, Any]], tuple[str, str]]] = {
    "int_parsing": lambda _: ("must be a whole number", "整数を指定してください"),
    "bool_parsing": lambda _: ("must be true or false", "true か false を指定してください"),
    "greater_than_equal": lambda ctx: (f"must be at least {ctx['ge']}", f"{ctx['ge']} 以上を指定してください"),
    "less_than_equal": lambda ctx: (f"must be at most {ctx['le']}", f"{ctx['le']} 以下を指定してください"),
    "literal_error": lambda ctx: (
        f"must be {ctx['expected']}",
        f"次のどれかを指定してください: {ctx['expected']}".replace(" or ", ", "),
    ),
    "string_too_short": lambda ctx: ("is too short", "短すぎます"),
    "string_too_long": lambda ctx: (
        f"has more than {ctx['max_length']} characters",
        f"{ctx['max_length']} 文字以内にしてください",
    ),
    "string_pattern_mismatch": lambda _: (
        "must be 1 to 64 letters, digits, - or _",
        "英数字、-、_ で 1 文字以上 64 文字以内にしてください",
    ),
}


def _anything_else(_: Mapping[str, Any]) -> tuple[str, str]:
    return "cannot be understood", "値を解釈できません"


def _worded(error: Any, text: str) -> tuple[str, str]:
    words = _WORDS.get(error["type"], _anything_else)
    en, ja = words(error.get("ctx", {}))
    brief = text if len(text) <= 60 else text[:60] + "…"
    return f"{en}: {brief!r}.", f"{ja}: {brief!r}"


def _completed(settings: Settings, mode: Mode, folder: Path) -> Settings:
    """Fill in the defaults that depend on the mode, the folder and other settings."""
    is_dev = mode == "dev"
    database_url = settings.database_url or (f"{_SQLITE}{STATE_FOLDER}/sekisho.db" if is_dev else "")
    public_url = settings.public_url or (f"http://localhost:{settings.port}" if is_dev else "")
    is_postgres = database_url.startswith("postgres")
    form = settings.log.format
    return settings.model_copy(
        update={
            "mode": mode,
            "public_url": public_url,
            "audience": settings.audience or public_url,
            "database_url": database_url,
            "database_path": folder / (STATE_FOLDER if is_postgres else database_url.removeprefix(_SQLITE)),
            "places_file": settings.places_file and folder / settings.places_file,
            "password": settings.password.model_copy(
                update={"breached_file": settings.password.breached_file and folder / settings.password.breached_file}
            ),
            "metrics": settings.metrics if settings.metrics != "auto" else ("loopback" if is_dev else "off"),
            "log": settings.log.model_copy(
                update={"format": form if form != "auto" else ("console" if is_dev else "json")}
            ),
        }
    )


def _with_state(settings: Settings, state: Path, found: dict[str, Found], *, may_create: bool) -> Settings:
    """Make the folder of dev, and read or make its secret unless one is given."""
    if settings.secret is not None:
        if may_create:
            make_folder(state)
        return settings
    secret = development_secret(state, settings.database_path, may_create=may_create)
    found["secret"] = Found("", "", f"file {STATE_FOLDER}/secret")
    return settings.model_copy(update={"secret": SecretStr(secret)})


def _unsaid(broken: Iterable[Fault], found: Mapping[str, Found], complained: set[str]) -> list[Mistake]:
    """Return the mistakes of settings that nobody has complained about yet."""
    return [_mistake(fault, found) for fault in broken if complained.isdisjoint(_all_names(fault.path))]


def _all_names(path: str) -> set[str]:
    variable = VARIABLES[path]
    options = {f"--{path.replace('.', '-')}"}
    return options | {name + end for name in variable.names() for end in ("", "_FILE")}


def _mistake(fault: Fault, found: Mapping[str, Found]) -> Mistake:
    variable = VARIABLES[fault.path]
    name = found[fault.path].name if fault.path in found else variable.name
    example = fault.example or variable.example
    if variable.is_secret and name.endswith("_FILE"):
        example = f"/run/secrets/{variable.path}"
    return Mistake(name, fault.en, fault.ja, assignment(name, example))

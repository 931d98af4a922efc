"""Where values come from: options, then the environment, then `.env` in dev; and who lost to whom.

Every value is text here. What cannot be a setting (an unknown name, an unreadable file) is
collected as a mistake instead of being skipped: a misspelt variable is the classic silent failure.
"""

from __future__ import annotations

import difflib
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from dotenv import dotenv_values

from sekisho.model import Discreet
from sekisho.settings.mistakes import Mistake, assignment
from sekisho.settings.variables import PREFIX, VARIABLES, Variable

MAX_FILE_BYTES = 64 * 1024
# From here on a name is rather a misspelt one than another thing: below it the suggestions turn silly.
_ALIKE = 0.8
_CLUSTER_MADE = re.compile(r"SEKISHO_(SERVICE_(HOST|PORT)(_.*)?|PORT_\d+_(TCP|UDP)(_.*)?)")
_KNOWN = {variable.name for variable in VARIABLES.values()} | {
    variable.name + "_FILE" for variable in VARIABLES.values() if variable.is_secret
}


class Found(Discreet, frozen=True):
    """A value as text, and where it stood. `name` is what its owner wrote; `origin` says it in words."""

    text: str
    name: str
    origin: str


class _Layer(Discreet, frozen=True):
    label: str
    values: Mapping[str, str]


def find(
    environ: Mapping[str, str], cwd: Path, overrides: Mapping[str, object], *, with_dotenv: bool
) -> tuple[dict[str, Found], list[Mistake]]:
    """Return the winning text of every setting that somebody gave, and the mistakes met on the way."""
    mistakes: list[Mistake] = []
    layers = [_Layer("environment", environ)]
    if with_dotenv:
        layers.append(_Layer(".env", _read_dotenv(cwd / ".env", mistakes)))

    found: dict[str, Found] = {}
    for layer in reversed(layers):
        mistakes.extend(_foreign_names(layer.values))
        for variable in VARIABLES.values():
            if value := _from_layer(variable, layer, cwd, mistakes):
                found[variable.path] = value
        if url := _url_of_parts(layer):
            found["database_url"] = url
    for path, chosen in overrides.items():
        found[path] = Found(str(chosen), f"--{path.replace('.', '-')}", f"option --{path.replace('.', '-')}")
    return found, mistakes


def _from_layer(variable: Variable, layer: _Layer, cwd: Path, mistakes: list[Mistake]) -> Found | None:
    for name in variable.names():
        text = layer.values.get(name)
        file = layer.values.get(name + "_FILE") if variable.is_secret else None
        if text and file:
            mistakes.append(
                Mistake(
                    name,
                    f"is given twice, here and in {name}_FILE: keep one.",
                    f"{name}_FILE と二重に指定されています。どちらか一方にしてください。",
                )
            )
        if file:
            secret = _read_secret(cwd / file, name + "_FILE", mistakes)
            return Found(secret, name + "_FILE", f"file {file} ({name}_FILE)") if secret else None
        if text == "" and variable.is_secret:
            mistakes.append(
                Mistake(name, "is empty.", "値が空です。", assignment(name, variable.example)),
            )
        if text:
            return Found(text, name, f"{layer.label} {name}")
    return None


def _url_of_parts(layer: _Layer) -> Found | None:
    """Return the URL that `DB_HOST` and its companions mean. The password stays out of it."""
    host = layer.values.get("DB_HOST")
    if not host or layer.values.get("SEKISHO_DATABASE_URL"):
        return None
    user = quote(layer.values.get("DB_USER") or "sekisho", safe="")
    name = quote(layer.values.get("DB_NAME") or "sekisho", safe="")
    address = f"[{host}]" if ":" in host else host
    url = f"postgresql://{user}@{address}:{layer.values.get('DB_PORT') or 5432}/{name}"
    return Found(url, "DB_HOST", f"{layer.label} DB_HOST")


def _read_secret(path: Path, name: str, mistakes: list[Mistake]) -> str:
    """Return the file's text without its last line end; an unreadable file is a mistake."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
        text = raw.decode()
    except (OSError, UnicodeDecodeError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "not UTF-8 text"
        mistakes.append(
            Mistake(
                name,
                f"names a file that cannot be read: {path} ({reason}).",
                f"ファイルを読めません: {path} ({reason})",
            )
        )
        return ""
    text = text.removesuffix("\n").removesuffix("\r")
    if not text or len(raw) > MAX_FILE_BYTES:
        mistakes.append(
            Mistake(
                name, f"names a file that is empty or far too large: {path}.", f"ファイルが空か大きすぎます: {path}"
            )
        )
        return ""
    return text


def _read_dotenv(path: Path, mistakes: list[Mistake]) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError):
        mistakes.append(Mistake(".env", "cannot be read as UTF-8 text.", "UTF-8 のテキストとして読めません。"))
        return {}
    return {name: value or "" for name, value in dotenv_values(stream=io.StringIO(text), interpolate=False).items()}


def _foreign_names(values: Mapping[str, str]) -> Iterator[Mistake]:
    for name in sorted(values):
        if name.upper().startswith(PREFIX) and name not in _KNOWN:
            yield _unknown(name)
        elif name == "SEKISHO_PORT" and values[name].startswith("tcp://"):
            yield _made_by_cluster(name)


def _unknown(name: str) -> Mistake:
    if _CLUSTER_MADE.fullmatch(name):
        return _made_by_cluster(name)
    near = difflib.get_close_matches(name.upper(), sorted(_KNOWN), n=1, cutoff=_ALIKE)
    variable = next((v for v in VARIABLES.values() if near and v.name == near[0].removesuffix("_FILE")), None)
    if not near or variable is None:
        return Mistake(name, "is not a setting.", "そのような設定はありません。")
    return Mistake(
        name,
        f"is not a setting. Did you mean {near[0]}?",
        f"そのような設定はありません。{near[0]} ではありませんか?",
        f"{near[0]}=/run/secrets/sekisho" if near[0] != variable.name else assignment(near[0], variable.example),
    )


def _made_by_cluster(name: str) -> Mistake:
    return Mistake(
        name,
        "was made by Kubernetes for a service named sekisho. Set `enableServiceLinks: false` on the pod.",
        "Kubernetes が Service の sekisho のために作った変数です。Pod を `enableServiceLinks: false` にしてください。",
        "SEKISHO_PORT=8080" if name == "SEKISHO_PORT" else "",
    )

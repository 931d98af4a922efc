"""Settings as people read them: what is in force and why, and the reference of all there is."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from sekisho.settings.model import Settings
from sekisho.settings.variables import VARIABLES, Variable, shown, value_of


class Row(Struct, frozen=True):
    """One line of `sekisho config`. `value` is masked for secrets; `origin` says who gave it."""

    path: str
    variable: str
    value: str
    origin: str


def describe(settings: Settings) -> tuple[Row, ...]:
    """Return every setting with its value and where that came from; secrets are stars."""
    return tuple(
        Row(path, variable.name, shown(value_of(settings, path)), settings.origin_of(path))
        for path, variable in VARIABLES.items()
    )


def reference() -> Iterator[Variable]:
    """Yield every setting there is, in the order of the model."""
    yield from VARIABLES.values()

"""What the commands say, in English and Japanese, by the locale of whoever runs them."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from sekisho.cli.program import program
from sekisho.settings import language_here

LANGUAGES = ("en", "ja")

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def table(language: str) -> dict[str, str]:
    """Return every text of a language."""
    return msgspec.json.decode(Path(__file__).with_name(f"{language}.json").read_bytes(), type=dict[str, str])


LANGUAGE = language_here()
_TEXTS = table(LANGUAGE)


def say(key: str, **values: object) -> str:
    """Return the text with each `{name}` replaced. `{sekisho}` is the program as the reader called it.

    Raises:
        KeyError: no such text, or a value is missing. A programming mistake.
    """
    return _PLACEHOLDER.sub(lambda found: program() if found[1] == "sekisho" else str(values[found[1]]), _TEXTS[key])


def has(key: str) -> bool:
    return key in _TEXTS

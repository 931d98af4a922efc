"""What is wrong with the settings, in words that name the variable and a value that works."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from msgspec import Struct


class Mistake(Struct, frozen=True):
    """One thing to put right.

    variable: what to change: an environment variable, an option or a file.
    en, ja: what is wrong. Never holds the value of a secret.
    example: a line that works in a shell as it stands; "" where removing the variable is the answer.
    """

    variable: str
    en: str
    ja: str
    example: str = ""


class SettingsError(Exception):
    """The settings are wrong. `str()` is the whole text to print, in the reader's language."""

    def __init__(self, mistakes: Sequence[Mistake], *, language: str = "en") -> None:
        self.mistakes = tuple(mistakes)
        self.language = language
        super().__init__(self.render(language))

    def render(self, language: str) -> str:
        """Return all mistakes, two lines each, in `ja` or else in English."""
        japanese = language == "ja"
        count = len(self.mistakes)
        head = f"設定に誤りが {count} 件あります。" if japanese else f"The settings have {_counted(count)}:"
        lines = [head]
        for mistake in self.mistakes:
            lines.append(f"  {mistake.variable}: {mistake.ja if japanese else mistake.en}")
            if mistake.example:
                lines.append(f"      {'例' if japanese else 'for example'}: {mistake.example}")
        return "\n".join(lines)


class StateError(SettingsError):
    """The folder of `sekisho dev` cannot be used. Nobody's setting is wrong: each text is a sentence of its own."""

    def render(self, language: str) -> str:
        japanese = language == "ja"
        sentences = (
            (mistake.ja if japanese else mistake.en) + (f"\n  {mistake.example}" if mistake.example else "")
            for mistake in self.mistakes
        )
        return "\n".join(sentences)


def assignment(name: str, value: str) -> str:
    """Return a line that a shell takes as it stands: `name=value`, or `--name value` for an option."""
    quoted = f'"{value}"' if value.startswith("$(") else shlex.quote(value)
    return f"{name} {quoted}" if name.startswith("--") else f"{name}={quoted}"


def _counted(count: int) -> str:
    return "1 mistake" if count == 1 else f"{count} mistakes"


def language_of(environ: Mapping[str, str]) -> str:
    """Return `ja` for a Japanese locale, else `en`. Order as in POSIX."""
    locale = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "")
    return "ja" if locale == "ja" or locale.startswith(("ja_", "ja.")) else "en"

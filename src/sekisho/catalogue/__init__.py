"""Every sentence that the server says to a person, in English and Japanese.

Keys are flat and grouped by their prefix: `error.<code>` (a refusal), `reason.<code>` (why a field
was refused; `reason.<field>.<code>` says it better for one field), `field.<name>` (a field's label),
`message.<flow>` (a success), `history.<event>.<outcome>` (a line of the person's own history). Letters have
templates of their own (`sekisho.delivery`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import msgspec

LOCALES = ("en", "ja")
DEFAULT_LOCALE = "en"

_MAX_HEADER_CHARACTERS = 512
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_WEIGHT = re.compile(r"(?i)q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


def _load(locale: str) -> dict[str, str]:
    return msgspec.json.decode(Path(__file__).with_name(f"{locale}.json").read_bytes(), type=dict[str, str])


_TEXTS = {locale: _load(locale) for locale in LOCALES}


def keys(locale: str) -> frozenset[str]:
    """Every key of a locale, for pages and tests that list them."""
    return frozenset(_TEXTS[locale])


def reason(field: str, code: str, locale: str, values: Mapping[str, object]) -> str:
    """Return why a field was refused: the field's own sentence where there is one and `values` has what it says."""
    own = f"reason.{field}.{code}"
    if own in _TEXTS[locale] and values.keys() >= set(_PLACEHOLDER.findall(_TEXTS[locale][own])):
        return text(own, locale, **values)
    return text(f"reason.{code}", locale)


def reason_with_hints(field: str, details: Mapping[str, object], locale: str, values: Mapping[str, object]) -> str:
    """Return why a field was refused and, where `details` holds `<field>_hints`, what would be better."""
    hints = details.get(f"{field}_hints", ())
    said = [reason(field, str(details[field]), locale, values)]
    said += [text(f"hint.{hint}", locale) for hint in hints] if isinstance(hints, list | tuple) else []
    return " ".join(said) if locale == "en" else "".join(said)


def text(key: str, locale: str, **values: object) -> str:
    """Return the sentence with each `{name}` replaced by its value.

    One pass over the sentence: a value that looks like a placeholder stays as it is. The result is
    plain text; whoever puts it into HTML escapes it.

    Raises:
        KeyError: unknown key or locale, or a value is missing. A programming mistake.
    """
    return _PLACEHOLDER.sub(lambda found: str(values[found[1]]), _TEXTS[locale][key])


@lru_cache(maxsize=512)
def choose_locale(accept_language: str) -> str:
    """Return the locale that an `Accept-Language` header (untrusted) prefers; English if none fits.

    Only the first 512 characters are read. What is malformed is skipped.

    Spec: RFC 9110 sections 12.4.2 and 12.5.4.
    """
    weights: dict[str, float] = {}
    for item in accept_language[:_MAX_HEADER_CHARACTERS].lower().split(","):
        language_range, _, parameter = (part.strip() for part in item.partition(";"))
        weight = _WEIGHT.fullmatch(parameter)
        if parameter and not weight:
            continue
        language = language_range.partition("-")[0]
        weights[language] = max(weights.get(language, 0.0), float(weight[1]) if weight else 1.0)
    return _best(weights)


def _best(weights: dict[str, float]) -> str:
    """The heaviest locale; of equals the one that was named first, then the default."""
    named = [language for language in weights if language in LOCALES]
    candidates = [*named, *(locale for locale in LOCALES if locale not in named)]
    anything = weights.get("*", 0.0)
    best = max(candidates, key=lambda locale: weights.get(locale, anything))
    return best if weights.get(best, anything) > 0 else DEFAULT_LOCALE

"""Write the tables that stand inside pages of docs/explanation, from the code that means them.

    python scripts/explained_tables.py     write them again

A table stands between `<!-- table: NAME -->` and `<!-- end of table -->`; the rest of the page is written by hand.
tests/architecture/test_explained_tables.py compares them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from sekisho.passwords.compliance import RULES, Facts
from sekisho.passwords.policy import PasswordPolicy, Profile
from sekisho.settings import reference

TEXTS = Path(__file__).parent / "reference_texts"
DOCS = Path(__file__).parent.parent / "docs"
PLACES = {"en": DOCS / "explanation", "ja": DOCS / "ja" / "explanation"}
BLOCK = re.compile(r"(<!-- table: (\w+) -->\n\n)(?:\|.*\n)*(\n<!-- end of table -->)")

RULE_HEADS = {"en": ("rule", "what it asks"), "ja": ("規定", "内容")}
MARKS = {"en": ("meets", "departs"), "ja": ("適合", "逸脱")}
SETTINGS_HEADS = {"en": ("rule", "met", "departed from"), "ja": ("規定", "適合する設定", "逸脱する設定")}
FACT_TEXTS: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "NIST 3.1.1.2 (no other rules)": ({"min_score": 0}, {"min_score": 1}),
    "ASVS 6.2.9, NIST 3.1.1.2 (64 characters)": ({"hash": "standard"}, {"hash": "bcrypt"}),
    "ASVS 6.2.12, NIST 3.1.1.2 (compromised)": ({"breached_file": "…"}, {"breached_file": "", "breached_url": ""}),
    "ASVS 11.4.2": ({"hash": "standard"}, {"hash": "bcrypt"}),
    "NIST 3.1.1.2 (keyed hash, should)": ({"pepper": "…"}, {"pepper": ""}),
}
"""The settings that decide a rule beside the profile: some that meet it, some that depart from it."""


def facts(profile: Profile = Profile.STRICT, **settings: object) -> Facts:
    """Return the facts of a profile with these settings of the group `password`."""
    score = settings.get("min_score")
    return Facts(
        policy=PasswordPolicy(profile, min_score=score if isinstance(score, int) else None),
        hash=str(settings.get("hash", "standard")),
        knows_breached=bool(settings.get("breached_file") or settings.get("breached_url")),
        has_pepper=bool(settings.get("pepper")),
    )


def password_rules(language: str) -> str:
    """Return each rule with what each profile does about it, all other settings at their defaults."""
    heads = (*RULE_HEADS[language], *(f"`{profile}`" for profile in Profile))
    rows = [
        (
            rule.source,
            rule.en if language == "en" else rule.ja,
            *(MARKS[language][not rule.holds(facts(profile))] for profile in Profile),
        )
        for rule in RULES
    ]
    return _table(heads, rows)


def password_settings(language: str) -> str:
    """Return the rules that a setting decides."""
    rows = [(source, _said(met), _said(departed)) for source, (met, departed) in FACT_TEXTS.items()]
    return _table(SETTINGS_HEADS[language], rows)


KEY_HEADS = {
    "en": ("key", "protects", "algorithm", "how it is replaced"),
    "ja": ("鍵", "守るもの", "アルゴリズム", "替え方"),
}
USES = {
    "en": {"key": "key of", "tag": "tag of", "lasting": "lasting tag of", "seal": "seal of"},
    "ja": {"key": "鍵", "tag": "タグ", "lasting": "替わらないタグ", "seal": "封"},
}


def keys() -> dict[str, list[dict[str, Any]]]:
    """Return the inventory of keys as it is written down."""
    return tomllib.loads((TEXTS / "keys.toml").read_text(encoding="utf-8"))


def key_settings(language: str) -> str:
    variables = {variable.path: variable.name for variable in reference()}
    rows = [(", ".join(f"`{variables[path]}`" for path in key["paths"]), *key[language]) for key in keys()["setting"]]
    return _table(KEY_HEADS[language], rows)


def key_purposes(language: str) -> str:
    rows = [
        (f"{USES[language][key['use']]} " + ", ".join(f"`{each}`" for each in key["purposes"]), *key[language])
        for key in keys()["derived"]
    ]
    return _table(KEY_HEADS[language], rows)


def key_tables(language: str) -> str:
    rows = [(", ".join(f"`{table}`" for table in key["tables"]), *key[language]) for key in keys()["stored"]]
    return _table(KEY_HEADS[language], rows)


def _said(settings: dict[str, object]) -> str:
    return ", ".join(f"`SEKISHO_PASSWORD__{name.upper()}={value}`" for name, value in settings.items())


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


TABLES: dict[str, Callable[[str], str]] = {
    "password_rules": password_rules,
    "password_settings": password_settings,
    "key_settings": key_settings,
    "key_purposes": key_purposes,
    "key_tables": key_tables,
}


def filled(page: str, language: str) -> str:
    """Return the page with its tables as they are now."""
    return BLOCK.sub(lambda found: found[1] + TABLES[found[2]](language) + found[3], page)


def main() -> None:
    for language, folder in PLACES.items():
        for path in sorted(folder.glob("*.md")):
            page = path.read_text(encoding="utf-8")
            if (now := filled(page, language)) != page:
                path.write_text(now, encoding="utf-8")


if __name__ == "__main__":
    main()

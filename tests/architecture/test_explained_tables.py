"""The tables inside the explanations say what the code says."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from sekisho.errors import ValidationError
from sekisho.passwords.compliance import RULES, Facts, departures
from sekisho.passwords.policy import PasswordPolicy, Profile
from sekisho.settings import Settings

ROOT = Path(__file__).parents[2]


def load_generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("explained_tables", ROOT / "scripts" / "explained_tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = load_generator()
PAGES = [(language, path) for language, folder in GENERATOR.PLACES.items() for path in sorted(folder.glob("*.md"))]


@pytest.mark.parametrize(("language", "path"), PAGES, ids=str)
def test_the_tables_are_what_the_code_says(language: str, path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    assert page == GENERATOR.filled(page, language), "stale: run `make docs` and commit the result"


@pytest.mark.parametrize("language", GENERATOR.PLACES)
def test_every_table_stands_in_a_page(language: str) -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in GENERATOR.PLACES[language].glob("*.md"))
    assert set(re.findall(r"<!-- table: (\w+) -->", pages)) == set(GENERATOR.TABLES)


def test_a_setting_that_decides_a_rule_meets_and_departs_as_the_page_says() -> None:
    for source, (met, departed) in GENERATOR.FACT_TEXTS.items():
        (rule,) = [rule for rule in RULES if rule.source == source]
        assert rule.holds(GENERATOR.facts(**met)), source
        assert not rule.holds(GENERATOR.facts(**departed)), source
        for name in {**met, **departed}:
            assert name in type(Settings.model_fields["password"].default).model_fields


@pytest.mark.parametrize(
    ("profile", "departs"),
    [
        ("standard", ["NIST 3.1.1.2 (length)", "NIST 3.1.1.2 (no other rules)"]),
        ("strict", []),
        (
            "legacy",
            [
                "NIST 3.1.1.2 (length)",
                "ASVS 6.2.5, NIST 3.1.1.2 (composition)",
                "NIST 3.1.1.2 (no other rules)",
            ],
        ),
    ],
)
def test_N_01_N_04_V6_2_5_what_a_profile_departs_from_is_said(profile: str, departs: list[str]) -> None:
    facts = Facts(policy=PasswordPolicy(profile), knows_breached=True, has_pepper=True)
    assert list(departures(facts)) == departs


@pytest.mark.parametrize("profile", Profile)
def test_the_rules_judge_what_the_policy_does(profile: Profile) -> None:
    """Held against passwords, so that a profile cannot change and its row stay."""
    policy = PasswordPolicy(profile)
    by_source = {rule.source: rule.holds(Facts(policy=policy)) for rule in RULES}

    def takes(password: str) -> bool:
        try:
            policy.check(password, email="a@b.example")
        except ValidationError:
            return False
        return True

    assert by_source["NIST 3.1.1.2 (length)"] is not takes("kV7vq2m!pw4tg9"[:14])
    assert by_source["ASVS 6.2.1"] is not takes("kV7vq2!")
    assert by_source["ASVS 6.2.5, NIST 3.1.1.2 (composition)"] is takes("nine quiet herons over the pond")
    assert by_source["NIST 3.1.1.2 (no other rules)"] is takes("Monday1!!!!!!!!!")


PAGE_WORDS = ("sekisho", "hanako", "yamada", "kadoya", "books", "kadoya-books")


@pytest.mark.parametrize("word", [*PAGE_WORDS, "yamadahanako", "hanako.yamada@kadoya-books.example", "Example Shop"])
def test_V6_1_2_each_kind_of_word_on_the_page_is_refused(word: str) -> None:
    policy = PasswordPolicy("standard", ["sekisho", "Example Shop"])
    password = f"{word}2026!"
    with pytest.raises(ValidationError) as refused:
        policy.check(password, email="hanako.yamada@kadoya-books.example")
    assert (refused.value.details or {})["password"] == "contains_personal_word"


@pytest.mark.parametrize("language", GENERATOR.PLACES)
def test_V6_1_2_the_page_lists_the_words_and_where_they_come_from(language: str) -> None:
    page = (GENERATOR.PLACES[language] / "password-policies.md").read_text(encoding="utf-8")
    for word in (*PAGE_WORDS, "SEKISHO_PRODUCT_NAME", "SEKISHO_PASSWORD__CONTEXT_WORDS"):
        assert f"`{word}`" in page, word

"""The catalogue: complete in both languages, exact about placeholders, polite to odd headers."""

from __future__ import annotations

import re

import pytest

from sekisho import catalogue, errors
from sekisho.audit.vocabulary import VOCABULARY
from sekisho.catalogue import choose_locale, reason, reason_with_hints, text
from sekisho.flows.history import NOT_SHOWN
from sekisho.passwords.policy import REASONS

KEYS = catalogue.keys("en")


def placeholders(key: str, locale: str) -> set[str]:
    names: set[str] = set()

    class Recorder(dict[str, object]):
        def __missing__(self, name: str) -> str:
            names.add(name)
            return ""

    raw = catalogue._TEXTS[locale][key]
    raw.format_map(Recorder())
    return names


def test_both_locales_have_exactly_the_same_keys() -> None:
    assert catalogue.keys("ja") == KEYS


def test_both_locales_use_the_same_placeholders() -> None:
    for key in KEYS:
        assert placeholders(key, "en") == placeholders(key, "ja"), key


def test_every_refusal_has_its_text_and_every_error_text_its_refusal() -> None:
    codes = {refusal.code for refusal in errors.all_refusals()} | {"internal_server_error"}
    assert {key.removeprefix("error.") for key in KEYS if key.startswith("error.")} == codes


def test_only_the_incident_needs_a_value_among_errors_and_reasons() -> None:
    needy = {k for k in KEYS if k.startswith(("error.", "reason.", "field.")) and placeholders(k, "en")}
    assert needy == {"error.internal_server_error", "reason.password.too_short"}


def test_every_line_that_a_person_may_read_in_the_history_has_its_words() -> None:
    lines = {
        f"history.{event}.{outcome}"
        for event, entry in VOCABULARY.items()
        if "account_id" in entry.fields and event not in NOT_SHOWN
        for outcome in entry.reasons
    }
    assert {key for key in KEYS if key.startswith("history.")} == lines


@pytest.mark.parametrize(
    ("locale", "said"), [("en", "Use at least 8 characters."), ("ja", "8 文字以上にしてください。")]
)
def test_a_short_password_is_told_how_long_it_must_be(locale: str, said: str) -> None:
    assert reason("password", "too_short", locale, {"min_length": 8}) == said
    assert reason("password", "too_short", locale, {}) == text("reason.too_short", locale)
    assert reason("name", "too_short", locale, {"min_length": 8}) == text("reason.too_short", locale)


def test_what_would_be_better_follows_the_reason() -> None:
    details = {"password": "too_guessable", "password_hints": ["date", "add_words"]}
    said = {locale: reason_with_hints("password", details, locale, {}) for locale in catalogue.LOCALES}
    assert said["en"] == " ".join(text(key, "en") for key in ("reason.too_guessable", "hint.date", "hint.add_words"))
    assert said["ja"] == "".join(text(key, "ja") for key in ("reason.too_guessable", "hint.date", "hint.add_words"))


@pytest.mark.parametrize("locale", catalogue.LOCALES)
def test_no_text_is_empty_or_ragged(locale: str) -> None:
    for key in catalogue.keys(locale):
        said = catalogue._TEXTS[locale][key]
        assert said
        assert said == said.strip(), key


def test_japanese_texts_are_japanese() -> None:
    kana_or_kanji = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
    for key in KEYS:
        values = dict.fromkeys(placeholders(key, "ja"), "")
        assert kana_or_kanji.search(text(key, "ja", **values)), key


def test_values_are_put_in_as_they_are() -> None:
    said = text("error.internal_server_error", "en", incident="{incident} {0.__class__}")
    assert said.endswith("{incident} {0.__class__}")


def test_a_wrong_key_locale_or_missing_value_is_a_key_error() -> None:
    for key, locale in (("error.nonsense", "en"), ("message.signed_in", "fr"), ("message.signed_out_everywhere", "en")):
        with pytest.raises(KeyError):
            text(key, locale)


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("", "en"),
        ("ja", "ja"),
        ("ja-JP", "ja"),
        ("JA-jp", "ja"),
        ("en-GB,en;q=0.9,ja;q=0.8", "en"),
        ("en;q=0.5, ja;q=0.6", "ja"),
        ("en;q=0.5,ja;q=0.5", "en"),
        ("ja;q=0.5,en;q=0.5", "ja"),
        ("de, fr;q=0.9", "en"),
        ("de, ja;q=0.1", "ja"),
        ("ja;q=0", "en"),
        ("en;q=0, *", "ja"),
        ("de, *;q=0.1, ja;q=0.05", "en"),
        ("*", "en"),
        ("ja ; q=1.000 , en ; q=0.999", "ja"),
        ("jav, japanese", "en"),
        ("ja;q=2, en;q=0.1", "en"),
        ("ja;q=0.5555;;, en;q=nan", "en"),
        (",,;;=,;q=1,", "en"),
        ("x" * 600 + ",ja", "en"),
    ],
)
def test_the_heaviest_language_that_we_speak_wins(header: str, chosen: str) -> None:
    assert choose_locale(header) == chosen


def test_a_reason_of_one_field_is_a_reason_at_all() -> None:
    own = [key.split(".") for key in KEYS if key.startswith("reason.") and key.count(".") == 2]
    assert [parts for parts in own if f"field.{parts[1]}" not in KEYS or f"reason.{parts[2]}" not in KEYS] == []


def test_every_reason_against_a_password_has_its_text() -> None:
    assert {f"reason.{code}" for code in REASONS} <= KEYS


@pytest.mark.parametrize(
    ("locale", "safer"), [("en", "An authenticator app protects you better"), ("ja", "認証アプリ")]
)
def test_V6_6_1_whoever_enrols_a_phone_is_told_what_is_safer(locale: str, safer: str) -> None:
    assert safer in text("page.factor_add.sms", locale)

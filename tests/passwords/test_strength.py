"""The strength estimate: what it refuses, what it says, and that nobody can make it dear."""

from __future__ import annotations

import time

import pytest
import zxcvbn_rs_py
from hypothesis import given
from hypothesis import strategies as st

from sekisho import catalogue
from sekisho.errors import ValidationError
from sekisho.passwords.policy import PasswordPolicy
from sekisho.passwords.strength import HINTS, MOST_HINTS, estimate

EMAIL = "hanako.yamada@mail.kadoya-books.example"
STANDARD = PasswordPolicy("standard", ["Sekisho"])
STRICT = PasswordPolicy("strict", ["Sekisho"])


def refused(policy: PasswordPolicy, password: str) -> dict[str, object]:
    try:
        policy.check(password, email=EMAIL)
    except ValidationError as refusal:
        return dict(refusal.details or {})
    return {}


def test_every_remark_of_the_estimate_has_a_hint_in_both_languages() -> None:
    remarks = {
        repr(getattr(kind, name))
        for kind in (zxcvbn_rs_py.Warning, zxcvbn_rs_py.Suggestion)
        for name in vars(kind)
        if not name.startswith("_")
    }
    assert set(HINTS) == remarks
    for locale in catalogue.LOCALES:
        said = {key.removeprefix("hint.") for key in catalogue.keys(locale) if key.startswith("hint.")}
        assert said == set(HINTS.values())


@pytest.mark.parametrize("password", ["sunshine1987", "asdfasdf12", "p@ssw0rd99x", "Password123!x"])
def test_what_is_guessed_within_a_million_tries_is_refused_with_hints(password: str) -> None:
    found = refused(STANDARD, password)
    assert found["password"] == "too_guessable"
    assert found["password_hints"]


@pytest.mark.parametrize("password", ["kx7vq2mz", "correct horse battery staple", "correcthorse", "おはようございます"])
def test_what_stands_a_million_tries_is_taken(password: str) -> None:
    assert refused(STANDARD, password) == {}


def test_N_04_strict_refuses_nothing_on_an_estimate_but_hints_with_every_refusal() -> None:
    assert refused(STRICT, "monday1234567890") == {}
    assert refused(STRICT, "qwertyuiop")["password_hints"]
    assert STRICT.min_score == 0


@pytest.mark.parametrize("reason", ["too_short", "too_common", "contains_personal_word"])
def test_N_07_a_refusal_is_followed_by_guidance(reason: str) -> None:
    password = {"too_short": "hanako", "too_common": "Password1!", "contains_personal_word": "hanako2026"}[reason]
    found = refused(STANDARD, password)
    assert found["password"] == reason
    assert found["password_hints"]


def test_the_setting_takes_the_place_of_the_profiles_own_score() -> None:
    lenient, demanding = PasswordPolicy("standard", min_score=0), PasswordPolicy("strict", min_score=4)
    assert refused(lenient, "sunshine1987") == {}
    assert refused(demanding, "monday1234567890")["password"] == "too_guessable"


def test_a_name_of_the_person_is_worth_nothing() -> None:
    assert estimate("yamadakadoya", ()).score > estimate("yamadakadoya", ("yamada", "kadoya")).score
    assert "yamada" not in str(refused(STANDARD, "yamada11yamada"))


def test_of_a_long_password_the_better_end_counts() -> None:
    weak = "password" * 4
    assert estimate(weak, ()).score < 2
    assert estimate(weak + " kettle on the green stove", ()).score == 4
    assert estimate("kettle on the green stove " + weak, ()).score == 4


@pytest.mark.parametrize(
    "window", ["4@8({[<3699!1|0$57+%2", "7((a7oea88641s3((ssi(%1a", "2.6229840835226241592-1/", "$@!|1lI7+"]
)
def test_no_text_makes_the_estimate_dear(window: str) -> None:
    """As the library has it, a hundred of these take more than a second."""
    text = (window * 20)[:256]
    spent = []
    for _ in range(5):
        begun = time.perf_counter()
        estimate(text, ["hanako", "yamada", "sekisho"] * 20)
        spent.append(time.perf_counter() - begun)
    assert min(spent) < 0.02


@given(password=st.text(max_size=300), words=st.lists(st.text(max_size=30), max_size=40))
def test_every_text_gets_an_estimate_within_its_bounds(password: str, words: list[str]) -> None:
    found = estimate(password, words)
    assert 0 <= found.score <= 4
    assert len(found.hints) <= MOST_HINTS

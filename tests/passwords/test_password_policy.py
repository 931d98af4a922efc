"""What may be a password. Names carry the rows of the security checklist."""

from __future__ import annotations

import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.errors import ValidationError
from sekisho.passwords.common import CommonPasswords
from sekisho.passwords.policy import REASONS, PasswordPolicy, Profile

EMAIL = "hanako.yamada@mail.kadoya-books.example"
NEUTRAL = "k7@zq.example"

STANDARD = PasswordPolicy("standard", ["Sekisho"])
STRICT = PasswordPolicy("strict", ["Sekisho"])
LEGACY = PasswordPolicy("legacy", ["Sekisho"])
LIST = CommonPasswords().entries()


def verdict(policy: PasswordPolicy, password: str, email: str = EMAIL) -> object:
    try:
        policy.check(password, email=email)
    except ValidationError as refused:
        return (refused.details or {})["password"]
    return None


def test_V6_2_1_standard_begins_at_eight_characters() -> None:
    assert verdict(STANDARD, "kx7vq2m") == "too_short"
    assert verdict(STANDARD, "kx7vq2mz") is None
    assert STANDARD.min_length == 8


def test_V6_2_1_and_N_01_strict_begins_at_fifteen_characters() -> None:
    assert verdict(STRICT, "kx7vq2mzpw4tg9") == "too_short"
    assert verdict(STRICT, "kx7vq2mzpw4tg9b") is None
    assert STRICT.min_length == 15


def test_V6_2_1_and_N_02_code_points_are_counted_after_nfkc() -> None:
    assert verdict(STANDARD, "🍵🗻🌊🎏🎐🎑🎎") == "too_short"
    assert verdict(STANDARD, "🍵🗻🌊🎏🎐🎑🎎🎍") is None
    assert verdict(STANDARD, "e\u0301o\u0300a\u0302u\u0308") == "too_short"
    assert verdict(STANDARD, "㍿㌔㍍") is None


@pytest.mark.parametrize(
    "password", ["correct horse battery staple", "これはながいあいことばです", "all lower case words"]
)
def test_V6_2_5_no_composition_rules_on_defaults(password: str) -> None:
    assert verdict(STANDARD, password) is None
    assert STANDARD.deviations == ()


def test_V6_2_9_64_and_256_characters_are_accepted_and_257_refused() -> None:
    walk = "".join(chr(0x3041 + i * 37 % 80) for i in range(300))
    assert verdict(STANDARD, walk[:64]) is None
    assert verdict(STANDARD, walk[:256]) is None
    assert verdict(STANDARD, walk[:257]) == "too_long"


def test_V6_2_9_what_grows_under_normalisation_is_bounded_too() -> None:
    assert verdict(STANDARD, "\ufdfa" * 20) == "too_long"
    assert verdict(STANDARD, "x" * 10_000_000) == "too_long"


@pytest.mark.parametrize("password", ["a nul \0 inside", "a lone \udfff surrogate"])
def test_characters_that_cannot_be_kept_whole_are_refused(password: str) -> None:
    assert verdict(STANDARD, password) == "control_characters"


def test_tabs_and_other_controls_are_somebodys_password() -> None:
    assert verdict(STANDARD, "kettle\ton\nthe stove") is None


def test_V6_2_4_the_list_has_at_least_3000_that_fit_each_profile() -> None:
    assert sum(len(entry) >= 8 for entry in LIST) >= 3000
    assert sum(len(entry) >= 15 for entry in LIST) >= 3000
    assert len(LIST) == len(set(LIST))


def test_V6_2_4_a_sample_of_the_list_is_refused_in_any_case() -> None:
    for entry in random.Random(624).sample(LIST, 100):
        for spelling in (entry, entry.upper(), entry.title()):
            assert verdict(STANDARD, spelling, NEUTRAL) == "too_common"


def test_V6_2_4_strict_refuses_the_long_ones() -> None:
    for entry in random.Random(624).sample([entry for entry in LIST if len(entry) >= 15], 100):
        assert verdict(STRICT, entry, NEUTRAL) == "too_common"


@pytest.mark.parametrize(
    "password",
    """password PASSWORD Password1! Passw0rd P@ssw0rd P@ssw0rd123 12345678 123456789 1234567890 qwertyuiop iloveyou
    iloveyou1 11111111 princess1 sunshine football1 letmein123 welcome1 admin123 1q2w3e4r 1qaz2wsx qwerty123 abc12345
    abcd1234 superman1 trustno1 sakura123 doraemon aishiteru daisuki1 zaq12wsx Summer2025! asdfghjkl""".split(),  # noqa: SIM905
)
def test_V6_2_4_the_notorious_ones_are_refused(password: str) -> None:
    assert verdict(STANDARD, password) == "too_common"


@pytest.mark.parametrize("password", ["a" * 40, "ab" * 9, "xyzxyzxyzxyzx", "12341234123412", "ＰＡＳＳＷＯＲＤ"])
def test_V6_2_4_one_short_unit_over_and_over_is_common_and_so_is_full_width(password: str) -> None:
    assert verdict(STANDARD, password) == "too_common"


@pytest.mark.parametrize(
    "password", ["my password is not tea", "xpassword1x", "hanako likes tea at four", "sekisho no yoake"]
)
def test_N_07_containing_a_listed_word_is_no_reason(password: str) -> None:
    assert verdict(STANDARD, password) is None


@pytest.mark.parametrize(
    "password",
    [
        "Hanako.Yamada2026!",
        "hanako.yamada",
        "YamadaHanako!",
        "yamada_hanako",
        "h4n4k0!!!2026",
        "!!!hanako!!!",
        "okanah-1234",
        "hanakohanako",
        "Kadoya-Books2026",
        "kadoyabooks",
        "books2026!!",
        "Sekisho2026!",
        "S3k1sh0!!",
        "sekisho sekisho",
        EMAIL,
    ],
)
def test_V6_2_11_names_of_the_person_and_of_the_service_are_refused(password: str) -> None:
    assert verdict(STANDARD, password) == "contains_personal_word"


def test_V6_2_11_the_same_password_is_fine_for_somebody_else() -> None:
    assert verdict(STANDARD, "YamadaHanako!!", email="taro@else.example") is None


@pytest.mark.parametrize(
    "password", ["SousekiNatsume!", "natsume1867", "N4tsume!!", "山田花子山田花子", "hanakosouseki"]
)
def test_V6_2_11_the_name_that_somebody_has_given_is_refused_too(password: str) -> None:
    with pytest.raises(ValidationError) as refused:
        STANDARD.check(password, email=EMAIL, name="Natsume Souseki" if password.isascii() else "山田　花子")
    assert (refused.value.details or {})["password"] == "contains_personal_word"
    assert verdict(STANDARD, "SousekiNatsume!") is None


def test_legacy_asks_for_each_class_in_turn() -> None:
    assert LEGACY.min_length == 12
    assert verdict(LEGACY, "Kx7vq2mzpw!") == "too_short"
    assert verdict(LEGACY, "kx7vq2mzpw4t!") == "needs_upper"
    assert verdict(LEGACY, "KX7VQ2MZPW4T!") == "needs_lower"
    assert verdict(LEGACY, "Kxavqbmzpwct!") == "needs_digit"
    assert verdict(LEGACY, "Kx7vq2mzpw4tg") == "needs_symbol"
    assert verdict(LEGACY, "Kx7vq2mzpw4t!") is None


def test_legacy_can_be_met_without_latin_letters() -> None:
    assert verdict(LEGACY, "ながいあいことば７つと、") is None
    assert verdict(LEGACY, "Длинный пароль 7!") is None


def test_V6_2_5_legacy_says_what_it_breaks_and_keeps_the_list() -> None:
    assert any("6.2.5" in deviation for deviation in LEGACY.deviations)
    assert verdict(LEGACY, "Password123!") == "too_common"


def test_a_refusal_does_not_quote_the_password() -> None:
    with pytest.raises(ValidationError) as refused:
        STANDARD.check("Hanako2026!", email=EMAIL)
    assert "Hanako" not in f"{refused.value!r}{refused.value.detail}{refused.value.details}"


def test_an_unknown_profile_is_a_mistake_at_start() -> None:
    with pytest.raises(ValueError, match="lax"):
        PasswordPolicy("lax")


def test_the_list_is_small_and_in_its_folded_form() -> None:
    assert sum(len(entry) + 1 for entry in LIST) < 500_000
    assert all(entry == unicodedata.normalize("NFKC", entry.casefold()) for entry in LIST)


@given(password=st.text(max_size=300), email=st.emails(), profile=st.sampled_from(Profile))
def test_every_text_gets_a_verdict_in_the_known_words(password: str, email: str, profile: Profile) -> None:
    policy = {"standard": STANDARD, "strict": STRICT, "legacy": LEGACY}[profile]
    answer = None
    try:
        policy.check(password, email=email)
    except ValidationError as refused:
        answer = (refused.details or {})["password"]
    assert answer is None or answer in REASONS

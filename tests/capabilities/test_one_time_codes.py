"""One-time codes. Names carry the rows of the security checklist."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.errors import ValidationError
from sekisho.master_secret import MasterSecret
from sekisho.one_time_codes import OneTimeCodes, parse_code

CODES = OneTimeCodes(MasterSecret(b"m" * 32))


def test_V6_5_3_codes_are_six_digits_and_spread_evenly() -> None:
    made = [CODES.new() for _ in range(20_000)]
    assert all(len(code) == 6 and code.isascii() and code.isdigit() for code in made)
    for place in range(6):
        counts = Counter(code[place] for code in made)
        assert set(counts) == set("0123456789")
        assert all(1_700 < count < 2_300 for count in counts.values())
    assert len(set(made)) > 19_500


def test_a_hash_is_bound_to_flow_row_code_and_master_secret() -> None:
    there = CODES.hash("sign_up", "id1", "123456")
    assert CODES.same(there, CODES.hash("sign_up", "id1", "123456"))
    others = [
        CODES.hash("reset", "id1", "123456"),
        CODES.hash("sign_up", "id2", "123456"),
        CODES.hash("sign_up", "id1", "123457"),
        CODES.hash("sign_upi", "d1", "123456"),
        OneTimeCodes(MasterSecret(b"n" * 32)).hash("sign_up", "id1", "123456"),
    ]
    assert not any(CODES.same(there, other) for other in others)


def test_the_hash_of_nothing_is_of_the_same_length_and_new_each_time() -> None:
    assert len(CODES.hash_of_nothing()) == len(CODES.hash("sign_up", "id1", "123456"))
    assert CODES.hash_of_nothing() != CODES.hash_of_nothing()


@pytest.mark.parametrize(
    "typed",
    [
        "012345",
        " 012345 ",
        "012 345",
        "012-345",
        "012\u3000345",
        "０１２３４５",
        "０１２－３４５",
        "012\u2011345",
        "012ー345",
        "0-1-2-3-4-5",
    ],
)
def test_a_code_may_be_typed_the_way_people_type(typed: str) -> None:
    assert parse_code(typed) == "012345"


@pytest.mark.parametrize(
    "typed",
    ["", "12345", "1234567", "12345a", "٠١٢٣٤٥", "123.456", "+123456", "123456\0", " " * 27 + "123456", "1" * 10**6],
)
def test_anything_else_is_no_code(typed: str) -> None:
    with pytest.raises(ValidationError) as refused:
        parse_code(typed)
    assert refused.value.details == {"code": "invalid_format"}


@given(st.text(max_size=40))
def test_every_text_is_six_digits_or_a_refusal(typed: str) -> None:
    try:
        code = parse_code(typed)
    except ValidationError:
        return
    assert len(code) == 6
    assert set(code) <= set("0123456789")

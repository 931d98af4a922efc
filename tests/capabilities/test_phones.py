"""How much of a phone number is shown."""

from __future__ import annotations

import phonenumbers
import pytest

from sekisho.errors import ValidationError
from sekisho.master_secret import MasterSecret
from sekisho.mfa.phones import SHORT_COUNTRY_CODES, Phones, masked


def test_the_country_is_shown_as_the_library_that_reads_numbers_knows_it() -> None:
    codes = {str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE}
    assert {code for code in codes if len(code) < 3} == SHORT_COUNTRY_CODES
    for code in codes:
        assert masked(f"+{code}5550142") == f"+{code} •••• 42"


def test_no_number_is_taken_where_no_text_messages_are_sent() -> None:
    with pytest.raises(ValidationError) as refused:
        Phones(MasterSecret(b"x" * 43), None).parse("+819012345678")
    assert refused.value.details == {"phone": "not_served"}

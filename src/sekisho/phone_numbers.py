"""Phone numbers: what people type becomes the one form of E.164, if a text message can go there.

A number of another country is not only another price: revenue shared with whoever owns expensive ranges is what
attackers of such servers are after. So nothing is sent outside the countries that the operator named. Loaded only where
there are some: the library costs a megabyte.

Spec: ITU-T E.164; ASVS 2.4.1, 6.6.1.
"""

from __future__ import annotations

import unicodedata

import phonenumbers
from msgspec import Struct
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

from sekisho.errors import ValidationError

MAX_TYPED = 40

_MOBILE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
_DIGITS_AND_MARKS = frozenset("+0123456789-.()/ ")


class ServedCountries(Struct, frozen=True):
    """regions: ISO 3166-1 codes that text messages go to. default: whose national forms are understood, "" for none."""

    regions: frozenset[str]
    default: str = ""


def parse_phone_number(typed: str, served: ServedCountries) -> str:
    """Return the number in the form of E.164. Full-width digits, spaces, hyphens, dots and brackets are fine.

    Raises:
        ValidationError: `phone` is `invalid_format` (no number there is, an extension, letters), `not_mobile` (fixed
            lines, premium and free numbers, internet telephony) or `not_served` (another country).
    """
    number = _parse(typed, served)
    if number is None or not phonenumbers.is_valid_number(number):
        raise _refusal("invalid_format")
    if phonenumbers.number_type(number) not in _MOBILE:
        raise _refusal("not_mobile")
    if phonenumbers.region_code_for_number(number) not in served.regions:
        raise _refusal("not_served")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _parse(typed: str, served: ServedCountries) -> PhoneNumber | None:
    if len(typed) > MAX_TYPED:
        return None
    text = "".join(_plain(mark) for mark in unicodedata.normalize("NFKC", typed)).strip()
    # Letters would be read as the digits of their key, and what follows them as an extension.
    if not _DIGITS_AND_MARKS.issuperset(text):
        return None
    try:
        return phonenumbers.parse(text, served.default or None)
    except NumberParseException:
        return None


def _plain(mark: str) -> str:
    """Every dash and space that keyboards make is one, the long vowel mark of Japanese ones among the dashes."""
    if mark in "\u2212\u30fc" or unicodedata.category(mark) == "Pd":
        return "-"
    return " " if mark.isspace() else mark


def _refusal(code: str) -> ValidationError:
    return ValidationError(details={"phone": code}, detail=f"phone number: {code}")

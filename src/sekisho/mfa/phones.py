"""The phone numbers of second factors, as they are kept: sealed under the master secret and bound to their row."""

from __future__ import annotations

from collections.abc import Callable

from sekisho.errors import ValidationError
from sekisho.master_secret import MasterSecret, UnsealError
from sekisho.model import Factor

_PURPOSE = "phone"

# Of all other countries the code has three digits.
_SHORT_CODES = (
    "1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 "
    "86 90 91 92 93 94 95 98"
)
SHORT_COUNTRY_CODES = frozenset(_SHORT_CODES.split())
_LONGEST_COUNTRY_CODE = 3
_SHOWN_DIGITS = 2


class Phones:
    """Reads, seals and opens phone numbers.

    Args:
        read: turns what was typed into E.164, or refuses (see `sekisho.phone_numbers`); None where no text messages
            are sent.
    """

    def __init__(self, master: MasterSecret, read: Callable[[str], str] | None) -> None:
        self._master = master
        self._read = read

    @property
    def are_served(self) -> bool:
        return self._read is not None

    def parse(self, typed: str) -> str:
        """Return the number in the form of E.164.

        Raises:
            ValidationError: see `parse_phone_number`; `not_served` where no text messages are sent.
        """
        if self._read is None:
            raise ValidationError(details={"phone": "not_served"}, detail="phone number: no text messages are sent")
        return self._read(typed)

    def seal(self, factor_id: str, number: str) -> bytes:
        """Return the number as it is stored in the row of this factor, and opens in no other."""
        return self._master.seal(_PURPOSE, number.encode(), _context(factor_id))

    def open(self, factor: Factor) -> str:
        """Return the number of a factor.

        Raises:
            UnsealError: damaged, moved, or sealed under another master secret.
        """
        return self._master.unseal(_PURPOSE, factor.sealed, _context(factor.id)).decode()

    def masked(self, factor: Factor) -> str:
        """Return what may be shown of the number of a factor; "" for other kinds, and for what cannot be read."""
        if factor.kind != "sms":
            return ""
        try:
            return masked(self.open(factor))
        except UnsealError:
            return ""


def masked(number: str) -> str:
    """Return a number in the form of E.164 as it may be shown: its country and its last two digits."""
    digits = number.removeprefix("+")
    beginnings = (digits[:size] for size in range(1, _LONGEST_COUNTRY_CODE))
    country = next((code for code in beginnings if code in SHORT_COUNTRY_CODES), digits[:_LONGEST_COUNTRY_CODE])
    return f"+{country} •••• {number[-_SHOWN_DIGITS:]}"


def sealed_as(factor_id: str) -> tuple[str, str]:
    """Return purpose and context of what a factor hides, for whoever seals it anew."""
    return _PURPOSE, _context(factor_id)


def _context(factor_id: str) -> str:
    return f"factors:{factor_id}"

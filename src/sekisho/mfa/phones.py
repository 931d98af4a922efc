"""The phone numbers of second factors, as they are kept: sealed under the master secret and bound to their row."""

from __future__ import annotations

from sekisho.master_secret import MasterSecret, UnsealError
from sekisho.model import Factor
from sekisho.phone_numbers import ServedCountries, masked, parse_phone_number

_PURPOSE = "phone"


class Phones:
    """Reads, seals and opens phone numbers.

    Args:
        served: where text messages go; None where none are sent.
    """

    def __init__(self, master: MasterSecret, served: ServedCountries | None) -> None:
        self._master = master
        self._served = served

    @property
    def are_served(self) -> bool:
        return self._served is not None

    def parse(self, typed: str) -> str:
        """Return the number in the form of E.164.

        Raises:
            ValidationError: see `parse_phone_number`; `not_served` where no text messages are sent.
        """
        return parse_phone_number(typed, self._served or ServedCountries(frozenset()))

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


def _context(factor_id: str) -> str:
    return f"factors:{factor_id}"

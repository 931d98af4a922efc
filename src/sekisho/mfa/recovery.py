"""Recovery codes: for the day when the phone is gone. Shown once, each works once.

A code has 120 random bits, so nobody guesses one, and the keyed hash that is stored says nothing without the master
secret. It counts for one account only.

Spec: NIST SP 800-63B-4 section 3.1.2 (look-up secrets); ASVS 6.5.1, 6.5.2, 6.5.4.
"""

from __future__ import annotations

from sekisho.long_codes import new_long_code, parse_long_code
from sekisho.master_secret import MasterSecret
from sekisho.model import AccountId

HOW_MANY = 10
BITS = 120


class RecoveryCodes:
    """Makes codes and what is stored of them."""

    def __init__(self, master: MasterSecret) -> None:
        self._master = master

    def new_set(self) -> tuple[str, ...]:
        """Return ten codes as they are shown, in groups of four."""
        return tuple(new_long_code(BITS) for _ in range(HOW_MANY))

    def hash(self, account_id: AccountId, code: str) -> bytes:
        """Return what is stored of a code of this account, as shown or as `parse_recovery_code` returned it."""
        return self._master.lasting_tag("recovery_code", account_id, code.replace("-", ""))


def parse_recovery_code(text: str) -> str:
    """Return the code that a person typed: small letters, full-width forms, spaces and hyphens are fine.

    Raises:
        ValidationError: `code: invalid_format`. Not counted as a try: it cannot be any code.
    """
    return parse_long_code(text, BITS)

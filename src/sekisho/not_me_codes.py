"""The codes by which an owner says "that was not me": in each letter that tells of something a thief may have done.

One at a time for an address, so that the newest letter counts. It dies with any change of credentials or standing after
its letter: who reads old mail must not end what the owner has set right. A code has 80 random bits: nobody guesses one,
so no tries of it are counted, and a thief who types wrong ones does not use it up.
"""

from __future__ import annotations

from sekisho.long_codes import new_long_code, parse_long_code
from sekisho.model import Account, Millis
from sekisho.one_time_codes import OneTimeCodes
from sekisho.ports.changes import OneTimeCode
from sekisho.throttle import Throttle

PURPOSE = "not_me"
BITS = 80
DAYS = 7
LIFETIME_MS = DAYS * 86_400_000


class NotMeCodes:
    def __init__(self, codes: OneTimeCodes, throttle: Throttle) -> None:
        self._codes = codes
        self._throttle = throttle

    def new(self, account: Account, now: Millis) -> tuple[str, OneTimeCode]:
        """Return a code as it is shown, and what is stored of it.

        Args:
            account: as it is when the code is stored. With another `security_version` the code is no good.
        """
        code, email_key = new_long_code(BITS), account.email_key or ""
        stored = OneTimeCode(
            id=self.id_of(email_key),
            purpose=PURPOSE,
            code_hash=self.hash(account, email_key, code.replace("-", "")),
            expires_at=now + LIFETIME_MS,
        )
        return code, stored

    def id_of(self, email_key: str) -> str:
        """Return under which id the code of an address is stored: a keyed hash, it names nobody."""
        return f"{PURPOSE}:{self._throttle.identifier_tag(email_key)}"

    def hash(self, account: Account | None, email_key: str, code: str) -> bytes:
        """Return what is stored of a code as `parse` returned it. It is good for one account as it is, whoever has the
        address later; for none at all it is the hash of no code."""
        if account is None:
            return self._codes.hash_of_nothing()
        whose = f"{account.id} {account.security_version}"
        return self._codes.hash(PURPOSE, f"{self.id_of(email_key)} {whose}", code)


def parse_not_me_code(text: str) -> str:
    """Return the code that a person typed.

    Raises:
        ValidationError: `code: invalid_format`.
    """
    return parse_long_code(text, BITS)

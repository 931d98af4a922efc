"""The codes by which an owner says "that was not me": in each letter that tells of something a thief may have done.

One at a time for an address, so that the newest letter counts. It dies with any change of credentials or standing after
its letter: who reads old mail must not end what the owner has set right. A code has 80 random bits: nobody guesses one,
so no tries of it are counted, and a thief who types wrong ones does not use it up.

The letter to the *former* address of an account has one of another kind. It finds its account although the address has
none any more, and no change by whoever took the account ends it. An operator who gives the account back ends it by a
mark: whoever took the account may have got such letters, too.
"""

from __future__ import annotations

from sekisho.long_codes import new_long_code, parse_long_code
from sekisho.master_secret import MasterSecret, UnsealError
from sekisho.model import Account, AccountId, Millis
from sekisho.one_time_codes import OneTimeCodes
from sekisho.ports.changes import OneTimeCode
from sekisho.throttle import Throttle

PURPOSE = "not_me"
BITS = 80
DAYS = 7
LIFETIME_MS = DAYS * 86_400_000

_FORMER = "former"
_ENDED = "not_me_ended"
_HASH_BYTES = 32


class NotMeCodes:
    def __init__(self, codes: OneTimeCodes, throttle: Throttle, master: MasterSecret) -> None:
        self._codes = codes
        self._throttle = throttle
        self._master = master

    def new(self, account: Account, now: Millis) -> tuple[str, OneTimeCode]:
        """Return a code as it is shown, and what is stored of it.

        Args:
            account: as it is when the code is stored. With another `security_version` the code is no good.
        """
        code, email_key = new_long_code(BITS), account.email_key or ""
        return code, self._stored(email_key, self.hash(account, email_key, code.replace("-", "")), now)

    def new_for_former(self, account: Account, now: Millis) -> tuple[str, OneTimeCode]:
        """Return a code for the address that the account is about to lose, and what is stored of it: with the account's
        id, sealed."""
        code, email_key = new_long_code(BITS), account.email_key or ""
        whose = self._master.seal(PURPOSE, account.id.encode(), self.id_of(email_key))
        return code, self._stored(email_key, self._former_hash(account, email_key, code.replace("-", "")) + whose, now)

    def former_owner(self, stored: OneTimeCode | None, email_key: str) -> AccountId:
        """Return whose address this was when the code was stored; "" for a code of any other kind, and for none."""
        sealed = stored.code_hash[_HASH_BYTES:] if stored else b""
        try:
            return AccountId(self._master.unseal(PURPOSE, sealed, self.id_of(email_key)).decode())
        except UnsealError:
            return AccountId("")

    def stored_at(self, stored: OneTimeCode) -> Millis:
        """Return when a code was stored: of one for a former address, when the address changed."""
        return stored.expires_at - LIFETIME_MS

    def ending_former(self, account_id: AccountId, now: Millis) -> OneTimeCode:
        """Return a mark. Once it is stored, no code is good that any former address of the account got until now."""
        return OneTimeCode(id=self.id_of_mark(account_id), purpose=_ENDED, code_hash=b"", expires_at=now + LIFETIME_MS)

    def id_of_mark(self, account_id: AccountId) -> str:
        return f"{_ENDED}:{account_id}"

    def has_ended(self, stored: OneTimeCode, mark: OneTimeCode | None) -> bool:
        """Whether the mark of its account came after this code: both live equally long."""
        return mark is not None and stored.expires_at <= mark.expires_at

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

    def hash_for_former(self, stored: OneTimeCode, account: Account, email_key: str, code: str) -> bytes:
        """Return what is stored if this is the code of the letter to the former address."""
        return self._former_hash(account, email_key, code) + stored.code_hash[_HASH_BYTES:]

    def _former_hash(self, account: Account, email_key: str, code: str) -> bytes:
        return self._codes.hash(PURPOSE, f"{self.id_of(email_key)} {account.id} {_FORMER}", code)

    def _stored(self, email_key: str, code_hash: bytes, now: Millis) -> OneTimeCode:
        return OneTimeCode(id=self.id_of(email_key), purpose=PURPOSE, code_hash=code_hash, expires_at=now + LIFETIME_MS)


def parse_not_me_code(text: str) -> str:
    """Return the code that a person typed.

    Raises:
        ValidationError: `code: invalid_format`.
    """
    return parse_long_code(text, BITS)

"""Reset tokens: what a right code of a password reset is traded for, to be shown once with the new password.

    skp_ + base64url( version 1 | key id 4 | code id 16 | account id 16 | security version 8 | expires at 8 | MAC 32 )

It names the one-time code that it spends, and the state of the account that it was made for: any change of credentials
or standing makes it worthless. Neither a stolen master secret nor a stolen database alone makes one: the id of the code
is random and in the database only, the MAC key is in no database.

Spec: NIST SP 800-63B-4 section 4.2 (account recovery); ASVS 6.4.3.
"""

from __future__ import annotations

import secrets

from msgspec import Struct

from sekisho.errors import ResetTokenInvalid
from sekisho.ids import ID_BYTES
from sekisho.master_secret import MasterSecret
from sekisho.model import Account, AccountId, Millis
from sekisho.rfc import base64url
from sekisho.tokens.opaque_form import BadForm, OpaqueForm

PREFIX = "skp_"

_NUMBER_BYTES = 8
_BODY_BYTES = 2 * ID_BYTES + 2 * _NUMBER_BYTES


class PresentedReset(Struct, frozen=True):
    """What an authentic reset token says. Whether it is still unspent, only the store knows."""

    code_id: str
    account_id: AccountId
    security_version: int
    expires_at: Millis


class ResetTokens:
    """Makes and opens reset tokens. Pure: no store, no clock."""

    __slots__ = ("_form",)

    def __init__(self, master: MasterSecret) -> None:
        self._form = OpaqueForm(master, prefix=PREFIX, purpose="reset token", body_bytes=_BODY_BYTES)

    def new(self, account: Account, expires_at: Millis) -> tuple[str, str]:
        """Return a token and the id of the one-time code that stands for it in the store."""
        code_id = secrets.token_bytes(ID_BYTES)
        body = (
            code_id
            + base64url.decode(account.id, ID_BYTES)
            + account.security_version.to_bytes(_NUMBER_BYTES, "big")
            + expires_at.to_bytes(_NUMBER_BYTES, "big")
        )
        return self._form.pack(body), base64url.encode(code_id)

    def open(self, value: str) -> PresentedReset:
        """Return what the token says, if we made it.

        Args:
            value: untrusted. A forged or damaged one costs no store operation.

        Raises:
            ResetTokenInvalid: not ours; `detail` says which rule refused.
        """
        try:
            body = self._form.unpack(value)
        except BadForm as error:
            raise ResetTokenInvalid(detail=str(error)) from None
        numbers = body[2 * ID_BYTES :]
        return PresentedReset(
            code_id=base64url.encode(body[:ID_BYTES]),
            account_id=AccountId(base64url.encode(body[ID_BYTES : 2 * ID_BYTES])),
            security_version=int.from_bytes(numbers[:_NUMBER_BYTES], "big"),
            expires_at=int.from_bytes(numbers[_NUMBER_BYTES:], "big"),
        )

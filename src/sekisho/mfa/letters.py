"""Codes that the server sends for a second factor, and the letters that tell the owner of changes."""

from __future__ import annotations

from msgspec import Struct

from sekisho.mfa.proofs import CodePlace
from sekisho.model import Account, Millis
from sekisho.one_time_codes import OneTimeCodes
from sekisho.outbox import MailKind, Outbox
from sekisho.ports.changes import Change, OneTimeCode, PutCode

CODE_LIFETIME_MS = 10 * 60_000


class CodeSender(Struct, frozen=True):
    """Makes a code together with the letter that brings it."""

    codes: OneTimeCodes
    outbox: Outbox

    def by_mail(self, account: Account, place: CodePlace, now: Millis) -> tuple[Change, ...]:
        """Return the changes that keep a new code at `place`, where an older one dies, and mail it to the owner."""
        code = self.codes.new()
        expires_at = now + CODE_LIFETIME_MS
        kept = OneTimeCode(
            id=place.id,
            purpose=place.purpose,
            code_hash=self.codes.hash(place.purpose, place.id, code),
            expires_at=expires_at,
        )
        letter = self.outbox.letter(
            MailKind.FACTOR_CODE,
            to=account.email,
            locale=account.locale,
            now=now,
            expires_at=expires_at,
            code=code,
            minutes=str(CODE_LIFETIME_MS // 60_000),
        )
        return PutCode(code=kept), letter

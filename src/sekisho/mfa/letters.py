"""Codes that the server sends for a second factor: by mail, or as a text message.

A text message costs money, so that it has budgets of its own: for the number, the account, the network, and for the
whole server.
"""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from msgspec import Struct

from sekisho.errors import FactorUnusable
from sekisho.master_secret import UnsealError
from sekisho.mfa.methods import Method, confirmed, not_available
from sekisho.mfa.phones import Phones
from sekisho.mfa.proofs import UNREADABLE, CodePlace
from sekisho.model import Account, Discreet, Factor, FactorKind, Millis
from sekisho.one_time_codes import OneTimeCodes
from sekisho.outbox import MailKind, Outbox, TextKind
from sekisho.ports.changes import Change, OneTimeCode, PutCode
from sekisho.ports.storage import Store
from sekisho.throttle import Throttle, refuse_if_throttled

CODE_LIFETIME_MS = 10 * 60_000

log = structlog.get_logger("sekisho.sms")


class Recipient(Discreet, frozen=True):
    """Who gets a code, and by which method. `number`: by SMS only, in the form of E.164."""

    account: Account
    method: Method
    number: str = ""


class CodeSender(Struct, frozen=True):
    """Makes a code together with the letter that brings it."""

    codes: OneTimeCodes
    outbox: Outbox
    throttle: Throttle
    phones: Phones

    def recipient(self, account: Account, method: Method, factors: Iterable[Factor]) -> Recipient:
        """Return where the code of a method goes. `method` is one whose code is sent.

        Raises:
            ValidationError: no such factor, or this server sends no text messages.
            FactorUnusable: the server cannot read the number.
        """
        if method is not Method.SMS:
            return Recipient(account, method)
        factor = next((one for one in confirmed(factors) if one.kind is FactorKind.SMS), None)
        if factor is None or not self.phones.are_served:
            raise not_available()
        try:
            return Recipient(account, method, self.phones.open(factor))
        except UnsealError:
            raise FactorUnusable(detail=UNREADABLE) from None

    async def count(self, to: Recipient, store: Store, ip: str, now: Millis) -> None:
        """Count the sending against every budget, before it is done. Never given back: the letter is out.

        Raises:
            RateLimitExceeded: one of them is used up.
        """
        if to.method is not Method.SMS:
            sends = self.throttle.factor_mails(to.account.id, ip, now)
            refuse_if_throttled(await store.apply(*sends), now)
            return
        *own, ceiling = self.throttle.sms_sends(to.number, to.account.id, ip, now)
        outcome = await store.apply(*own, ceiling)
        if outcome.lost is not None and outcome.lost.change == ceiling:
            # Either somebody makes this server send, or it has grown: both are for the operator to see.
            log.warning("sms_ceiling_reached", limit=ceiling.limit)
        refuse_if_throttled(outcome, now)

    def sending(self, to: Recipient, place: CodePlace, now: Millis) -> tuple[Change, ...]:
        """Return the changes that keep a new code at `place`, where an older one dies, and send it to the owner."""
        code, at = self.codes.new(), place.of(to.method)
        expires_at = now + CODE_LIFETIME_MS
        kept = OneTimeCode(
            id=at.id, purpose=at.purpose, code_hash=self.codes.hash(at.purpose, at.id, code), expires_at=expires_at
        )
        locale, minutes = to.account.locale, str(CODE_LIFETIME_MS // 60_000)
        if to.method is Method.SMS:
            letter = self.outbox.text_message(
                TextKind.FACTOR_CODE,
                to=to.number,
                locale=locale,
                now=now,
                expires_at=expires_at,
                code=code,
                minutes=minutes,
            )
        else:
            letter = self.outbox.letter(
                MailKind.FACTOR_CODE,
                to=to.account.email,
                locale=locale,
                now=now,
                expires_at=expires_at,
                code=code,
                minutes=minutes,
            )
        return PutCode(code=kept), letter

"""The ways out for letters: by mail, and as text messages."""

from __future__ import annotations

from typing import Protocol

from sekisho.model import Discreet, Mail


class Undeliverable(Exception):
    """The other side will never take this letter: do not retry. Its text says why and names nobody."""


class MailRefused(Undeliverable):
    """An SMTP 5xx on the recipient, or an address that nobody may have."""


class SmsRefused(Undeliverable):
    """The gateway will never send this text message, or there is no gateway."""


class MailSender(Protocol):
    async def send(self, mail: Mail, message_id: str) -> None:
        """Render and hand over one letter. `message_id` is stable over retries, so that a
        receiver can recognise a duplicate.

        Raises:
            MailRefused: permanent; retrying cannot help.
            OSError, TimeoutError, or the library's own error: temporary; the worker retries.
        """


class TextMessage(Discreet, frozen=True):
    """A text message as a phone gets it. `to` is in the form of E.164."""

    to: str
    text: str


class SmsGateway(Protocol):
    """Whoever brings text messages to phones. Each hand-over may cost money."""

    async def send(self, message: TextMessage, message_id: str) -> None:
        """Hand over one message; when this returns the gateway has accepted it. `message_id` is stable over retries.

        Raises:
            SmsRefused: permanent; retrying cannot help.
            OSError, TimeoutError, or the engine's own error: temporary; the worker retries.
        """

"""SMTP: one connection a letter, TLS as configured or not at all.

There is no opportunistic mode: a server that does not offer STARTTLS where it was asked for gets
neither the password nor the letter (ASVS 12.3.1).

Spec: RFC 5321, RFC 3207 (STARTTLS), RFC 4954 (AUTH), RFC 3834 section 5 (Auto-Submitted).
"""

from __future__ import annotations

import asyncio
import email.policy
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Literal

import aiosmtplib
from msgspec import Struct

from sekisho.delivery.letters import Letter
from sekisho.model import Mail
from sekisho.ports.clock import Clock
from sekisho.ports.mail import MailRefused

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class SmtpSettings(Struct, frozen=True, kw_only=True):
    """How to reach the mail server.

    from_address: `no-reply@example.com` or `Name <no-reply@example.com>`.
    tls: `starttls` (587) and `tls` (465) are required once chosen; `none` is plain text.
    timeout_s: for the whole hand-over of one letter.
    ca_file: PEM file of the authorities to trust instead of the system's.
    """

    host: str
    port: int
    from_address: str
    user: str = ""
    password: str = ""
    tls: Literal["starttls", "tls", "none"] = "starttls"
    timeout_s: float = 30
    ca_file: str | None = None

    def __post_init__(self) -> None:
        if self.user and self.tls == "none" and self.host not in _LOOPBACK:
            raise ValueError("SMTP with a password needs TLS (starttls or tls), except to this machine itself")
        if "@" not in parseaddr(self.from_address)[1]:
            raise ValueError("the sender of mail must be an address such as no-reply@example.com")

    def __repr__(self) -> str:
        return f"SmtpSettings({self.host}:{self.port}, tls={self.tls}, from={self.from_address})"


class SmtpSender:
    """A `MailSender` that hands letters to an SMTP server.

    Raises:
        ValueError, OSError: at construction, where settings or the CA file cannot work.
    """

    def __init__(self, settings: SmtpSettings, render: Callable[[Mail], Letter], clock: Clock) -> None:
        self._settings = settings
        self._render = render
        self._clock = clock
        self._sender = parseaddr(settings.from_address)[1]
        self._domain = self._sender.rpartition("@")[2]
        self._tls = None if settings.tls == "none" else ssl.create_default_context(cafile=settings.ca_file)

    async def send(self, mail: Mail, message_id: str) -> None:
        """Hand over one letter; when this returns the server has accepted it.

        Raises:
            MailRefused: the server will never take this recipient, or the address is unsafe.
            OSError, TimeoutError, aiosmtplib.SMTPException: temporary.
        """
        letter = self._render(mail)
        message = self._compose(letter, message_id)
        async with asyncio.timeout(self._settings.timeout_s):
            await self._hand_over(message, letter.to)

    async def _hand_over(self, message: EmailMessage, recipient: str) -> None:
        try:
            async with self._client() as client:
                await client.send_message(message, sender=self._sender, recipients=[recipient])
        except aiosmtplib.SMTPRecipientsRefused as refused:
            code = refused.recipients[0].code
            if 500 <= code <= 599:
                # Not `from refused`: its text holds the address.
                raise MailRefused(f"SMTP {code}") from None
            raise
        except aiosmtplib.SMTPNotSupported as unsupported:
            if not recipient.isascii():
                raise MailRefused("the server cannot send to this address (no SMTPUTF8)") from None
            raise unsupported

    def _client(self) -> aiosmtplib.SMTP:
        settings = self._settings
        return aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.user or None,
            password=settings.password or None,
            # Without it the library looks up this machine's own name, which blocks.
            local_hostname=self._domain,
            timeout=settings.timeout_s,
            use_tls=settings.tls == "tls",
            start_tls=settings.tls == "starttls",
            tls_context=self._tls,
        )

    def _compose(self, letter: Letter, message_id: str) -> EmailMessage:
        # The policy refuses CR and LF in any header by itself; `render` has refused them before.
        message = EmailMessage(policy=email.policy.SMTPUTF8)
        message["From"] = self._settings.from_address
        message["To"] = letter.to
        message["Subject"] = letter.subject
        message["Date"] = datetime.fromtimestamp(self._clock.now() / 1000, UTC)
        message["Message-ID"] = f"<{message_id}@{self._domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        message.add_alternative(letter.html, subtype="html")
        return message

"""The way out for mail: the development mailbox, or the operator's SMTP server."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from sekisho.delivery.letters import Letter, render
from sekisho.delivery.mailbox import Mailbox
from sekisho.delivery.smtp import SmtpSender, SmtpSettings
from sekisho.delivery.worker import OutboxWorker
from sekisho.http.edge import CaughtMail
from sekisho.model import Mail
from sekisho.ports.clock import Clock
from sekisho.ports.mail import MailSender
from sekisho.settings import Settings

MAILBOX_SETTLE_S = 2.0


def renderer(settings: Settings) -> Callable[[Mail], Letter]:
    return partial(render, product_name=settings.product_name, public_url=settings.public_url)


def smtp_sender(settings: Settings, clock: Clock) -> MailSender:
    mail = settings.mail
    smtp = SmtpSettings(
        host=mail.host,
        port=mail.actual_port,
        from_address=mail.sender,
        user=mail.user,
        password=mail.password.get_secret_value() if mail.password else "",
        tls="none" if mail.tls == "off" else mail.tls,
    )
    return SmtpSender(smtp, renderer(settings), clock)


def mailbox_reader(
    mailbox: Mailbox | None, worker: OutboxWorker
) -> Callable[[], Coroutine[Any, Any, list[CaughtMail]]] | None:
    if mailbox is None:
        return None

    async def read() -> list[CaughtMail]:
        await worker.settle(MAILBOX_SETTLE_S)
        return [
            CaughtMail(to=caught.to, subject=caught.subject, text=caught.text, html=caught.html, sent_at=caught.sent_at)
            for caught in mailbox.letters()
        ]

    return read

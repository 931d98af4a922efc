"""The ways out: the mailbox of development, or the operator's SMTP server and gateway for text messages."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from functools import partial
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct, structs

from sekisho.delivery.letters import Letter, render
from sekisho.delivery.mailbox import Mailbox
from sekisho.delivery.sms_mailbox import SmsMailbox
from sekisho.delivery.text_messages import render_text
from sekisho.delivery.ways import TEXTS_AT_ONCE, Ways
from sekisho.delivery.worker import OutboxWorker, WorkerLimits
from sekisho.http.edge import CaughtMail, CaughtSms
from sekisho.model import Mail, QueuedMail
from sekisho.ports.clock import Clock
from sekisho.ports.mail import MailSender, SmsGateway, TextMessage
from sekisho.ports.storage import Store
from sekisho.settings import Settings

MAILBOX_SETTLE_S = 2.0
SMTP, POSTS = "sekisho.assemble.smtp", "sekisho.assemble.posts"


class WaysOut(Struct, frozen=True):
    """sender: for the worker. mailbox, texts: what is caught in development, else None."""

    sender: MailSender
    mailbox: Mailbox | None
    texts: SmsMailbox | None


def ways_out(settings: Settings, clock: Clock) -> WaysOut:
    """Return where letters and text messages go. In development a gateway that is named is used."""
    mailbox = Mailbox(renderer(settings), clock) if settings.mode == "dev" else None
    # Each way out has a library of its own; only the chosen ones are loaded.
    sender: MailSender = mailbox or import_module(SMTP).smtp_sender(settings, renderer(settings), clock)
    texts = None
    gateway: SmsGateway | None = None
    if settings.sms.url:
        gateway = import_module(POSTS).sms_webhook(settings, clock)
    elif settings.mode == "dev":
        gateway = texts = SmsMailbox(clock, _tell if settings.sms.console else None)
    host = settings.sms.domain or urlsplit(settings.public_url).hostname or ""
    as_text = partial(render_text, product_name=settings.product_name, host=host)
    return WaysOut(Ways(sender, gateway, as_text), mailbox, texts)


def outbox_worker(store: Store, open_letter: Callable[[QueuedMail], Mail], out: WaysOut, clock: Clock) -> OutboxWorker:
    """Return the worker; text messages have places beside those of mail."""
    limits = WorkerLimits()
    return OutboxWorker(
        store, open_letter, out.sender, clock, structs.replace(limits, parallel=limits.parallel + TEXTS_AT_ONCE)
    )


def _tell(message: TextMessage) -> None:
    sys.stdout.write(f"SMS {message.to}\n{message.text}\n\n")
    sys.stdout.flush()


def renderer(settings: Settings) -> Callable[[Mail], Letter]:
    return partial(render, product_name=settings.product_name, public_url=settings.public_url)


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


def texts_reader(
    texts: SmsMailbox | None, worker: OutboxWorker
) -> Callable[[], Coroutine[Any, Any, list[CaughtSms]]] | None:
    if texts is None:
        return None

    async def read() -> list[CaughtSms]:
        await worker.settle(MAILBOX_SETTLE_S)
        return [CaughtSms(to=caught.to, text=caught.text, sent_at=caught.sent_at) for caught in texts.messages()]

    return read

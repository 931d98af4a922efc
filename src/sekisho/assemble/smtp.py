"""The operator's SMTP server. Loaded only where letters leave the process: `sekisho dev` catches them."""

from __future__ import annotations

from collections.abc import Callable

from sekisho.delivery.letters import Letter
from sekisho.delivery.smtp import SmtpSender, SmtpSettings
from sekisho.model import Mail
from sekisho.ports.clock import Clock
from sekisho.settings import Settings


def smtp_sender(settings: Settings, render: Callable[[Mail], Letter], clock: Clock) -> SmtpSender:
    mail = settings.mail
    smtp = SmtpSettings(
        host=mail.host,
        port=mail.actual_port,
        from_address=mail.sender,
        user=mail.user,
        password=mail.password.get_secret_value() if mail.password else "",
        tls="none" if mail.tls == "off" else mail.tls,
    )
    return SmtpSender(smtp, render, clock)

"""Which way a letter goes: by mail, or as a text message.

Text messages have a few places of their own among those that the worker has: a gateway that does not answer holds up
no mail. What finds no place is tried again a second later.
"""

from __future__ import annotations

from collections.abc import Callable

from sekisho.model import Channel, Mail
from sekisho.ports.mail import MailSender, SmsGateway, SmsRefused, TextMessage

TEXTS_AT_ONCE = 8


class GatewayBusy(Exception):
    """Every place for text messages is taken."""


class Ways:
    """A `MailSender` that hands text messages to the gateway and everything else to the mail's own sender.

    Args:
        gateway: None where there is none: what was queued for it is given up.
        at_once: how many text messages may be on the way.
    """

    def __init__(
        self,
        mail: MailSender,
        gateway: SmsGateway | None,
        render: Callable[[Mail], TextMessage],
        *,
        at_once: int = TEXTS_AT_ONCE,
    ) -> None:
        self._mail = mail
        self._gateway = gateway
        self._render = render
        self._free = at_once

    async def send(self, mail: Mail, message_id: str) -> None:
        """Hand over one letter.

        Raises:
            Undeliverable: permanent: see `SmsGateway` and `MailSender`.
            GatewayBusy: temporary, as whatever else they raise.
        """
        if mail.channel is not Channel.SMS:
            await self._mail.send(mail, message_id)
            return
        if self._gateway is None:
            raise SmsRefused("no gateway")
        message = self._render(mail)
        if not self._free:
            raise GatewayBusy
        self._free -= 1
        try:
            await self._gateway.send(message, message_id)
        finally:
            self._free += 1

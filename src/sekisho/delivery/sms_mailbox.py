"""Text messages in development: caught and shown, and on the terminal if wanted, instead of sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from sekisho.delivery.mailbox import KEPT_LETTERS
from sekisho.model import Discreet
from sekisho.ports.clock import Clock
from sekisho.ports.mail import TextMessage
from sekisho.times import iso_time


class CaughtText(Discreet, frozen=True):
    """`sent_at` is RFC 3339. Its fields are those of `/dev/sms.json`."""

    to: str
    text: str
    sent_at: str


class SmsMailbox:
    """An `SmsGateway` that keeps the newest 200 messages in memory. Only for `sekisho dev`: it shows codes.

    Args:
        echo: also called with each message, for a terminal.
    """

    def __init__(self, clock: Clock, echo: Callable[[TextMessage], None] | None = None) -> None:
        self._clock = clock
        self._echo = echo
        self._caught: deque[CaughtText] = deque(maxlen=KEPT_LETTERS)

    async def send(self, message: TextMessage, message_id: str) -> None:
        self._caught.appendleft(CaughtText(message.to, message.text, iso_time(self._clock.now())))
        if self._echo is not None:
            self._echo(message)

    def messages(self) -> list[CaughtText]:
        """Newest first."""
        return list(self._caught)

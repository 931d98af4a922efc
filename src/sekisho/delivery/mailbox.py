"""The development mailbox: letters are caught and shown instead of sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from sekisho.delivery.letters import Letter
from sekisho.model import Discreet, Mail
from sekisho.ports.clock import Clock
from sekisho.times import iso_time

KEPT_LETTERS = 200


class CaughtLetter(Discreet, frozen=True):
    """A rendered letter; `sent_at` is RFC 3339. Its fields are those of `/dev/mail.json`."""

    to: str
    subject: str
    text: str
    html: str
    sent_at: str


class Mailbox:
    """A `MailSender` that keeps the newest 200 letters in memory. Only for `sekisho dev`: it shows codes."""

    def __init__(self, render: Callable[[Mail], Letter], clock: Clock) -> None:
        self._render = render
        self._clock = clock
        self._caught: deque[CaughtLetter] = deque(maxlen=KEPT_LETTERS)

    async def send(self, mail: Mail, message_id: str) -> None:
        """Keep the letter.

        Raises:
            MailRefused: see `letters.render`.
        """
        letter = self._render(mail)
        sent_at = iso_time(self._clock.now())
        self._caught.appendleft(CaughtLetter(letter.to, letter.subject, letter.text, letter.html, sent_at))

    def letters(self) -> list[CaughtLetter]:
        """Newest first."""
        return list(self._caught)

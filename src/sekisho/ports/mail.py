"""The way out for mail."""

from __future__ import annotations

from typing import Protocol

from sekisho.model import Mail


class MailRefused(Exception):
    """The other side will never take this letter (an SMTP 5xx on the recipient): do not retry."""


class MailSender(Protocol):
    async def send(self, mail: Mail, message_id: str) -> None:
        """Render and hand over one letter. `message_id` is stable over retries, so that a
        receiver can recognise a duplicate.

        Raises:
            MailRefused: permanent; retrying cannot help.
            OSError, TimeoutError, or the library's own error: temporary; the worker retries.
        """

"""Screening: what is looked up about a new password that the policy takes.

    breached elsewhere (a file, then a service) -> used here before (a hash each)

It costs more than the policy: a disk, a network, the hash pool. So it comes after the try was counted, and after the
current password was verified where one is asked.

A service that does not answer lets the password pass: nobody is kept from a change of password by somebody else's
outage. That is logged and counted.

Spec: OWASP ASVS 5.0 row 6.2.12; NIST SP 800-63B-4 section 3.1.1.2.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from sekisho.errors import ValidationError
from sekisho.passwords.breached import BreachedFile, digest_of
from sekisho.passwords.hashing import HashPool
from sekisho.passwords.normal_form import normal_form
from sekisho.ports.breached import BreachedRanges, BreachedRangesUnavailable

log = structlog.get_logger("sekisho.screening")

REASONS = ("breached", "used_before")
_PREFIX_DIGITS = 5


class Screening:
    """Asks what it was given; nothing by default.

    tell: hears of each question to the service: `found`, `clear` or `unavailable`.
    """

    def __init__(
        self, passwords: HashPool, *, file: BreachedFile | None = None, ranges: BreachedRanges | None = None
    ) -> None:
        self._passwords = passwords
        self._file, self._ranges = file, ranges
        self.tell: Callable[[str], None] = lambda _: None

    async def screen(self, password: str, earlier: Sequence[str] = ()) -> None:
        """Let a password pass that no breach is known of and that was not used before.

        Args:
            password: what the policy has taken.
            earlier: hashes that it must not have; each costs a hash, one after the other.

        Raises:
            ValidationError: `details` says `password` and one of `REASONS`.
            ServiceUnavailable: the hash pool is full.
        """
        normal = normal_form(password)
        if await self._is_breached(normal):
            raise ValidationError(detail="password refused: breached", details={"password": "breached"})
        for encoded in earlier:
            if await self._passwords.verify(password, encoded):
                raise ValidationError(detail="password refused: used_before", details={"password": "used_before"})

    def close(self) -> None:
        """Let go of the file and of the service."""
        if self._file is not None:
            self._file.close()
        if self._ranges is not None:
            self._ranges.close()

    async def _is_breached(self, normal: str) -> bool:
        # In a thread: a page of the file that nobody has asked for lately comes from the disk.
        if self._file is not None and await asyncio.to_thread(self._file.__contains__, normal):
            return True
        return self._ranges is not None and await self._is_in_range(normal, self._ranges)

    async def _is_in_range(self, normal: str, ranges: BreachedRanges) -> bool:
        digest = digest_of(normal).hex().upper()
        try:
            is_found = digest[_PREFIX_DIGITS:] in await ranges.suffixes(digest[:_PREFIX_DIGITS])
        except BreachedRangesUnavailable as error:
            log.warning("breached_check_unavailable", why=str(error))
            self.tell("unavailable")
            return False
        self.tell("found" if is_found else "clear")
        return is_found

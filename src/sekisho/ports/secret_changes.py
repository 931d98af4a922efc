"""Writes for a master secret that is replaced. See `ports.changes`."""

from __future__ import annotations

from typing import Literal

from sekisho.ports.changes import Change

Place = Literal["signing_key", "factor", "letter", "blanked_seal", "purged_seal"]
"""Where a value under the master secret is kept for long: the private half of a signing key, what a factor hides, a
letter that waits, and the proofs that a batch of the audit trail was blanked or purged."""


class Reseal(Change, frozen=True, kw_only=True):
    """Put `value` in the place of `was`. Returns whether it did: what was changed or removed meanwhile stays so.

    Args:
        id: the key's kid, the factor's or the letter's id, or the seal's number.
    """

    place: Place
    id: str | int
    was: bytes
    value: bytes

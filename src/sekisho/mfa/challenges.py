"""Challenges: what a client holds between the password and the second step.

Opaque and random; the store knows only its keyed hash, so that a stolen database opens no door. It proves nothing but
that the password was right, and only the second step takes it.

Spec: ASVS 6.6.2, 6.7.2.
"""

from __future__ import annotations

import secrets

from sekisho.identifiers import ClientId
from sekisho.ids import could_be_ours
from sekisho.master_secret import MasterSecret
from sekisho.mfa.methods import Method
from sekisho.model import Account, Challenge, Discreet, Millis, Transport
from sekisho.ports.factor_changes import OpenChallenge
from sekisho.rfc import base64url

LIFETIME_MS = 5 * 60_000
MAX_TRIES = 5

_VALUE_BYTES = 32


class NewChallenge(Discreet, frozen=True):
    """`value` goes to the client, `opening` into the store."""

    value: str
    opening: OpenChallenge


class SecondFactorRequired(Discreet, frozen=True):
    """A sign-in whose password was right and that is not finished: nothing has been issued. `expires_in` in seconds;
    `trust_days` is for how long the device may be trusted afterwards, 0 if not at all. `suspended`: what the account
    has, and what finishes no sign-in until another of `methods` was shown."""

    challenge: str
    methods: tuple[Method, ...]
    expires_in: int = LIFETIME_MS // 1000
    trust_days: int = 0
    suspended: tuple[Method, ...] = ()


class Challenges:
    def __init__(self, master: MasterSecret) -> None:
        self._master = master

    def new(self, account: Account, client: ClientId, transport: Transport, now: Millis) -> NewChallenge:
        """Return a challenge for a sign-in whose password was right, bound to what it was begun with."""
        value = base64url.encode(secrets.token_bytes(_VALUE_BYTES))
        challenge = Challenge(
            id=self._id_of(value),
            account_id=account.id,
            client_id=client.whole,
            transport=transport,
            security_version=account.security_version,
            created_at=now,
            expires_at=now + LIFETIME_MS,
        )
        return NewChallenge(value, OpenChallenge(challenge=challenge))

    def find_id(self, value: str) -> str | None:
        """Return the id of the row, or None for what cannot be a challenge. `value` is untrusted."""
        return self._id_of(value) if could_be_ours(value) else None

    def _id_of(self, value: str) -> str:
        return base64url.encode(self._master.tag("challenge", value))

"""Random names for things: 128 bits in base64url, 22 characters. None of them is a secret that proves anything."""

from __future__ import annotations

import secrets

from sekisho.model import AccountId
from sekisho.rfc import base64url

ID_BYTES = 16


def new_account_id() -> AccountId:
    """Return the `sub` of a new account. Never reused, says nothing about the person."""
    return AccountId(new_handle())


def new_handle() -> str:
    """Return a name that nobody can guess, as for a pending sign-up."""
    return base64url.encode(secrets.token_bytes(ID_BYTES))

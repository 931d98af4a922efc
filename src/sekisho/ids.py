"""Random names for things: 128 bits in base64url, 22 characters. None of them is a secret that proves anything."""

from __future__ import annotations

import re
import secrets

from sekisho.model import AccountId
from sekisho.rfc import base64url

ID_BYTES = 16
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def new_account_id() -> AccountId:
    """Return the `sub` of a new account. Never reused, says nothing about the person."""
    return AccountId(new_handle())


def new_handle() -> str:
    """Return a name that nobody can guess, as for a pending sign-up."""
    return base64url.encode(secrets.token_bytes(ID_BYTES))


def could_be_ours(name: str) -> bool:
    """Whether a name from outside has the form of those made here. What has not is not asked for: a database may refuse
    the very characters."""
    return _NAME.fullmatch(name) is not None

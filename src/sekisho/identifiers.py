"""What people and apps are called: mail addresses, names and client ids, from untrusted text to values."""

from __future__ import annotations

import re
import unicodedata

from email_validator import EmailNotValidError, validate_email
from msgspec import Struct

from sekisho.errors import ValidationError

MAX_EMAIL_CHARACTERS = 254
MAX_NAME_CHARACTERS = 100

# Names that never leave a machine or a local network. email-validator refuses them as undeliverable; for a
# server that only hands mail to its own relay they are harmless, and development lives on them.
_LOCAL_DOMAIN = re.compile(r"(?:.+\.)?(?:localhost|local|test)", re.IGNORECASE)
_STAND_IN = ".example.com"

_CLIENT_ID = re.compile(r"([A-Za-z0-9._-]{1,64})(?::([A-Za-z0-9._-]{1,128}))?")


class EmailAddress(Struct, frozen=True):
    """address: as its owner wrote it, normalised; mail goes there. key: the form that is compared and unique."""

    address: str
    key: str


class ClientId(Struct, frozen=True):
    """whole: what the session is bound to. app: its first part. device: the part after the colon, or ""."""

    whole: str
    app: str
    device: str


def parse_email(text: str) -> EmailAddress:
    """Return the address, normalised (NFKC, IDNA), with its key: case folded, the domain in ASCII.

    Only the addr-spec: no display name, no quoted local part, no address literal; so nothing in it can
    end an SMTP command or a header (CR, LF, NUL, Unicode line separators).

    Raises:
        ValidationError: `email: invalid_email`. Says nothing about whether anybody has the address.
    """
    if len(text) > MAX_EMAIL_CHARACTERS:
        raise _invalid_email("too long")
    normal = unicodedata.normalize("NFKC", text)
    local, _, domain = normal.rpartition("@")
    stand_in = _STAND_IN if _LOCAL_DOMAIN.fullmatch(domain) else ""
    try:
        found = validate_email(normal + stand_in, check_deliverability=False, strict=True)
    except EmailNotValidError:
        raise _invalid_email("not an address") from None
    local, domain = found.local_part, found.domain.removesuffix(stand_in)
    ascii_domain = (found.ascii_domain or domain).removesuffix(stand_in)
    key = unicodedata.normalize("NFKC", f"{local}@{ascii_domain}".casefold())
    return EmailAddress(address=f"{local}@{domain}", key=key)


def parse_name(text: str) -> str:
    """Return a person's name, normalised (NFC), without spaces around it; "" for none. Spaces of any kind may stand in
    it: 山田　花子 has an ideographic one.

    Raises:
        ValidationError: `name: too_long`, or `control_characters` (line ends among them).
    """
    name = unicodedata.normalize("NFC", text).strip()
    if len(name) > MAX_NAME_CHARACTERS:
        raise ValidationError(detail="name: too long", details={"name": "too_long"})
    if any(unicodedata.category(mark) in ("Cc", "Zl", "Zp") for mark in name):
        raise ValidationError(detail="name: control characters", details={"name": "control_characters"})
    return name


def parse_client_id(text: str) -> ClientId:
    """Return the parts of `app` or `app:device`.

    Raises:
        ValidationError: `client_id: invalid_client_id`.
    """
    found = _CLIENT_ID.fullmatch(text)
    if found is None:
        raise ValidationError(detail="malformed client_id", details={"client_id": "invalid_client_id"})
    return ClientId(whole=text, app=found[1], device=found[2] or "")


def _invalid_email(detail: str) -> ValidationError:
    return ValidationError(detail=f"email: {detail}", details={"email": "invalid_email"})

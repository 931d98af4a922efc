"""Codes of an authenticator app.

The key is kept sealed and bound to its row. A code belongs to one step of 30 seconds; a phone's clock may be off by one
step, and a step that was used, or one before it, is never accepted again.

Spec: RFC 6238 (TOTP, SHA-1, 30 seconds, six digits: what every app understands); RFC 4226 section 5.3; NIST SP
800-63B-4 section 3.1.4.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from io import BytesIO

import pyotp
import segno

from sekisho.master_secret import MasterSecret
from sekisho.model import Factor, Millis

STEP_MS = 30_000
DRIFT_STEPS = 1

_SECRET_BYTES = 20
_PURPOSE = "totp"


class TotpKeys:
    """Makes, seals and asks the keys of authenticator apps."""

    def __init__(self, master: MasterSecret, issuer: str) -> None:
        self._master = master
        self._issuer = issuer

    def new(self) -> str:
        """Return 160 random bits, in the Base32 that people can type into an app."""
        return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()

    def seal(self, factor_id: str, secret: str) -> bytes:
        """Return the key as it is stored in the row of this factor, and opens in no other."""
        return self._master.seal(_PURPOSE, base64.b32decode(secret), _context(factor_id))

    def open(self, factor: Factor) -> str:
        """Return the key of this factor, as `new` made it.

        Raises:
            UnsealError: the stored key is damaged, moved, or sealed under another master secret.
        """
        return base64.b32encode(self._master.unseal(_PURPOSE, factor.sealed, _context(factor.id))).decode()

    def matching_step(self, factor: Factor, code: str, now: Millis) -> int | None:
        """Return the unused step whose code this is, the oldest first; None if there is none.

        Raises:
            UnsealError: the stored key is damaged, moved, or sealed under another master secret.
        """
        codes, current = pyotp.HOTP(self.open(factor)), now // STEP_MS
        found = None
        # Every step is compared, whichever matches: the time says nothing.
        for step in range(current + DRIFT_STEPS, current - DRIFT_STEPS - 1, -1):
            is_it = hmac.compare_digest(codes.at(step).encode(), code.encode())
            if is_it and step > factor.last_step:
                found = step
        return found

    def uri(self, secret: str, label: str) -> str:
        """Return what the app reads from the QR code (`otpauth://`)."""
        return pyotp.TOTP(secret).provisioning_uri(name=label, issuer_name=self._issuer)


def qr_svg(text: str) -> str:
    """Return a QR code as an SVG document of its own, dark on light whatever stands around it."""
    drawn = BytesIO()
    code = segno.make(text, error="m", micro=False)
    code.save(drawn, kind="svg", xmldecl=False, border=4, dark="#000", light="#fff", omitsize=True, nl=False)
    return drawn.getvalue().decode()


def sealed_as(factor_id: str) -> tuple[str, str]:
    """Return purpose and context of what a factor hides, for whoever seals it anew."""
    return _PURPOSE, _context(factor_id)


def _context(factor_id: str) -> str:
    return f"factors:{factor_id}"

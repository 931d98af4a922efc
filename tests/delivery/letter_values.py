"""One example of every letter, and the product that sends it."""

from __future__ import annotations

from functools import partial

from sekisho.delivery.letters import render
from sekisho.model import Mail
from sekisho.outbox import MailKind

SIGHTING = {
    "at": "2026-11-21T09:30:00.000Z",
    "device": "Chrome on Windows",
    "place": "Kyoto, Japan",
    "ip": "203.0.113.7",
}

WARNING = SIGHTING | {"not_me_code": "0123-4567-89AB-CDEF"}

VALUES: dict[MailKind, dict[str, str]] = {
    MailKind.SIGN_UP_CODE: {"code": "012345", "minutes": "15"},
    MailKind.SIGN_UP_EXISTING: {},
    MailKind.SESSION_REPLAYED: WARNING,
    MailKind.CLIENT_ID_MISMATCH: WARNING,
    MailKind.ACCOUNT_WITHDRAWN: {},
    MailKind.PASSWORD_RESET_CODE: {"code": "012345", "minutes": "10"},
    MailKind.PASSWORD_RESET_NO_ACCOUNT: {},
    MailKind.PASSWORD_CHANGED: WARNING,
    MailKind.FACTOR_CODE: {"code": "012345", "minutes": "10"},
    MailKind.FACTOR_ADDED: {**WARNING, "factor": "totp", "name": "Phone"},
    MailKind.FACTOR_REMOVED: {**WARNING, "factor": "email", "name": "", "left": "0"},
    MailKind.FACTOR_GUESSED: WARNING,
    MailKind.RECOVERY_CODES_MADE: WARNING,
    MailKind.DEVICE_TRUSTED: {**WARNING, "days": "30"},
    MailKind.FACTORS_RESET: {"at": SIGHTING["at"]},
    MailKind.SESSION_UNUSUAL: {**WARNING, "reasons": "refresh_from_new_network impossible_travel"},
    MailKind.NOT_ME: SIGHTING,
    MailKind.ACCOUNT_DISABLED: {"at": SIGHTING["at"]},
    MailKind.ACCOUNT_ENABLED: {"at": SIGHTING["at"]},
    MailKind.SIGN_IN_UNUSUAL: {**WARNING, "reasons": "new_device new_country"},
    MailKind.RECOVERY_CODE_USED: {**WARNING, "left": "9"},
    MailKind.PASSWORD_CHANGE_FORCED: {},
    MailKind.EMAIL_CHANGE_CODE: {"code": "012345", "minutes": "10"},
    MailKind.EMAIL_CHANGED_RECOVERY: SIGHTING | {"new_email": "hana.new@example.com"},
    MailKind.RECOVERY_EMAIL_CODE: {"code": "012345", "minutes": "10"},
    MailKind.RECOVERY_EMAIL_SET: WARNING | {"recovery_email": "hana.home@example.org"},
    MailKind.RECOVERY_EMAIL_REMOVED: WARNING | {"recovery_email": "hana.home@example.org"},
    MailKind.RECOVERY_EMAIL_RESET: {"at": SIGHTING["at"], "recovery_email": "hana.home@example.org"},
    MailKind.RECOVERY_EMAIL_HERE: {"at": SIGHTING["at"], "email": "hana@example.com"},
    MailKind.RECOVERY_EMAIL_GONE: {"at": SIGHTING["at"], "email": "hana@example.com"},
    MailKind.PASSWORD_RESET_CODE_RECOVERY: {"code": "012345", "minutes": "10", "email": "hana@example.com"},
    MailKind.PASSWORD_CHANGED_RECOVERY: SIGHTING | {"email": "hana@example.com"},
    MailKind.EMAIL_RESET: {
        "at": SIGHTING["at"],
        "reference": "q3Zl0v8hRk2mXw9T",
        "account_is": "open",
        "password_was": "removed",
        "recovery_was": "removed",
        "factors_were": "kept",
    },
    MailKind.EMAIL_RESET_FORMER: {"at": SIGHTING["at"], "reference": "q3Zl0v8hRk2mXw9T", "address_was": "address"},
    MailKind.EMAIL_RESET_RECOVERY: {
        "at": SIGHTING["at"],
        "reference": "q3Zl0v8hRk2mXw9T",
        "new_email": "hana.new@example.com",
    },
    MailKind.EMAIL_CHANGE_TAKEN: {},
    MailKind.EMAIL_CHANGED: SIGHTING | {"new_email": "hana.new@example.com"},
    MailKind.EMAIL_CHANGED_FORMER: WARNING | {"new_email": "hana.new@example.com"},
}

render_for_tea = partial(render, product_name="Tea House", public_url="https://auth.tea.example")


def mail(
    kind: MailKind = MailKind.SIGN_UP_CODE, *, to: str = "hana@example.com", locale: str = "en", **values: str
) -> Mail:
    return Mail(kind=kind, to=to, locale=locale, values={**VALUES[kind], **values})

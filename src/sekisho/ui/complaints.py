"""What a page says of a refusal: beside the field it belongs to where there is one, else above the form."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct

from sekisho import errors
from sekisho.catalogue import reason_with_hints
from sekisho.errors import Refusal, ValidationError
from sekisho.http.call import Call

FIELD_OF: dict[type[Refusal], str] = {
    errors.InvalidCredentials: "password",
    errors.InvalidCode: "code",
    errors.EmailAlreadyExists: "email",
}
OWN_TEXTS: dict[type[Refusal], str] = {
    errors.CsrfFailed: "page.again",
    errors.RateLimitExceeded: "page.rate_limited",
    errors.UnsupportedMediaType: "page.again",
    errors.MethodNotAllowed: "page.error.not_here",
    errors.ValidationError: "page.error.request",
    errors.SessionNotFound: "page.sign_up.over",
}
"""Where the text for programs would not help a person."""


class Complaint(Struct, frozen=True):
    """alert: the sentence above the form, or "". fields: field to sentence; the first gets the focus."""

    alert: str
    fields: dict[str, str]

    @property
    def first(self) -> str:
        """The first wrong field, or ""."""
        return next(iter(self.fields), "")


NO_COMPLAINT = Complaint("", {})


def complaint(refusal: Refusal | None, call: Call, asked: Collection[str] = ()) -> Complaint:
    """Return what to say on a page that asks for the fields `asked`."""
    if refusal is None:
        return NO_COMPLAINT
    if isinstance(refusal, ValidationError):
        details = refusal.details or {}
        known = {
            field: reason_with_hints(field, details, call.locale, refusal.values) for field in asked if field in details
        }
        return Complaint("", known) if known else Complaint(sentence(refusal, call), {})
    field = FIELD_OF.get(type(refusal))
    if field == "password" and "email" not in asked:
        name = next((one for one in asked if one in ("current_password", "password")), "")
        said = call.say("page.wrong_password")
        return Complaint("", {name: said}) if name else Complaint(said, {})
    if field is not None and field in asked:
        return Complaint("", {field: sentence(refusal, call)})
    return Complaint(sentence(refusal, call), {})


def sentence(refusal: Refusal, call: Call) -> str:
    """Return why, what to do, and when."""
    key = OWN_TEXTS.get(type(refusal), f"error.{refusal.code}")
    return f"{call.say(key)} {waiting(refusal.retry_after, call)}".strip()


def waiting(seconds: int | None, call: Call) -> str:
    """Return when the next try may succeed, in the largest unit that people would use; "" if nobody knows."""
    if not seconds:
        return ""
    for unit, length in (("hours", 3600), ("minutes", 60), ("seconds", 1)):
        if seconds >= 2 * length or length == 1:
            return call.say(f"page.wait.{unit}", count=-(-seconds // length))
    return ""

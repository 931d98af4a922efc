"""Reading a form: bounded like a JSON body, and held to the same shapes.

Spec: WHATWG URL section 5 (`application/x-www-form-urlencoded`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta, Struct

from sekisho.errors import UnsupportedMediaType, ValidationError
from sekisho.http.body import Receive, parse, read_bytes, require_plain
from sekisho.http.wire import Code, Email, Handle, Password, Request

if TYPE_CHECKING:
    from sekisho.http.call import Call

CSRF_FIELD = "csrf"
FIELDS_LIMIT = 20

FormFields = dict[str, str]
Form = TypeVar("Form", bound=Struct)


class SignInForm(Request, frozen=True, forbid_unknown_fields=True):
    email: Email
    password: Password


class FactorSendForm(Request, frozen=True, forbid_unknown_fields=True):
    challenge: Handle
    method: Annotated[str, Meta(max_length=32)]


class FactorCodeForm(FactorSendForm, frozen=True, forbid_unknown_fields=True):
    """trust_device: this browser is not asked again for some days."""

    code: Code
    trust_device: Annotated[str, Meta(max_length=8)] = ""


class SignUpForm(Request, frozen=True, forbid_unknown_fields=True):
    email: Email
    password: Password


class PendingForm(Request, frozen=True, forbid_unknown_fields=True):
    """Which sign-up goes on: the page carries both in the form, so that two of them in one browser do not meet."""

    email: Email
    pending: Handle


class CodeForm(PendingForm, frozen=True, forbid_unknown_fields=True):
    code: Code


class ResetForm(Request, frozen=True, forbid_unknown_fields=True):
    email: Email


class ResetCodeForm(Request, frozen=True, forbid_unknown_fields=True):
    email: Email
    code: Code


class NotMeForm(Request, frozen=True, forbid_unknown_fields=True):
    email: Email
    code: Handle


class NewPasswordForm(Request, frozen=True, forbid_unknown_fields=True):
    password: Password


class PasswordForm(Request, frozen=True, forbid_unknown_fields=True):
    """keep: the other sessions go on."""

    current_password: Password
    password: Password
    keep: Annotated[str, Meta(max_length=8)] = ""


class EmailForm(Request, frozen=True, forbid_unknown_fields=True):
    email: Email
    password: Password


class EmailCodeForm(Request, frozen=True, forbid_unknown_fields=True):
    email: Email
    code: Code


class ProfileForm(Request, frozen=True, forbid_unknown_fields=True):
    locale: Annotated[str, Meta(max_length=16)]
    name: Annotated[str, Meta(max_length=400)] = ""


class EndSessionForm(Request, frozen=True, forbid_unknown_fields=True):
    session: Handle


class EmptyForm(Request, frozen=True, forbid_unknown_fields=True):
    """A button."""


class ForgetDeviceForm(Request, frozen=True, forbid_unknown_fields=True):
    device: Handle


class WithdrawalForm(Request, frozen=True, forbid_unknown_fields=True):
    password: Password


class StepUpForm(Request, frozen=True, forbid_unknown_fields=True):
    """method: `password`, or that of a code."""

    method: Annotated[str, Meta(max_length=32)]
    password: Password | None = None
    code: Code | None = None


class StepUpSendForm(Request, frozen=True, forbid_unknown_fields=True):
    method: Annotated[str, Meta(max_length=32)]


class EnrolForm(Request, frozen=True, forbid_unknown_fields=True):
    kind: Annotated[str, Meta(max_length=32)]
    name: Annotated[str, Meta(max_length=400)] = ""
    phone: Annotated[str, Meta(max_length=64)] | None = None


class ConfirmFactorForm(Request, frozen=True, forbid_unknown_fields=True):
    """end_others: the other sessions end."""

    factor: Handle
    code: Code
    end_others: Annotated[str, Meta(max_length=8)] = ""


class RenameFactorForm(Request, frozen=True, forbid_unknown_fields=True):
    factor: Handle
    name: Annotated[str, Meta(max_length=400)] = ""


class RemoveFactorForm(Request, frozen=True, forbid_unknown_fields=True):
    factor: Handle
    end_others: Annotated[str, Meta(max_length=8)] = ""


async def read_form(call: Call, receive: Receive) -> FormFields:
    """Return the fields of a form, by name.

    Raises:
        PayloadTooLarge, ValidationError, ClientGone: as for a JSON body; also more than 20 fields, one that stands
            twice, and what is no UTF-8.
        UnsupportedMediaType: not `application/x-www-form-urlencoded`.
    """
    kind = (call.header(b"content-type") or "").partition(";")[0].strip().lower()
    require_plain(call.headers.get(b"content-encoding"))
    raw = await read_bytes(receive, call.headers.get(b"content-length"))
    if kind != "application/x-www-form-urlencoded":
        raise UnsupportedMediaType(detail="not a form")
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=FIELDS_LIMIT, errors="strict")
    except UnicodeDecodeError:
        raise ValidationError(details={"body": "invalid_encoding"}, detail="form encoding") from None
    except ValueError:
        raise ValidationError(details={"body": "too_many"}, detail="form fields") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValidationError(details={"body": "duplicate_key"}, detail="form field twice")
    return fields


def as_form(fields: FormFields, form: type[Form]) -> Form:
    """Return the fields as `form`; what was left empty was not given. The CSRF value is no field of the form.

    Raises:
        ValidationError: `details` names every field that is missing, unknown or too long.
    """
    given = {name: value for name, value in fields.items() if value and name != CSRF_FIELD}
    return parse(msgspec.json.encode(given), form)

"""Bodies of the second factor and of step-up, as DESIGN section 8 fixes them; those of enrolment are ours."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from sekisho.http.wire import ClientIdText, Code, Handle, Password, Request
from sekisho.model import Discreet, Factor, TrustedDevice
from sekisho.times import iso_time

MethodText = Annotated[str, Meta(max_length=32)]
FactorName = Annotated[str, Meta(max_length=400)]
PhoneText = Annotated[str, Meta(max_length=64)]


class SecondFactorSendCodeBody(Request, frozen=True, forbid_unknown_fields=True):
    challenge: Handle
    method: MethodText


class SecondFactorBody(Request, frozen=True, forbid_unknown_fields=True):
    challenge: Handle
    method: MethodText
    code: Code
    client_id: ClientIdText
    trust_device: bool = False
    device_token: Handle = ""


class StepUpSendCodeBody(Request, frozen=True, forbid_unknown_fields=True):
    method: MethodText


class StepUpBody(Request, frozen=True, forbid_unknown_fields=True):
    """Either the password, or a method and its code."""

    password: Password | None = None
    method: MethodText | None = None
    code: Code | None = None


class EnrolFactorBody(Request, frozen=True, forbid_unknown_fields=True):
    """`phone` for `sms` only: with its country code, or as it is dialled in the first country that is served."""

    kind: MethodText
    name: FactorName = ""
    phone: PhoneText | None = None


class ConfirmFactorBody(Request, frozen=True, forbid_unknown_fields=True):
    code: Code
    end_other_sessions: bool = False


class RenameFactorBody(Request, frozen=True, forbid_unknown_fields=True):
    name: FactorName


class RemoveFactorBody(Request, frozen=True, forbid_unknown_fields=True):
    end_other_sessions: bool = False


class SecondFactorRequiredView(Discreet, frozen=True, kw_only=True):
    """The answer of a login whose password was right, where the account asks for more. trust_days: there only if the
    device may be trusted afterwards (`trust_device`), and for how long. suspended: there only if the account has codes
    by mail that finish no sign-in until one of `methods` was shown, as its password was set anew by mail or an
    operator gave it another address."""

    status: Literal["second_factor_required"] = "second_factor_required"
    challenge: str
    methods: tuple[str, ...]
    expires_in: int
    trust_days: int | UnsetType = UNSET
    suspended: tuple[str, ...] | UnsetType = UNSET


class FactorCodeSentView(Struct, frozen=True):
    message: str
    expires_in: int


class EnrolmentView(Discreet, frozen=True, kw_only=True):
    """secret, uri, qr: of an authenticator app only. `secret` is for typing, `uri` for an app on the same device, `qr`
    an SVG document to show. They are shown this once. number: where the code went, masked; by SMS only."""

    id: str
    kind: str
    expires_in: int
    secret: str | UnsetType = UNSET
    uri: str | UnsetType = UNSET
    qr: str | UnsetType = UNSET
    number: str | UnsetType = UNSET
    message: str | UnsetType = UNSET


class FactorView(Struct, frozen=True):
    """Times are RFC 3339; `last_used_at` is null until it was used to sign in or to step up. number: of a phone,
    masked (`+81 •••• 12`); it stands there for `sms` only."""

    id: str
    kind: str
    name: str
    created_at: str
    last_used_at: str | None
    number: str | UnsetType = UNSET


class FactorListView(Struct, frozen=True):
    """available: the kinds that can be enrolled here. recovery_codes: how many are unused."""

    factors: list[FactorView]
    recovery_codes: int
    available: list[str]


class FactorConfirmedView(Discreet, frozen=True, kw_only=True):
    """`recovery_codes` stand here with the first factor only, and this once."""

    message: str
    factor: FactorView
    recovery_codes: tuple[str, ...] | UnsetType = UNSET
    ended: int


class RecoveryCodesView(Discreet, frozen=True):
    message: str
    recovery_codes: tuple[str, ...]


class TrustedDeviceView(Struct, frozen=True, kw_only=True):
    """Times are RFC 3339. current: this call came from that device, as far as its cookie says."""

    id: str
    app: str
    device: str
    created_at: str
    last_used_at: str
    expires_at: str
    current: bool


class TrustedDeviceListView(Struct, frozen=True):
    devices: list[TrustedDeviceView]


def trusted_device_view(device: TrustedDevice, *, is_current: bool) -> TrustedDeviceView:
    return TrustedDeviceView(
        id=device.id,
        app=device.app,
        device=device.device_name,
        created_at=iso_time(device.created_at),
        last_used_at=iso_time(device.last_used_at),
        expires_at=iso_time(device.expires_at),
        current=is_current,
    )


def factor_view(factor: Factor, number: str = "") -> FactorView:
    return FactorView(
        id=factor.id,
        kind=factor.kind.value,
        name=factor.name,
        created_at=iso_time(factor.created_at),
        last_used_at=None if factor.last_used_at is None else iso_time(factor.last_used_at),
        number=number or UNSET,
    )

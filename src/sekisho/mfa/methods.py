"""The methods of the second step, and what each is worth.

Spec: RFC 8176 (`amr`); NIST SP 800-63B-4 sections 2 and 3.1.3 (mail is no second factor: it never raises the level).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from sekisho.errors import StepUpRequired, ValidationError
from sekisho.model import AAL2, Factor, FactorKind, Millis, Session

MAX_FAILURES = 100
"""So many wrong codes in a row, at sign-in and in sessions together, and a factor proves nothing any more until its
owner has removed it and enrolled anew (NIST SP 800-63B-4 section 3.2.2)."""

AAL1 = "aal1"


class Method(StrEnum):
    """In the order in which they are offered."""

    TOTP = "totp"
    RECOVERY_CODE = "recovery_code"
    EMAIL = "email"
    SMS = "sms"


SENT = frozenset({Method.EMAIL, Method.SMS})
"""The methods whose code the server sends."""

_AMR: dict[Method, tuple[str, ...]] = {
    Method.TOTP: ("otp", "mfa"),
    Method.RECOVERY_CODE: ("otp", "mfa"),
    Method.SMS: ("sms", "mfa"),
    Method.EMAIL: ("otp",),
}
_STRONG = frozenset({FactorKind.TOTP, FactorKind.SMS})


class Assurance(Struct, frozen=True):
    """What a session may say of how its owner proved to be the one."""

    amr: tuple[str, ...]
    acr: str


def assurance(shown: Iterable[str], method: Method) -> Assurance:
    """Return what stands after a method was shown beside what was shown before. Two things make `aal2`, unless the
    second is mail."""
    amr = tuple(dict.fromkeys((*shown, *_AMR[method])))
    if "pwd" not in amr:
        amr = tuple(word for word in amr if word != "mfa")
    return Assurance(amr, AAL2 if "mfa" in amr else AAL1)


def words_of(method: Method) -> str:
    """Return the method in the audit's words."""
    return " ".join(word for word in _AMR[method] if word != "mfa")


def parse_method(text: str) -> Method:
    """Raises:
    ValidationError: `method: invalid_choice`.
    """
    try:
        return Method(text)
    except ValueError:
        raise ValidationError(details={"method": "invalid_choice"}, detail="method") from None


def not_available() -> ValidationError:
    """Return the refusal of a method that this account does not have, or that sends no code."""
    return ValidationError(details={"method": "not_available"}, detail="method not available")


def confirmed(factors: Iterable[Factor]) -> tuple[Factor, ...]:
    """Return those whose enrolment was finished."""
    return tuple(factor for factor in factors if factor.confirmed_at is not None)


def in_force(factors: Iterable[Factor]) -> tuple[Factor, ...]:
    """Return those that prove something now. Where nothing in force raises the level all of them do: nobody is locked
    out by a suspension."""
    having = confirmed(factors)
    others = tuple(factor for factor in having if factor.suspended_at is None)
    return others if level_of(others) == AAL2 else having


def suspended(factors: Iterable[Factor]) -> tuple[Factor, ...]:
    """Return those that prove nothing until another was shown."""
    having = confirmed(factors)
    proving = in_force(having)
    return tuple(factor for factor in having if factor not in proving)


def methods_of(factors: Iterable[Factor], unused_codes: int) -> tuple[Method, ...]:
    """Return how the owner of these factors can show that it is them; nothing if there are none."""
    kinds = {factor.kind for factor in in_force(factors)}
    has_codes = bool(kinds) and unused_codes > 0
    return tuple(
        method
        for method in Method
        if (has_codes if method is Method.RECOVERY_CODE else FactorKind(method.value) in kinds)
    )


def methods_to_finish(factors: Iterable[Factor], unused_codes: int) -> tuple[Method, ...]:
    """Return what a sign-in of which a second step is asked can be finished with.

    Whoever has no second factor shows that the account's letters reach them: that is no factor and raises no level.
    """
    return methods_of(factors, unused_codes) or (Method.EMAIL,)


def level_of(factors: Iterable[Factor]) -> str:
    """Return the level that the owner of these factors can show, and so must show for what is sensitive."""
    return AAL2 if any(factor.kind in _STRONG for factor in confirmed(factors)) else AAL1


def check_fresh(session: Session, factors: Iterable[Factor], now: Millis, fresh_ms: int) -> None:
    """Let a sensitive call pass.

    Raises:
        StepUpRequired: the owner's last proof is older than `fresh_ms`, or weaker than it could be. `details` says
            `max_age` (seconds) and `acr`.

    Spec: RFC 9470 section 3; ASVS 7.5.1, 7.5.3.
    """
    needed = level_of(factors)
    # A proof that lies ahead was given while the clock was: it is not fresh until the clock is there again.
    is_fresh = abs(now - session.auth_time_at) <= fresh_ms
    if not is_fresh or (needed == AAL2 and session.acr != AAL2):
        raise StepUpRequired(
            detail="too weak" if is_fresh else "too old", details={"max_age": fresh_ms // 1000, "acr": needed}
        )

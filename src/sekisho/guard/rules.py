"""What an API asks of a principal beyond being signed in: scopes, roles, permissions, strength and age of the proof.

Spec: RFC 6750 section 3.1 (insufficient_scope), RFC 9470 (insufficient_user_authentication).
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from sekisho.errors import Forbidden, StepUpRequired
from sekisho.guard.principal import Principal

LEVELS = ("aal1", "aal2", "aal3")


class Rule(Struct, frozen=True):
    """All that is given must hold. Of `roles` one is enough; of scopes and permissions all are needed.

    max_age: seconds since the person last proved who it is. acr: the level that this proof must have had.
    """

    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    max_age: float | None = None
    acr: str | None = None


def rule(
    *,
    scopes: Iterable[str] = (),
    roles: Iterable[str] = (),
    permissions: Iterable[str] = (),
    max_age: float | None = None,
    acr: str | None = None,
) -> Rule:
    """Return a rule.

    Raises:
        ValueError: a single text where several names belong (it would be taken apart into letters), or a negative age.
    """
    if any(isinstance(names, str) for names in (scopes, roles, permissions)):
        raise ValueError("scopes, roles and permissions are lists of names, as ['editor']")
    if max_age is not None and not max_age >= 0:
        raise ValueError("max_age is a number of seconds, 0 or more")
    return Rule(frozenset(scopes), frozenset(roles), frozenset(permissions), max_age, acr)


def check(principal: Principal, wanted: Rule, now: float) -> None:
    """Return if the principal may.

    Args:
        now: seconds since 1970.

    Raises:
        Forbidden: a scope, role or permission is missing; signing in again does not help.
        StepUpRequired: the proof is too old or too weak; `details` say what is wanted.
    """
    if not wanted.scopes <= principal.scopes:
        raise Forbidden(detail="scope", values={"scope": " ".join(sorted(wanted.scopes))})
    if wanted.roles and not wanted.roles & principal.roles:
        raise Forbidden(detail="role")
    if not wanted.permissions <= principal.permissions:
        raise Forbidden(detail="permission")
    missing: dict[str, object] = {}
    if wanted.max_age is not None and now - principal.auth_time > wanted.max_age:
        missing["max_age"] = int(wanted.max_age)
    if wanted.acr is not None and not _reaches(principal.acr, wanted.acr):
        missing["acr"] = wanted.acr
    if missing:
        raise StepUpRequired(detail="proof too old or too weak", details=missing)


def _reaches(acr: str, wanted: str) -> bool:
    if wanted in LEVELS and acr in LEVELS:
        return LEVELS.index(acr) >= LEVELS.index(wanted)
    return acr == wanted

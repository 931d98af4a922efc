"""Profile: read and change what the person may say about themselves."""

from __future__ import annotations

from msgspec import Struct

from sekisho.audit import Event, record
from sekisho.errors import SessionRevoked, ValidationError
from sekisho.identifiers import parse_name
from sekisho.model import Account, Origin, Principal
from sekisho.ports.changes import AppendAudit, ChangeProfile
from sekisho.ports.clock import Clock
from sekisho.ports.storage import Store

LOCALES = ("en", "ja")


class ProfileChange(Struct, frozen=True):
    """None leaves a field as it is."""

    name: str | None
    locale: str | None


class ProfileWorld(Struct, frozen=True, kw_only=True):
    store: Store
    clock: Clock


async def read_profile(principal: Principal, world: ProfileWorld) -> Account:
    """Return the caller's account.

    Raises:
        SessionRevoked: the account was withdrawn after the credential was checked.
    """
    account = await world.store.find_account(principal.account_id)
    if account is None:
        raise SessionRevoked(detail="account gone")
    return account


async def change_profile(
    change: ProfileChange, principal: Principal, seen_from: Origin, world: ProfileWorld
) -> Account:
    """Set name and locale, and return the account as it is now. A name of only spaces clears it.

    Raises:
        ValidationError: the name is longer than 100 characters or has control characters; the locale
            is not one that the server speaks.
        SessionRevoked: the account was disabled or withdrawn meanwhile.

    Concurrency: two tabs that change different fields at once both succeed.
    """
    name, locale = _check(change)
    outcome = await world.store.apply(
        ChangeProfile(account_id=principal.account_id, name=name, locale=locale),
        AppendAudit(
            record=record(
                Event.PROFILE_CHANGED,
                "success",
                at=world.clock.now(),
                origin=seen_from,
                account_id=principal.account_id,
                session_id=principal.session_id,
                client_id=principal.client_id,
            )
        ),
    )
    if outcome.lost:
        raise SessionRevoked(detail=outcome.lost.why)
    changed: Account = outcome.results[0]
    return changed


def _check(change: ProfileChange) -> tuple[str | None, str | None]:
    wrong: dict[str, object] = {}
    name = None
    try:
        name = None if change.name is None else parse_name(change.name)
    except ValidationError as error:
        wrong.update(error.details or {})
    if change.locale is not None and change.locale not in LOCALES:
        wrong["locale"] = "invalid_choice"
    if wrong:
        raise ValidationError(details=wrong, detail="profile")
    return name, change.locale

"""Import of users: rows of a file become accounts, with the password hashes that another system made.

    read each row -> check it whole -> add the account, or say which line is wrong and go on

An address that has an account already is left as it is, so that an import that was cut short is simply run again.
Nobody is mailed, and nobody has to choose a new password: a hash is replaced at its owner's next login.

Spec: RFC 4180 (CSV), RFC 8259 (JSON); docs/how-to/import-users.md.
"""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from sekisho.admin.accounts import LOCALES, OPERATOR, check_roles
from sekisho.admin.world import OperatorWorld
from sekisho.audit import SUCCESS, Event, record
from sekisho.errors import ValidationError
from sekisho.identifiers import parse_email, parse_name
from sekisho.ids import new_account_id
from sekisho.model import Account, Discreet, Millis, Origin
from sekisho.passwords.encoded import is_usable
from sekisho.passwords.foreign import parse_foreign, unwrapped
from sekisho.ports.changes import AddAccount, AppendAudit

FIELDS = ("email", "password_hash", "is_verified", "name", "locale", "roles", "created_at", "credentials")
AT_ONCE = 50
_YES, _NO = ("true", "1", "yes"), ("false", "0", "no", "")
_KEYCLOAK_PBKDF2 = {"pbkdf2": "pbkdf2-sha1", "pbkdf2-sha256": "pbkdf2-sha256", "pbkdf2-sha512": "pbkdf2-sha512"}


class UserRow(Discreet, frozen=True):
    """line: where the row begins in the file, from 1."""

    line: int
    fields: dict[str, Any]


class RowRefused(Struct, frozen=True):
    """Why a row became no account: the field ("" for the whole row) and a stable reason."""

    line: int
    field: str
    reason: str


class Imported(Struct, frozen=True, kw_only=True):
    """existing: rows whose address has an account already."""

    added: int
    existing: int
    refused: tuple[RowRefused, ...]


def read_csv(lines: Iterable[str]) -> Iterator[UserRow | RowRefused]:
    """Yield the rows of a CSV file whose first line names the fields."""
    reader = csv.DictReader(lines, strict=True)
    begins = 2
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield RowRefused(begins, "", "invalid_csv")
            return
        # What is too much stands under None, what is missing is None.
        if None in row or None in row.values():
            yield RowRefused(begins, "", "wrong_number_of_fields")
        else:
            yield UserRow(begins, {name.strip(): value for name, value in row.items() if value})
        begins = reader.line_num + 1


def read_json(lines: Iterable[str]) -> Iterator[UserRow | RowRefused]:
    """Yield the objects of a file with one JSON object a line."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield UserRow(number, msgspec.json.decode(line, type=dict[str, Any]))
        except (msgspec.DecodeError, UnicodeError):
            yield RowRefused(number, "", "invalid_json")


async def import_users(
    rows: Iterable[UserRow | RowRefused],
    world: OperatorWorld,
    *,
    is_dry: bool = False,
    tell: Callable[[int], None] = lambda _: None,
) -> Imported:
    """Add an account for every good row; `is_dry` checks all and adds none. `tell` hears how many rows are done.

    A hash that could not be verified at a bounded cost refuses its row: its owner could never sign in with it.

    Concurrency: beside a running server, and beside another import of the same file: each address gets one account.
    """
    outcome: dict[str, int] = {"added": 0, "existing": 0}
    refused: list[RowRefused] = []
    seen: set[str] = set()
    waiting: list[Account] = []

    async def flush() -> None:
        for added in await asyncio.gather(*(_add(account, world, is_dry) for account in waiting)):
            outcome["added" if added else "existing"] += 1
        waiting.clear()

    for number, row in enumerate(rows, 1):
        found = row if isinstance(row, RowRefused) else _account(row, world.clock.now())
        if isinstance(found, RowRefused):
            refused.append(found)
        elif found.email_key in seen:
            refused.append(RowRefused(row.line, "email", "twice_in_file"))
        else:
            seen.add(found.email_key or "")
            waiting.append(found)
        if len(waiting) >= AT_ONCE:
            await flush()
        tell(number)
    await flush()
    return Imported(added=outcome["added"], existing=outcome["existing"], refused=tuple(refused))


async def _add(account: Account, world: OperatorWorld, is_dry: bool) -> bool:
    """Return whether there was no account yet."""
    if await world.store.find_account_by_email(account.email_key or ""):
        return False
    if is_dry:
        return True
    now = world.clock.now()
    line = record(Event.ACCOUNT_ADDED, SUCCESS, at=now, origin=Origin(), account_id=account.id, actor=OPERATOR)
    return (await world.store.apply(AddAccount(account=account), AppendAudit(record=line))).lost is None


def _account(row: UserRow, now: Millis) -> Account | RowRefused:
    fields = row.fields
    if unknown := sorted(set(fields) - set(FIELDS)):
        return RowRefused(row.line, unknown[0], "unknown_field")
    try:
        email = parse_email(_text(fields, "email"))
        locale = _text(fields, "locale") or "en"
        _refuse_unless(locale in LOCALES, "locale", "invalid_choice")
        return Account(
            id=new_account_id(),
            email=email.address,
            email_key=email.key,
            is_verified=_yes_or_no(fields, "is_verified"),
            name=parse_name(_text(fields, "name")),
            locale=locale,
            roles=check_roles(_roles(fields)),
            password_hash=_password_hash(fields),
            created_at=_moment(fields, now),
        )
    except ValidationError as error:
        [(field, reason)] = list((error.details or {"": "wrong_type"}).items())[:1]
        return RowRefused(row.line, field, str(reason))


def _refuse_unless(is_good: bool, field: str, reason: str) -> None:
    if not is_good:
        raise ValidationError(details={field: reason}, detail=field)


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    _refuse_unless(value is None or isinstance(value, str), name, "wrong_type")
    return value or ""


def _yes_or_no(fields: dict[str, Any], name: str) -> bool:
    value = fields.get(name, "")
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    _refuse_unless(text in (*_YES, *_NO), name, "invalid_choice")
    return text in _YES


def _roles(fields: dict[str, Any]) -> tuple[str, ...]:
    value = fields.get("roles", ())
    if isinstance(value, str):
        return tuple(value.split())
    _refuse_unless(
        isinstance(value, list | tuple) and all(isinstance(role, str) for role in value), "roles", "wrong_type"
    )
    return tuple(value)


def _moment(fields: dict[str, Any], now: Millis) -> Millis:
    """Return when the account came into being; what lies ahead is now. Before 1970 there was none: some systems write
    the year 1 where they do not know."""
    text = _text(fields, "created_at")
    if not text:
        return now
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValidationError(details={"created_at": "invalid_format"}, detail="created_at")
    at = int(moment.timestamp() * 1000)
    _refuse_unless(at >= 0, "created_at", "out_of_range")
    return min(now, at)


def _password_hash(fields: dict[str, Any]) -> str | None:
    """Return a hash that a login can verify; None where the row has none."""
    encoded = unwrapped(_text(fields, "password_hash")) or _of_keycloak(fields.get("credentials"))
    if not encoded:
        return None
    _refuse_unless(parse_foreign(encoded) is not None or is_usable(encoded, b""), "password_hash", "unusable_hash")
    return encoded


def _of_keycloak(credentials: Any) -> str:
    """Return the hash of Keycloak's export (`credentials` of a user) in our form; "" where it has no password."""
    _refuse_unless(credentials is None or isinstance(credentials, list), "credentials", "wrong_type")
    for each in credentials or ():
        try:
            if each["type"] != "password":
                continue
            data = msgspec.json.decode(each["credentialData"], type=dict[str, Any])
            secret = msgspec.json.decode(each["secretData"], type=dict[str, Any])
            salt, value = str(secret["salt"]).rstrip("="), str(secret["value"]).rstrip("=")
            if data["algorithm"] == "argon2":
                more = {name: found[0] for name, found in data["additionalParameters"].items()}
                cost = f"m={more['memory']},t={data['hashIterations']},p={more['parallelism']}"
                return f"$argon2{more['type']}$v=19${cost}${salt}${value}"
            return f"${_KEYCLOAK_PBKDF2[data['algorithm']]}$i={data['hashIterations']}${salt}${value}"
        except (KeyError, TypeError, IndexError, AttributeError, msgspec.MsgspecError):
            raise ValidationError(details={"credentials": "invalid_format"}, detail="keycloak") from None
    return ""

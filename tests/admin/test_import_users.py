"""Import of users: good rows sign in with their old password, bad rows are named by their line, twice is once."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode

import pytest

from admin.operator import operator_of
from sekisho.admin.import_users import Imported, RowRefused, import_users, read_csv, read_json
from sekisho.errors import InvalidCredentials
from sekisho.flows.profile import ProfileChange, change_profile
from world import HANAKO, HOME, PASSWORD, World, principal_of

pytestmark = pytest.mark.anyio

DIGEST = b64encode(hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), b"salt", 1000)).decode()
DJANGO = f"pbkdf2_sha256$1000$salt${DIGEST}"
HEAD = "email,password_hash,is_verified,name,locale,roles,created_at\n"
KEYCLOAK = [
    {
        "type": "password",
        "secretData": json.dumps({"value": DIGEST, "salt": b64encode(b"salt").decode()}),
        "credentialData": json.dumps({"hashIterations": 1000, "algorithm": "pbkdf2-sha256"}),
    }
]


async def imported(world: World, text: str, *, is_dry: bool = False) -> Imported:
    read = read_json if text.startswith("{") else read_csv
    return await import_users(read(text.splitlines(keepends=True)), operator_of(world), is_dry=is_dry)


async def test_a_row_of_csv_signs_in_with_its_old_password(world: World) -> None:
    row = f'{HANAKO},{DJANGO},true,"Yamada, Hanako",ja,admin editor,2019-05-01T09:00:00+09:00\n'
    assert await imported(world, HEAD + row) == Imported(added=1, existing=0, refused=())
    account = (await world.login()).account
    assert (account.name, account.locale, account.roles) == ("Yamada, Hanako", "ja", ("admin", "editor"))
    assert (account.is_verified, account.created_at) == (True, 1_556_668_800_000)
    (line,) = await world.audit("account_added")
    assert (line.actor, line.account_id) == ("operator", account.id)
    assert await world.mail() == []


@pytest.mark.parametrize("name", ["山田　花子", "Jean\u00a0Dupont", "e\u0301ric", "👩‍🚀"])
async def test_a_name_may_be_what_its_owner_could_have_set(world: World, name: str) -> None:
    assert (await imported(world, f"{HEAD}{HANAKO},{DJANGO},true,{name},ja,,\n")).added == 1
    pair = await world.login()
    change = ProfileChange(name=name, locale=None)
    assert pair.account.name == (await change_profile(change, principal_of(pair), HOME, world.edge.profile)).name


async def test_an_object_of_keycloak_signs_in_with_its_old_password(world: World) -> None:
    row = {"email": HANAKO, "is_verified": True, "roles": ["admin"], "credentials": KEYCLOAK}
    await imported(world, json.dumps(row) + "\n")
    assert (await world.login()).account.roles == ("admin",)


async def test_an_account_without_a_hash_waits_for_a_reset(world: World) -> None:
    await imported(world, f"{HEAD}{HANAKO},,true,,,,\n")
    with pytest.raises(InvalidCredentials, match="no_password"):
        await world.login()


async def test_a_second_run_adds_what_the_first_left_out_and_changes_nothing(world: World) -> None:
    rows = [f"person{number}@mail.test,{DJANGO},true,,,,\n" for number in range(120)]
    assert (await imported(world, HEAD + "".join(rows[:70]))).added == 70
    before = await world.store.list_accounts(limit=1000)
    again = await imported(world, HEAD + "".join(rows))
    assert (again.added, again.existing) == (50, 70)
    after = await world.store.list_accounts(limit=1000)
    assert [account for account in after if account in before] == before


async def test_a_dry_run_says_what_would_be_and_adds_nothing(world: World) -> None:
    await world.account()
    done = await imported(world, f"{HEAD}{HANAKO},,,,,,\nren@mail.test,,,,,,\nnobody,,,,,,\n", is_dry=True)
    assert done == Imported(added=1, existing=1, refused=(RowRefused(4, "email", "invalid_email"),))
    assert len(await world.store.list_accounts()) == 1


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ("nobody,,,,,,", "email", "invalid_email"),
        ("ren@mail.test,$pbkdf2-sha256$i=999999999$c2FsdA$AAAA,,,,,", "password_hash", "unusable_hash"),
        ("ren@mail.test,5f4dcc3b5aa765d61d8327deb882cf99,,,,,", "password_hash", "unusable_hash"),
        ("ren@mail.test,,maybe,,,,", "is_verified", "invalid_choice"),
        ("ren@mail.test,,,,fr,,", "locale", "invalid_choice"),
        ("ren@mail.test,,,,,a/b,", "roles", "invalid_characters"),
        (f"ren@mail.test,,,{'x' * 101},,,", "name", "too_long"),
        ("ren@mail.test,,,,,,yesterday", "created_at", "invalid_format"),
        ("ren@mail.test,,,,,,2019-05-01", "created_at", "invalid_format"),
        ("ren@mail.test,,,,,,0001-01-01T00:00:00+09:00", "created_at", "out_of_range"),
        ("ren@mail.test,,,,,,1969-12-31T23:59:59Z", "created_at", "out_of_range"),
        ("ren@mail.test,,", "", "wrong_number_of_fields"),
        ("SORA@mail.test,,,,,,", "email", "twice_in_file"),
    ],
)
async def test_a_bad_row_is_named_by_its_line_and_the_others_go_on(
    world: World, row: str, field: str, reason: str
) -> None:
    done = await imported(world, f'{HEAD}hana@mail.test,,,"two\nlines",,,\nsora@mail.test,,,,,,\n{row}\n')
    assert done.refused == (RowRefused(2, "name", "control_characters"), RowRefused(5, field, reason))
    assert await world.store.find_account_by_email("sora@mail.test") is not None


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ('{"email": "ren@mail.test", "admin": true}', "admin", "unknown_field"),
        ('{"email": 5}', "email", "wrong_type"),
        ('{"email": "ren@mail.test"', "", "invalid_json"),
        ('{"email": "ren@mail.test", "roles": [1]}', "roles", "wrong_type"),
        ('{"email": "ren@mail.test", "credentials": [{"type": "password"}]}', "credentials", "invalid_format"),
        ('{"email": "ren@mail.test", "credentials": {}}', "credentials", "wrong_type"),
    ],
)
async def test_a_bad_object_is_named_by_its_line(world: World, row: str, field: str, reason: str) -> None:
    done = await imported(world, f'{{"email": "sora@mail.test"}}\n\n{row}\n')
    assert done == Imported(added=1, existing=0, refused=(RowRefused(3, field, reason),))

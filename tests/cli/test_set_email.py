"""`sekisho user set-email` beside a running server: the thief is out at once, and people are told what was done."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pyotp
import pytest

from cli.person import PASSWORD, sign_in, who_am_i
from cli.test_operator import add_user, refused, told, wait_until_refused
from live_server import LiveServer, live_server, sekisho

ROBBED = "mio@mail.test"
NEW = "mio.new@mail.test"


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("set-email")) as running:
        add_user(running.folder, ROBBED)
        yield running


def enrol(server: LiveServer, tokens: Any) -> None:
    auth = {"Authorization": f"Bearer {tokens.access_token}"}
    factors = f"{server.url}/api/v1/auth/factors"
    begun = httpx2.post(factors, json={"kind": "totp"}, headers=auth).json()
    code = {"code": pyotp.TOTP(begun["secret"]).now()}
    assert httpx2.post(f"{factors}/{begun['id']}/confirm", json=code, headers=auth).status_code == 200


def test_a_thief_is_out_of_the_running_server_and_the_account_is_the_owners(server: LiveServer) -> None:
    tokens = sign_in(server, ROBBED)
    enrol(server, tokens)
    account_id = who_am_i(server, tokens)[1]["user"]["id"]
    words = ("user", "set-email", ROBBED, NEW, "--taken-over")
    assert refused(server, *words)["error"] == "not_confirmed"
    assert who_am_i(server, tokens)[0] == 200

    done = told(server, *words, "--yes")
    assert (done["changed"], done["former_email"], done["ended"]) == (True, ROBBED, 1)
    assert (done["account"]["id"], done["account"]["email"], done["account"]["has_password"]) == (
        account_id,
        NEW,
        False,
    )
    assert done["removed"] == {
        "password": True,
        "recovery_email": None,
        "second_factors": ["totp"],
        "recovery_codes": 10,
        "trusted_devices": 0,
    }
    assert not any(done["kept"].values())
    wait_until_refused(server, tokens, "session_revoked")

    again = told(server, "user", "set-email", NEW, NEW, "--yes")
    assert (again["changed"], again["account"]["id"]) == (False, account_id)
    assert refused(server, "user", "show", ROBBED)["error"] == "not_found"
    (line,) = told(server, "audit", "list", "--user", NEW, "--event", "email_reset")["records"]
    assert (line["actor"], line["reason"]) == ("operator", "taken_over")


def test_what_stays_and_what_is_refused_is_said_in_both_languages(server: LiveServer) -> None:
    enrol(server, sign_in(server, ROBBED))
    add_user(server.folder, "jun@mail.test")
    taken = refused(server, "user", "set-email", ROBBED, "jun@mail.test", "--yes")
    assert taken["error"] == "email_already_exists"
    assert "user show jun@mail.test" in taken["message"]
    assert refused(server, "user", "set-email", "nobody@mail.test", NEW, "--yes")["error"] == "not_found"
    assert refused(server, "user", "set-email", ROBBED, "nobody", "--yes")["details"] == {"email": "invalid_email"}

    told(server, "user", "disable", ROBBED)
    english = sekisho("user", "set-email", ROBBED, NEW, "--keep-password", "--yes", folder=server.folder)
    assert (english.returncode, english.stderr) == (0, "")
    for said in ("(before: mio@mail.test)", "The password stays.", "Second factors stay: totp.", "still disabled"):
        assert said in english.stdout
    japanese = sekisho(
        "user", "set-email", NEW, ROBBED, "--taken-over", "--yes", folder=server.folder, LC_ALL="ja_JP.UTF-8"
    )
    for said in (
        "(変更前: mio.new@mail.test)",
        "パスワードを無効にしました",
        "第二要素を削除しました: totp",
        "無効のまま",
    ):
        assert said in japanese.stdout
    same = sekisho("user", "set-email", ROBBED, ROBBED, "--yes", folder=server.folder)
    assert "nothing was changed" in same.stdout


def take(server: LiveServer, email: str) -> str:
    """Change the address of the account as somebody who knows its password; return its id."""
    tokens = sign_in(server, ROBBED)
    auth, calls = {"Authorization": f"Bearer {tokens.access_token}"}, f"{server.url}/api/v1/user/email"
    sent = httpx2.post(f"{calls}/send-code", json={"email": email, "password": PASSWORD}, headers=auth)
    assert sent.status_code == 200, sent.text
    letter = next(each for each in httpx2.get(f"{server.url}/dev/mail.json").json() if each["to"] == email)
    code = re.findall(r"(?<!\d)\d{6}(?!\d)", letter["text"])[0]
    assert httpx2.post(f"{calls}/verify-code", json={"email": email, "code": code}, headers=auth).status_code == 200
    account_id: str = who_am_i(server, tokens)[1]["user"]["id"]
    return account_id


@pytest.mark.parametrize(
    "words",
    [
        ("user", "show"),
        ("user", "disable"),
        ("user", "remove-recovery-email"),
        ("session", "list", "--user"),
        ("audit", "list", "--user"),
    ],
)
def test_whoever_calls_by_the_former_address_is_led_to_the_account(server: LiveServer, words: tuple[str, ...]) -> None:
    account_id = take(server, "thief@mail.test")
    shown = told(server, "user", "show", account_id)
    (line,) = [each for each in shown["recent_changes"] if each["event"] == "email_change"]
    assert (line["actor"], line["ip"]) == ("account", "127.0.0.1")
    people = sekisho("user", "show", account_id, folder=server.folder).stdout
    assert f"audit list --user {account_id} --since 30d" in people
    assert "email_change" in people
    said = refused(server, *words, ROBBED)
    assert (said["error"], said["details"]["account_id"]) == ("not_found", account_id)
    assert f"user show {account_id}" in said["message"]
    japanese = sekisho(*words, ROBBED, folder=server.folder, LC_ALL="ja_JP.UTF-8")
    assert f"user show {account_id}" in japanese.stderr
    assert "いまは別のアドレス" in japanese.stderr


@pytest.mark.parametrize("option", ["--keep-password", "--keep-recovery-email"])
def test_of_an_account_that_was_taken_over_nothing_can_be_kept(server: LiveServer, option: str) -> None:
    done = sekisho("user", "set-email", ROBBED, NEW, "--taken-over", option, "--yes", "--json", folder=server.folder)
    assert done.returncode == 2
    assert "nothing is kept" in json.loads(done.stderr)["message"]
    assert told(server, "user", "show", ROBBED)["account"]["email"] == ROBBED

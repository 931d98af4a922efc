"""The operator's commands, beside a server that runs on the same file: what they do counts there at once."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess, run
from typing import Any

import httpx2
import pyotp
import pytest

from cli.person import EMAIL, PASSWORD, refreshed, sign_in, who_am_i
from live_server import LiveServer, environment, live_server, sekisho


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One development server for the module, with one account."""
    with live_server(tmp_path_factory.mktemp("operator")) as running:
        add_user(running.folder, EMAIL)
        yield running


def add_user(folder: Path, email: str, *options: str, password: str = PASSWORD) -> CompletedProcess[str]:
    return run(
        [sys.executable, "-m", "sekisho", "user", "add", email, "--password-stdin", "--json", *options],
        cwd=folder,
        env=environment(),
        input=f"{password}\n",
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def told(server: LiveServer, *words: str) -> Any:
    """Return the JSON that a command prints."""
    done = sekisho(*words, "--json", folder=server.folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(server: LiveServer, *words: str) -> Any:
    """Return the JSON that a command prints when it fails."""
    done = sekisho(*words, "--json", folder=server.folder)
    assert (done.returncode, done.stdout) == (1, "")
    return json.loads(done.stderr)


def wait_until_refused(server: LiveServer, tokens: Any, code: str, within_s: float = 30.0) -> None:
    """The promise is a second; a busy machine gets more. `tokens/test_revocations` holds the interval to it."""
    deadline = time.monotonic() + within_s
    while (answer := who_am_i(server, tokens))[0] == 200:
        assert time.monotonic() < deadline, "the server still accepts the token"
        time.sleep(0.02)
    assert (answer[0], answer[1]["error"]) == (401, code)


def wait_until_published(server: LiveServer, kids: set[str], within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not kids <= {key["kid"] for key in httpx2.get(f"{server.url}/.well-known/jwks.json").json()["keys"]}:
        assert time.monotonic() < deadline, "the server does not know the new keys"
        time.sleep(0.02)


def test_a_session_that_the_cli_ends_is_refused_by_the_running_server_within_a_second(server: LiveServer) -> None:
    tokens, other = sign_in(server), sign_in(server)
    session_id = who_am_i(server, tokens)[1]["session"]["id"]
    listed = told(server, "session", "list", "--user", EMAIL)["sessions"]
    assert session_id in [session["id"] for session in listed]
    assert "secret" not in json.dumps(listed)
    assert told(server, "session", "end", session_id) == {"ended": 1}
    wait_until_refused(server, tokens, "session_revoked")
    assert who_am_i(server, other)[0] == 200
    assert refused(server, "session", "end", session_id)["error"] == "not_found"


def test_ending_all_sessions_of_a_user_says_how_many(server: LiveServer) -> None:
    tokens = sign_in(server)
    live = len(told(server, "session", "list", "--user", EMAIL)["sessions"])
    assert told(server, "session", "end", "--user", EMAIL) == {"ended": live}
    wait_until_refused(server, tokens, "session_revoked")


def test_V7_4_5_everybody_is_signed_out_only_when_that_is_confirmed(server: LiveServer) -> None:
    tokens = sign_in(server)
    assert refused(server, "session", "end", "--everybody")["error"] == "not_confirmed"
    assert who_am_i(server, tokens)[0] == 200
    assert told(server, "session", "end", "--everybody", "--yes")["ended"] >= 1
    wait_until_refused(server, tokens, "session_revoked")
    assert told(server, "session", "end", "--everybody", "--yes") == {"ended": 0}


def test_a_disabled_user_is_out_at_once_and_can_come_back(server: LiveServer) -> None:
    tokens = sign_in(server)
    done = told(server, "user", "disable", EMAIL)
    assert (done["account"]["status"], done["ended"] >= 1) == ("disabled", True)
    wait_until_refused(server, tokens, "session_revoked")
    assert told(server, "user", "enable", EMAIL)["account"]["status"] == "active"
    sign_in(server)


def test_whoever_has_lost_every_second_factor_is_let_in_by_the_operator(server: LiveServer) -> None:
    tokens = sign_in(server)
    done = told(server, "user", "reset-factors", EMAIL)
    assert (done["account"]["email"], done["ended"] >= 1) == (EMAIL, True)
    wait_until_refused(server, tokens, "session_revoked")
    sign_in(server)
    assert refused(server, "user", "reset-factors", "nobody@example.com")["error"] == "not_found"
    assert told(server, "user", "forget-devices", EMAIL)["devices"] == 0
    assert refused(server, "user", "forget-devices", "nobody@example.com")["error"] == "not_found"


def test_what_opens_an_account_is_shown_to_who_has_to_help(server: LiveServer) -> None:
    names = ("second_factors", "recovery_codes", "trusted_devices")
    shown = told(server, "user", "show", EMAIL)
    assert ([shown[name] for name in names], shown["suspended_factors"]) == ([[], 0, 0], [])
    auth = {"Authorization": f"Bearer {sign_in(server).access_token}"}
    factors = f"{server.url}/api/v1/auth/factors"
    begun = httpx2.post(factors, json={"kind": "totp"}, headers=auth).json()
    code = {"code": pyotp.TOTP(begun["secret"]).now()}
    assert httpx2.post(f"{factors}/{begun['id']}/confirm", json=code, headers=auth).status_code == 200
    shown = told(server, "user", "show", EMAIL)
    assert [shown[name] for name in names] == [["totp"], 10, 0]
    assert "Second factors" in sekisho("user", "show", EMAIL, folder=server.folder).stdout
    told(server, "user", "reset-factors", EMAIL)
    shown = told(server, "user", "show", EMAIL)
    assert [shown[name] for name in names] == [[], 0, 0]


def test_N_23_a_recovery_address_is_shown_and_removed(server: LiveServer) -> None:
    second = "hanako.home@mail.test"
    assert told(server, "user", "show", EMAIL)["recovery_email"] is None
    assert refused(server, "user", "remove-recovery-email", EMAIL)["error"] == "not_found"
    set_recovery_email(server, second)
    assert told(server, "user", "show", EMAIL)["recovery_email"] == second
    shown = sekisho("user", "show", EMAIL, folder=server.folder)
    assert second in shown.stdout
    done = told(server, "user", "remove-recovery-email", EMAIL)
    assert (done["account"]["email"], done["removed"]) == (EMAIL, second)
    assert told(server, "user", "show", EMAIL)["recovery_email"] is None
    assert refused(server, "user", "remove-recovery-email", "nobody@mail.test")["error"] == "not_found"


def set_recovery_email(server: LiveServer, email: str) -> None:
    auth = {"Authorization": f"Bearer {sign_in(server).access_token}"}
    calls = f"{server.url}/api/v1/user/recovery-email"
    sent = httpx2.post(f"{calls}/send-code", json={"email": email, "password": PASSWORD}, headers=auth)
    assert sent.status_code == 200, sent.text
    letter = next(each for each in httpx2.get(f"{server.url}/dev/mail.json").json() if each["to"] == email)
    code = re.findall(r"(?<!\d)\d{6}(?!\d)", letter["text"])[0]
    taken = httpx2.post(f"{calls}/verify-code", json={"email": email, "code": code}, headers=auth)
    assert taken.status_code == 200, taken.text


def test_a_password_that_may_be_known_is_taken_away_and_failures_are_cleared(server: LiveServer) -> None:
    email = "ren@mail.test"
    add_user(server.folder, email)
    done = told(server, "user", "force-password-change", email)
    assert (done["account"]["has_password"], done["ended"]) == (False, 0)
    assert refused(server, "user", "force-password-change", "nobody@mail.test")["error"] == "not_found"
    assert told(server, "user", "unlock", email, "--ip", "127.0.0.1")["account"]["email"] == email
    assert told(server, "user", "unlock", "nobody@mail.test") == {"account": None}


def test_users_of_another_system_are_imported_once_and_bad_rows_are_named(server: LiveServer) -> None:
    file = server.folder / "people.csv"
    file.write_text("email,is_verified\nsora@mail.test,true\nnobody,true\n", encoding="utf-8")
    wrong = {"line": 3, "field": "email", "reason": "invalid_email"}
    for options, added, existing in ((("--dry-run",), 1, 0), ((), 1, 0), ((), 0, 1)):
        done = sekisho("import", "users", str(file), "--json", *options, folder=server.folder)
        said = json.loads(done.stdout)
        assert (done.returncode, said["added"], said["existing"], said["refused"]) == (1, added, existing, [wrong])
    assert told(server, "user", "show", "sora@mail.test")["account"]["is_verified"] is True
    done = sekisho("import", "users", "people.xlsx", "--json", folder=server.folder)
    assert (done.returncode, json.loads(done.stderr)["error"]) == (1, "unknown_format")


def test_a_key_rotation_by_the_cli_logs_nobody_out(server: LiveServer) -> None:
    tokens = sign_in(server)
    before = {key["kid"]: key["state"] for key in told(server, "key", "list")["keys"]}
    after = {key["kid"]: key["state"] for key in told(server, "key", "rotate")["keys"]}
    assert [after[kid] for kid, state in before.items() if state == "next"] == ["active"]
    wait_until_published(server, set(after))
    assert who_am_i(server, tokens)[0] == 200
    assert who_am_i(server, refreshed(server, tokens))[0] == 200


def test_a_key_retired_by_hand_is_refused_at_once_and_clients_go_on_by_refreshing(server: LiveServer) -> None:
    tokens = sign_in(server)
    active = next(key["kid"] for key in told(server, "key", "list")["keys"] if key["state"] == "active")
    assert refused(server, "key", "retire", active)["error"] == "key_signs"
    assert refused(server, "key", "retire", "nothing")["error"] == "not_found"
    told(server, "key", "rotate")
    keys = {key["kid"]: key for key in told(server, "key", "retire", active)["keys"]}
    assert keys[active]["state"] == "retired"
    wait_until_refused(server, tokens, "access_token_expired")
    assert active not in {key["kid"] for key in httpx2.get(f"{server.url}/.well-known/jwks.json").json()["keys"]}
    assert who_am_i(server, refreshed(server, tokens))[0] == 200


def test_a_compromised_key_is_refused_at_once_and_clients_go_on_by_refreshing(server: LiveServer) -> None:
    tokens = sign_in(server)
    active = next(key["kid"] for key in told(server, "key", "list")["keys"] if key["state"] == "active")
    assert refused(server, "key", "compromise", active)["error"] == "not_confirmed"
    keys = told(server, "key", "compromise", active, "--yes")["keys"]
    assert {key["kid"]: key["state"] for key in keys}[active] == "compromised"
    wait_until_refused(server, tokens, "access_token_expired")
    assert who_am_i(server, refreshed(server, tokens))[0] == 200


def test_a_user_is_added_shown_given_roles_and_withdrawn(server: LiveServer) -> None:
    added = json.loads(add_user(server.folder, "taro@mail.test", "--role", "viewer", "--locale", "ja").stdout)[
        "account"
    ]
    assert (added["roles"], added["locale"], added["has_password"]) == (["viewer"], "ja", True)
    assert told(server, "user", "role", "add", added["id"], "admin")["account"]["roles"] == ["viewer", "admin"]
    assert told(server, "user", "role", "remove", added["id"], "viewer")["account"]["roles"] == ["admin"]
    shown = told(server, "user", "show", "taro@mail.test")
    assert (shown["account"]["id"], shown["live_sessions"]) == (added["id"], 0)
    first = told(server, "user", "list", "--limit", "1")
    rest = told(server, "user", "list", "--after", first["next"])
    assert added["id"] in [account["id"] for account in first["accounts"] + rest["accounts"]]
    assert rest["next"] is None
    assert refused(server, "user", "withdraw", "taro@mail.test")["error"] == "not_confirmed"
    assert told(server, "user", "withdraw", "taro@mail.test", "--yes")["account"]["status"] == "withdrawn"
    assert refused(server, "user", "show", "taro@mail.test")["error"] == "not_found"


def test_a_refused_password_never_comes_back_in_an_answer(server: LiveServer) -> None:
    done = add_user(server.folder, "jiro@mail.test", password="hunter2")
    assert done.returncode == 1
    said = json.loads(done.stderr)
    assert said["details"] == {"password": "too_short", "password_hints": ["often_used", "add_words"]}
    assert said["message"].startswith("password: Use at least 8 characters.")
    assert "hunter2" not in done.stdout + done.stderr


def test_an_address_that_has_an_account_is_refused(server: LiveServer) -> None:
    assert json.loads(add_user(server.folder, EMAIL).stderr)["error"] == "email_already_exists"


def test_an_id_that_begins_with_a_dash_is_an_argument(server: LiveServer) -> None:
    assert "-PKmuPRk7z7tiJfaRlNcdQ" in refused(server, "user", "show", "-PKmuPRk7z7tiJfaRlNcdQ")["message"]
    assert "-PKmuPRk7z7tiJfaRlNcdQ" in refused(server, "session", "end", "-PKmuPRk7z7tiJfaRlNcdQ")["message"]


def test_the_audit_trail_can_be_filtered_and_never_holds_an_address_of_mail(server: LiveServer) -> None:
    sign_in(server)
    records = told(server, "audit", "list", "--user", EMAIL, "--event", "login", "--since", "1h")["records"]
    assert {record["event"] for record in records} == {"login"}
    assert EMAIL not in json.dumps(told(server, "audit", "list"))
    assert told(server, "audit", "list", "--until", "2020-01-01")["records"] == []
    assert refused(server, "audit", "list", "--event", "logins")["error"] == "validation_error"
    assert refused(server, "audit", "list", "--since", "yesterday")["details"] == {"since": "bad_time"}


def test_people_get_tables_and_sentences(server: LiveServer) -> None:
    listed = sekisho("user", "list", folder=server.folder)
    assert listed.stdout.split()[:2] == ["Id", "Email"]
    assert EMAIL in listed.stdout
    japanese = sekisho("session", "end", "nothing", folder=server.folder, LC_ALL="ja_JP.UTF-8")
    assert japanese.stderr.startswith("有効なセッション nothing はありません。")


@pytest.mark.parametrize(
    "words",
    [
        ("user", "list"),
        ("user", "show", EMAIL),
        ("session", "list", "--user", EMAIL),
        ("key", "list"),
        ("audit", "list"),
    ],
    ids=" ".join,
)
def test_everything_that_a_command_lists_is_a_table_too(server: LiveServer, words: tuple[str, ...]) -> None:
    sign_in(server)
    shown = sekisho(*words, folder=server.folder, LC_ALL="ja_JP.UTF-8")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert len(shown.stdout.splitlines()) > 1


@pytest.mark.parametrize("words", [("session", "end"), ("user", "ad"), ("user", "list", "--limit", "0")])
def test_wrong_usage_has_its_own_exit_code(server: LiveServer, words: tuple[str, ...]) -> None:
    assert sekisho(*words, folder=server.folder).returncode == 2


def test_a_no_to_a_question_is_told_in_the_form_that_was_asked_for(server: LiveServer) -> None:
    for words, said in (((), "Stopped; nothing was done."), (("--json",), '"aborted"')):
        keyboard, terminal = os.openpty()
        try:
            os.write(keyboard, b"n\n")
            done = run(
                [sys.executable, "-m", "sekisho", "session", "end", "--everybody", *words],
                cwd=server.folder,
                env=environment(),
                stdin=terminal,
                capture_output=True,
                text=True,
                timeout=180,
                check=False,
            )
        finally:
            os.close(keyboard)
            os.close(terminal)
        assert (done.returncode, done.stdout.strip()) == (1, "")
        assert said in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("user", "list", "--limit", "x"), "--limit must be a whole number."),
        (("user", "list", "--limit", "0"), "--limit must be from 1 to 1000."),
        (("user", "list", "--production"), "--production stands before the command: {sekisho} --production …"),
        (("user", "show"), "Missing: EMAIL|ID"),
        (("user", "list", "--limt", "3"), "There is no option --limt. Did you mean --limit?"),
        (("key", "list", "one", "two"), "This is too much: one two."),
        (("session", "end"), "Give one of these: a session id, --user with an address or account id, or --everybody."),
    ],
)
def test_wrong_usage_is_one_sentence_and_json_where_that_is_asked_for(
    server: LiveServer, words: tuple[str, ...], said: str
) -> None:
    done = sekisho(*words, folder=server.folder)
    assert (done.returncode, done.stdout) == (2, "")
    told, empty, see = done.stderr.splitlines()
    # The program as it was called, so that the line can be pasted.
    program = see.removeprefix("See ").removesuffix(f" {words[0]} {words[1]} --help")
    said = said.format(sekisho=program)
    assert (told, empty, program.endswith(" -m sekisho")) == (said, "", True)
    as_json = sekisho(*words, "--json", folder=server.folder)
    assert (as_json.returncode, as_json.stdout) == (2, "")
    assert json.loads(as_json.stderr) == {"error": "usage", "message": said}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("user", "shwo"), "shwo というコマンドはありません。show のことですか?"),
        (("nope",), "nope というコマンドはありません。"),
        (("user", "list", "--limt"), "--limt というオプションはありません。--limit のことですか?"),
        (("user", "list", "--limit"), "--limit には値が必要です。"),
        (("doctor", "extra"), "余分な引数があります: extra"),
    ],
)
def test_wrong_usage_is_told_in_japanese_too(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = sekisho(*words, folder=tmp_path, LC_ALL="ja_JP.UTF-8")
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, said)


def test_a_language_that_there_is_not_is_answered_with_those_that_there_are(server: LiveServer) -> None:
    done = add_user(server.folder, "saburo@mail.test", "--locale", "fr")
    assert json.loads(done.stderr)["message"] == "locale: Use en or ja."


def test_a_refused_row_of_an_import_says_why_in_a_sentence(server: LiveServer) -> None:
    (server.folder / "wrong.csv").write_text("email,password_hash\nnobody,\nren@mail.test,abc\n")
    said = [
        sekisho("import", "users", "wrong.csv", "--dry-run", folder=server.folder, LC_ALL=locale).stderr
        for locale in ("en_US.UTF-8", "ja_JP.UTF-8")
    ]
    assert said == [
        "line 2: email: This is no address that mail can be sent to. (invalid_email)\n"
        "line 3: password_hash: This is no hash that is taken here, or one that would cost too much to verify. "
        "(unusable_hash)\n",
        "2 行目: email: メールを送れるアドレスではありません。 (invalid_email)\n"
        "3 行目: password_hash: 対応していないハッシュか、検証の負荷が高すぎるハッシュです。 (unusable_hash)\n",
    ]

"""Text that means something to somebody else: to SMTP, SQL, a template, a terminal or a browser."""

from __future__ import annotations

import time
from html import unescape
from pathlib import Path

import pytest

from attacks.support import corpus, rows, told
from http_site import API, PASSWORD, Site
from sekisho.delivery.letters import render
from sekisho.model import Mail

pytestmark = pytest.mark.anyio

ADDRESSES = corpus("addresses")
HOSTILE_AGENTS = (
    "{{7*7}} {{config}}",
    "<script>alert(1)</script>",
    "Mozilla/5.0\x1b[2J (\u202eWindows NT)",
    "x' ; DROP TABLE accounts; --",
    "=cmd|' /C calc'!A0",
)
# A pattern that backtracks takes minutes for these; a busy machine takes tenths of a second for anything.
LONGEST_S = 1.0


def address_of(text: str) -> str:
    if not text.startswith("repeat:"):
        return text
    _, unit, count = text.split(":")
    return unit * int(count) + "@example.com"


async def test_no_address_carries_a_command_and_none_takes_long_to_refuse(site: Site, tmp_path: Path) -> None:
    assert site.edge.mailbox is not None
    for number, attempt in enumerate(ADDRESSES):
        address, before, letters = (
            address_of(attempt["input"]),
            rows(tmp_path, without=frozenset()),
            len(await site.edge.mailbox()),
        )
        body = {"email": address, "password": PASSWORD, "client_id": "web"}
        client = site.client(ip=f"198.51.100.{number}")

        started = time.perf_counter()
        answer = await client.post("auth/signup/send-code", body)
        taken_s = time.perf_counter() - started

        if attempt["expected"] == "refused":
            assert told(answer) == (400, "validation_error") or answer.status_code == 413, attempt["id"]
            assert taken_s < LONGEST_S, attempt["id"]
            assert rows(tmp_path, without=frozenset()) == before, attempt["id"]
            assert len(await site.edge.mailbox()) == letters, attempt["id"]
        elif answer.status_code == 200:
            letter = (await site.edge.mailbox())[0]
            assert letter.to == answer.json()["email"], attempt["id"]
            assert "49" not in letter.subject, attempt["id"]
            assert (await site.client().get("/readyz")).status_code == 200


def test_V1_3_7_V1_2_1_V3_2_2_what_a_letter_is_given_stays_text() -> None:
    for text in HOSTILE_AGENTS:
        values = {"at": "2026-01-01T00:00:00Z", "device": text, "place": text, "ip": "192.0.2.1", "not_me_code": "ABCD"}
        mail = Mail(kind="session_replayed", to="a@example.com", locale="en", values=values)

        letter = render(mail, product_name="Sekisho", public_url="https://auth.example.com")

        for part in (letter.subject, letter.text, letter.html):
            assert "49" not in part
            assert "\x1b" not in part
        assert "<script>" not in letter.html
        assert text.replace("\x1b", " ") in unescape(letter.html)


async def test_V1_3_7_V3_2_2_a_user_agent_reaches_a_letter_only_as_a_known_name(site: Site) -> None:
    assert site.edge.mailbox is not None
    for number, agent in enumerate(filter(str.isascii, HOSTILE_AGENTS)):
        email = f"person{number}@example.com"
        app = site.client(**{"user-agent": agent})
        pair = (await app.sign_up(email)).json()
        await app.post("auth/refresh", {"refresh_token": pair["refresh_token"], "client_id": "shop"})

        letter = (await site.edge.mailbox())[0]
        assert letter.to == email
        assert agent not in letter.subject + letter.text + letter.html


async def test_V16_4_1_no_user_agent_steers_a_terminal_or_ends_an_audit_line(site: Site, tmp_path: Path) -> None:
    body = {"email": "nobody@example.com", "password": PASSWORD, "client_id": "web"}
    for number, agent in enumerate(HOSTILE_AGENTS):
        app = site.client(ip=f"198.51.100.{number}")
        await app.inner.post(f"{API}/auth/login", json=body, headers=[(b"user-agent", agent.encode())])

    audit = rows(tmp_path, without=frozenset())["audit"]
    assert len([line for line in audit if line[1] == "login"]) == len(HOSTILE_AGENTS)
    for line in audit:
        assert all(field.isprintable() for field in line if isinstance(field, str))


async def test_V1_2_3_V1_2_4_KA_104_quotes_in_every_text_field_are_data(site: Site, tmp_path: Path) -> None:
    app = site.client()
    await app.signed_in()
    texts = (
        "x'; DROP TABLE sessions; --",
        'x" OR ""="',
        "%' UNION SELECT password_hash FROM accounts --",
        "\\'; --",
        "$1 :name ?",
    )

    for text in texts:
        assert (await app.call("PUT", "user/profile", {"name": text})).json()["name"] == text
        assert (await app.login(password=text)).status_code in (401, 429)
        for body in ({"client_id": text}, {"pending": text}, {"code": text}):
            whole = {"email": "hana@example.com", "code": "123456", "client_id": "web"} | body
            assert (await app.post("auth/signup/verify-code", whole)).status_code == 400
        assert told(await app.get("auth/session", x_sekisho_session=text)) == (200, "")
        assert (await app.call("DELETE", f"auth/sessions/{text.replace('?', '%3F')}")).status_code == 404

    assert len(rows(tmp_path)["accounts"]) == len(rows(tmp_path)["sessions"]) == 1


async def test_V4_2_3_no_text_of_a_client_ends_a_header(site: Site) -> None:
    for text in ("x%0d%0aset-cookie:%20a=b", "x\u010d\u010aset-cookie: a=b"):
        answers = [
            await site.client().get(f"auth/session?client_id={text}"),
            await site.client().get(f"/{text}"),
            await site.client().get("auth/csrf", accept_language="x%0d%0aset-cookie: a=b"),
        ]
        for answer in answers:
            assert "a=b" not in str(answer.headers.get_list("set-cookie"))

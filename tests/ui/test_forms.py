"""Forms that are refused come back with what was typed, say why beside the field, and move the focus there."""

from __future__ import annotations

from pathlib import Path

import pytest

from attacks.support import rows
from http_site import EMAIL, PASSWORD, Site, open_site
from sekisho.ports.storage import StoreUnavailable
from ui.reader import Page, Reader

pytestmark = pytest.mark.anyio


def described(page: Page, field: str) -> str:
    """Return what a screen reader says of a field beside its label."""
    element = page.by_id(field)
    assert element is not None
    return " ".join(page.said(name) for name in element.attributes.get("aria-describedby", "").split())


async def test_a_wrong_password_keeps_the_address_and_asks_for_the_password_again(site: Site) -> None:
    reader = Reader(site)
    await reader.open("/sign-in")
    assert reader.page.focused() == "email"

    page = await reader.send("sign-in", email=EMAIL, password="not this one")

    assert page.answer.status_code == 401
    assert page.form("sign-in").fields["email"] == EMAIL
    assert "not this one" not in page.answer.text
    assert described(page, "password").startswith("The email address or the password is not right.")
    password = page.by_id("password")
    assert password is not None
    assert password.attributes["aria-invalid"] == "true"
    assert page.focused() == "password"
    assert "<title>Error: Sign in" in page.answer.text


async def test_each_wrong_field_is_told_apart_and_the_first_gets_the_focus(site: Site) -> None:
    reader = Reader(site, language="ja")
    await reader.open("/sign-up")

    empty = await reader.send("sign-up", email="", password="")
    assert (described(empty, "email")[:8], empty.focused()) == ("入力してください", "email")
    assert described(empty, "password").startswith("入力してください")
    odd = await reader.send("sign-up", email="hana", password=PASSWORD)
    assert (odd.said("email-error")[:5], odd.said("password-error")) == ("メールを送", "")
    short = await reader.send("sign-up", email=EMAIL, password="abc")
    assert short.said("password-error").startswith("8 文字以上にしてください。")
    assert short.focused() == "password"
    assert short.form("sign-up").fields["email"] == EMAIL


async def test_what_is_typed_is_never_markup(site: Site) -> None:
    reader = Reader(site)
    await reader.sign_up()
    payload = "\"'><script>alert(1)</script>{{ 7 * 7 }}"

    saved = await reader.send("profile", name=payload)
    assert saved.form("profile").fields["name"] == payload
    assert "<script>alert" not in saved.answer.text
    refused = await reader.send("profile", name=payload * 5)
    assert (refused.answer.status_code, refused.said("name-error")) == (400, "This is too long. Please shorten it.")
    assert refused.form("profile").fields["name"] == payload * 5
    assert "<script>alert" not in refused.answer.text


async def test_V3_5_1_a_form_without_its_value_comes_back_with_a_good_one_and_nothing_is_lost(site: Site) -> None:
    reader = Reader(site)
    await site.client().sign_up()
    await reader.open("/sign-in")

    refused = await reader.send("sign-in", csrf="", email=EMAIL, password=PASSWORD)

    assert refused.answer.status_code == 403
    assert refused.said("alert").endswith("Please try once more.")
    assert refused.form("sign-in").fields["email"] == EMAIL
    assert (await reader.send("sign-in", password=PASSWORD)).path == "/account"


async def test_V7_2_4_a_form_from_before_sign_in_is_stale_afterwards(site: Site, tmp_path: Path) -> None:
    reader = Reader(site)
    await reader.open("/sign-up")
    before = reader.page.form("sign-up").fields["csrf"]
    await reader.sign_up()
    account = reader.page
    kept = rows(tmp_path)

    refused = await reader.send("profile", csrf=before, name="Ren")

    assert account.form("profile").fields["csrf"] != before
    assert refused.answer.status_code == 403
    assert refused.form("profile").fields["name"] == "Ren"
    assert rows(tmp_path) == kept
    assert (await reader.send("profile")).form("profile").fields["name"] == "Ren"


async def test_a_form_of_another_site_does_nothing(secure_site: Site, tmp_path: Path) -> None:
    reader = Reader(secure_site)
    await reader.sign_up()
    kept = rows(tmp_path)
    forms = list(reader.page.forms)
    assert {form.id for form in forms} >= {"profile", "sign-out"}

    for form in forms:
        refused = await reader.post(form.action, form.fields, origin="https://evil.example")
        assert refused.answer.status_code == 403, form.id
    withdraw = {"csrf": forms[0].fields["csrf"], "password": PASSWORD}
    assert (await reader.post("/account/withdraw", withdraw, origin="null")).answer.status_code == 403

    assert rows(tmp_path) == kept


async def test_a_form_that_is_sent_twice_ends_where_the_first_one_did(site: Site) -> None:
    reader = Reader(site)
    await reader.begin_sign_up()
    form = reader.page.form("sign-up-code")
    fields = {**form.fields, "code": await site.code_for(EMAIL)}

    first = await reader.post(form.action, fields)
    second = await reader.post(form.action, fields)
    assert first.path == second.path == "/account"

    other = Reader(site)
    await other.open("/sign-in")
    fields = {**other.page.form("sign-in").fields, "email": EMAIL, "password": PASSWORD}
    await other.post("/sign-in", fields)
    assert (await other.post("/sign-in", fields)).path == "/account"
    assert other.page.answer.text.count("<li data-session") == 2


async def test_a_finished_sign_up_says_so_to_another_browser_that_sends_its_code_late(site: Site) -> None:
    reader, late = Reader(site), Reader(site)
    await reader.begin_sign_up()
    form = reader.page.form("sign-up-code")
    fields = {**form.fields, "code": await site.code_for(EMAIL)}
    await reader.post(form.action, fields)
    await late.open("/sign-in")

    page = await late.post(form.action, {**fields, "csrf": late.page.form("sign-in").fields["csrf"]})

    assert page.answer.status_code == 400
    assert "finished already" in page.said("alert")
    assert {"start-again"} <= {element.attributes.get("id") for element in page.elements}


async def test_too_many_tries_are_told_with_the_time_to_wait(site: Site) -> None:
    reader = Reader(site)
    for _ in range(5):
        await reader.sign_in(password="wrong and wrong")

    page = await reader.sign_in(password="wrong and wrong")

    assert page.answer.status_code == 429
    assert int(page.answer.headers["retry-after"]) > 0
    assert page.said("alert").startswith("Too many tries, so nothing was done. Please try again in ")
    assert page.form("sign-in").fields["email"] == EMAIL


async def test_a_store_that_is_away_loses_nothing_typed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(site)
    await reader.open("/sign-in")

    async def away(*_: object) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(site.edge.login.store, "apply", away)
    page = await reader.send("sign-in", email=EMAIL, password=PASSWORD)

    assert (page.answer.status_code, page.answer.headers["retry-after"]) == (503, "1")
    assert page.said("alert").startswith("The server is busy and has changed nothing.")
    assert page.form("sign-in").fields["email"] == EMAIL


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"email=a&email=b", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"f%d=1" % number for number in range(30)), "application/x-www-form-urlencoded", 400),
        (b"email=%ff%fe&password=x", "application/x-www-form-urlencoded", 400),
        (b"email=a&role=admin", "application/x-www-form-urlencoded", 403),
        (b'{"email": "a"}', "application/json", 415),
        (b"--x\r\n", "multipart/form-data; boundary=x", 415),
        (b"email=" + b"a" * 70_000, "application/x-www-form-urlencoded", 413),
    ],
)
async def test_a_body_that_no_form_of_ours_sends_is_refused_as_a_page(
    site: Site, body: bytes, kind: str, status: int
) -> None:
    reader = Reader(site)
    await reader.open("/sign-in")

    answer = await reader.inner.post(
        "/sign-in", content=body, headers={"content-type": kind, "origin": site.public_origin}
    )

    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert Page(answer).said("alert")


async def test_a_field_that_a_form_does_not_have_is_refused(site: Site) -> None:
    reader = Reader(site)
    await reader.sign_up()

    page = await reader.send("profile", role="admin")

    assert page.answer.status_code == 400
    assert page.said("alert")


async def test_somebody_elses_session_looks_like_one_that_has_ended(site: Site) -> None:
    mine, theirs = Reader(site), Reader(site)
    await mine.sign_up()
    await theirs.sign_up("ren@example.com")
    (current,) = [e.attributes["data-session"] for e in theirs.page.elements if "data-session" in e.attributes]

    for session in (current, "AAAAAAAAAAAAAAAAAAAAAA"):
        page = await mine.post(
            "/account/sessions/end", {"csrf": mine.page.form("profile").fields["csrf"], "session": session}
        )
        assert page.said("notice") == "The session has ended."
    assert (await theirs.open("/account")).path == "/account"


async def test_a_session_that_ended_elsewhere_is_told_at_the_next_form(site: Site) -> None:
    laptop, phone = Reader(site), Reader(site)
    await laptop.sign_up()
    await phone.sign_in()
    await phone.send("end-others")

    page = await laptop.send("profile", name="Hana")

    assert page.path == "/sign-in"
    assert page.said("notice") == "Your session has ended. Please sign in again."
    assert laptop.inner.cookies.get("sekisho-s-web") is None


async def test_withdrawal_asks_for_the_right_password(site: Site) -> None:
    reader = Reader(site)
    await reader.sign_up()
    await reader.open("/account/withdraw")

    refused = await reader.send("withdraw", password="not this one")

    assert (refused.answer.status_code, refused.focused()) == (401, "password")
    assert (await reader.open("/account")).path == "/account"


async def test_a_person_of_two_apps_stays_in_each_of_them(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        reader = Reader(site)
        await reader.sign_up()
        await reader.sign_in(query="?client_id=shop")
        assert {"sekisho-s-web", "sekisho-s-shop"} <= set(reader.inner.cookies)
        await reader.send("sign-out")
        assert set(reader.inner.cookies) & {"sekisho-s-web", "sekisho-s-shop"} == {"sekisho-s-web"}
        assert (await reader.open("/account")).path == "/account"

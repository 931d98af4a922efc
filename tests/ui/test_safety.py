"""What strangers could try with a page: their text in it, their host before it, old technology inside it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlencode

import pytest

import sekisho.ui
from http_site import EMAIL, Site
from ui.reader import Page, Reader

pytestmark = pytest.mark.anyio

SOURCE = Path(sekisho.ui.__file__).parent
ROOT = SOURCE.parents[2]
PAYLOAD = "\"'><svg onload=alert(1)>{{7*7}}javascript:alert(1)"
PARAMETERS = ("client_id", "return_to", "lang", "notice", "email", "error", "error_hint", "RelayState", "x")
SCRIPTS = (SOURCE / "static" / "pages.js", ROOT / "ui" / "src" / "account.ts")


def is_text_only(page: Page) -> bool:
    return "<svg" not in page.answer.text and "49javascript" not in page.answer.text


async def test_KA_044_no_parameter_and_no_field_of_any_page_becomes_markup(site: Site) -> None:
    assert site.edge.pages
    stranger, visitor = Reader(site), Reader(site)
    await visitor.sign_up()
    looked_at = sorted(route.path for route in site.edge.pages.routes if route.method == "GET")
    assert {"/account", "/sign-in", "/docs"} <= set(looked_at)

    for path in [*looked_at, "/nothing-here"]:
        for name in PARAMETERS:
            for reader in (stranger, visitor):
                assert is_text_only(await reader.open(f"{path}?{urlencode({name: PAYLOAD})}")), (path, name)
    for path in ("/sign-in", "/sign-up", "/account"):
        page = await visitor.open(path)
        for form in page.forms:
            for name in form.fields:
                if name != "csrf":
                    sent = await visitor.post(form.action, {**form.fields, name: PAYLOAD})
                    assert is_text_only(sent), (form.id, name)


async def test_KA_045_a_host_that_somebody_made_up_is_repeated_nowhere(site: Site) -> None:
    reader = Reader(site)
    for path in ("/", "/sign-in?return_to=//evil.example/", "/account", "/nothing-here", "/docs"):
        answer = await reader.inner.get(path, headers={"host": "evil.example", "x-forwarded-host": "evil.example"})
        assert "evil.example" not in answer.text, path
        assert "evil.example" not in str(answer.headers), path


async def test_V3_2_3_no_name_in_a_page_can_stand_for_what_a_script_asks_the_browser(site: Site) -> None:
    used = {
        found
        for script in SCRIPTS
        for found in re.findall(
            r"\b(?:document|window|globalThis|form|plain|body|location)\??\.(\w+)", script.read_text()
        )
    }
    assert {"querySelectorAll", "dataset", "submit"} <= used
    reader = Reader(site)
    await reader.begin_sign_up()
    pages = [reader.page, await reader.send("sign-up-code", code=await site.code_for(EMAIL))]
    pages += [await Reader(site).open(path) for path in ("/sign-in", "/sign-up", "/password-reset", "/docs", "/")]

    for page in pages:
        named = {element.attributes.get(kind) for element in page.elements for kind in ("id", "name")}
        assert not used & named, page.path


async def test_V3_4_8_no_other_site_keeps_a_hold_on_a_page_that_it_opened(site: Site) -> None:
    for path in ("/sign-in", "/sign-up", "/account", "/docs", "/nothing-here"):
        page = await Reader(site).open(path)
        assert page.answer.headers["cross-origin-opener-policy"] == "same-origin", path


def test_V3_7_1_no_page_uses_what_browsers_have_given_up() -> None:
    dead = (
        r"<(applet|object|embed|frame|frameset|marquee|param)\b|document\.(write|domain)|javascript:|\beval\(|showModal"
    )
    for path in (*(SOURCE / "templates").iterdir(), *SCRIPTS):
        assert not re.search(dead, path.read_text()), path.name


def test_V3_7_5_what_an_old_browser_cannot_read_is_left_out_by_it() -> None:
    account = (SOURCE / "templates" / "account.html").read_text()
    sources = re.findall(r"<script[^>]*>", account)

    assert [('type="module"' in source, "bundle" in source) for source in sources] == [(True, True)]
    assert "<noscript" not in account


@pytest.mark.parametrize("name", ["docs/how-to/pages.md", "docs/ja/how-to/pages.md"])
async def test_V3_1_1_what_pages_need_of_a_browser_is_written_down(secure_site: Site, name: str) -> None:
    page = await Reader(secure_site).open("/sign-in")
    headers = [
        key
        for key in page.answer.headers
        if key.startswith(("content-security", "cross-origin", "referrer", "strict", "x-c"))
    ]
    text = (ROOT / name).read_text().lower()

    assert len(headers) >= 6
    assert [header for header in headers if f"`{header}`" not in text] == []
    assert "`__host-`" in text
    assert "`samesite`" in text

"""The pages of `sekisho dev`: the front page, and letters as a person reads them."""

from __future__ import annotations

import html
import re

import pytest

from http_site import Site

pytestmark = pytest.mark.anyio


async def page(site: Site, path: str, **headers: str) -> str:
    answer = await site.client().get(path, **headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    return answer.text


async def test_the_front_page_leads_to_pages_that_are_there(site: Site) -> None:
    text = await page(site, "/")
    client = site.client()
    targets = re.findall(r'href="([^"]+)"', text)
    assert {"/sign-in", "/sign-up", "/dev/mail", "/docs"} <= set(targets)
    for target in targets:
        assert (await client.get(target)).status_code == 200, target
    assert "開発用に実行" in await page(site, "/", accept_language="ja")


async def test_a_letter_shows_its_code_large_its_time_plainly_and_its_html_behind_bars(site: Site) -> None:
    await site.client().signed_in("hanako@mail.test")
    text = await page(site, "/dev/mail")
    (code,) = re.findall(r'^    <strong class="code">([0-9]{6})</strong>$', text, re.MULTILINE)
    assert re.search(r">\d{4}-\d\d-\d\d \d\d:\d\d UTC</time>", text)
    (framed,) = re.findall(r'<iframe sandbox loading="lazy" title="[^"]*" srcdoc="([^"]*)"', text)
    assert f'<p class="code">{code}</p>' in html.unescape(framed)
    assert "until the server stops" in text


async def test_a_letter_may_style_itself_but_run_nothing(site: Site) -> None:
    policy = (await site.client().get("/dev/mail")).headers["content-security-policy"]

    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "script-src 'self';" in policy

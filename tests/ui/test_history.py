"""The login history, without scripts: what happened, what was refused, page by page."""

from __future__ import annotations

import pytest

from http_site import EMAIL, PASSWORD, Site
from ui.reader import Page, Reader

pytestmark = pytest.mark.anyio


def events(page: Page) -> list[tuple[str, str]]:
    return [
        (element.attributes["data-event"], element.attributes["data-outcome"])
        for element in page.elements
        if "data-event" in element.attributes
    ]


@pytest.mark.parametrize(
    ("language", "said", "refused"),
    [("en", "Signed in", "A sign-in was refused"), ("ja", "サインイン", "サインインが拒否されました")],
)
async def test_V6_3_5_a_person_sees_what_happened_and_what_was_tried(
    site: Site, language: str, said: str, refused: str
) -> None:
    await Reader(site).sign_up()
    await Reader(site, ip="198.51.100.9").sign_in(password="wrong and wrong")
    reader = Reader(site, language=language)
    account = await reader.sign_in()
    page = await reader.open(account.by_id("to-history").attributes["href"])  # type: ignore[union-attr]

    assert events(page) == [("login", "success"), ("login", "failure"), ("sign_up", "success")]
    devices = [
        " ".join(element.text.split()) for element in page.elements if element.attributes.get("class") == "device"
    ]
    assert devices[0] == said
    assert devices[1].startswith(refused)
    assert "198.51.100.9" in page.answer.text
    assert (page.by_id("older"), page.by_id("newest")) == (None, None)


async def test_a_long_history_comes_in_pages_without_a_gap(site: Site) -> None:
    reader = Reader(site)
    await reader.sign_up()
    for number in range(60):
        await reader.open("/account")
        await reader.send("profile", name=f"Hana {number}")
    first = await reader.open("/account/history")
    second = await reader.open(first.by_id("older").attributes["href"])  # type: ignore[union-attr]
    assert (len(events(first)), len(events(second))) == (50, 11)
    assert (events(second)[-1], second.by_id("older")) == (("sign_up", "success"), None)
    assert events(await reader.open(second.by_id("newest").attributes["href"])) == events(first)  # type: ignore[union-attr]


async def test_a_cursor_of_another_account_or_of_nobody_begins_at_the_newest(site: Site) -> None:
    other, reader = Reader(site), Reader(site)
    await other.sign_up("ren@example.com")
    await reader.sign_up()
    for number in range(50):
        await other.open("/account")
        await other.send("profile", name=f"Ren {number}")
    foreign = (await other.open("/account/history")).by_id("older")
    assert foreign is not None
    for address in (foreign.attributes["href"], "/account/history?after=x", "/account/history?after=" + "A" * 3000):
        page = await reader.open(address)
        assert (page.answer.url.raw_path, events(page)) == (b"/account/history", [("sign_up", "success")])


async def test_the_history_holds_no_secret_and_no_foreign_event(site: Site) -> None:
    reader = Reader(site)
    await reader.sign_up()
    await Reader(site).sign_up("ren@example.com")
    page = await reader.open("/account/history")
    assert events(page) == [("sign_up", "success")]
    assert not [word for word in (PASSWORD, EMAIL, "ren@example.com") if word in page.answer.text]

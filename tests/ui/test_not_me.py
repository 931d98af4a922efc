"""The page for "that was not me": by the letter's code, and by nothing that opens links."""

from __future__ import annotations

import re

import pytest

from http_site import EMAIL, PASSWORD, Site
from sekisho.ui.not_me import PATH
from ui.reader import Reader

pytestmark = pytest.mark.anyio

_CODE = re.compile(r"(?<![0-9A-Z-])[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}(?![0-9A-Z-])")
_SIX = re.compile(r"\b[0-9]{6}\b")
NEW_EMAIL = "taken@mail.test"
NEW_PASSWORD = "thirteen loud crickets"


async def code_of_letter(site: Site) -> str:
    """Change the password, and return the code of the letter that tells of it."""
    reader = Reader(site)
    await reader.sign_up(EMAIL)
    await reader.open("/account/password")
    await reader.send("password-change", current_password=PASSWORD, password=NEW_PASSWORD)
    assert site.edge.mailbox is not None
    found = _CODE.search((await site.edge.mailbox())[0].text)
    assert found is not None
    return found[0]


async def test_address_and_code_of_a_letter_end_everything_and_lead_to_a_new_password(site: Site) -> None:
    code = await code_of_letter(site)
    other = Reader(site)
    await other.sign_in(EMAIL, NEW_PASSWORD)
    assert (await other.open("/account")).path == "/account"

    owner = Reader(site)
    await owner.open(PATH)
    wrong = await owner.send("not-me", email=EMAIL, code="0000-0000-0000-0000")
    assert wrong.path == PATH
    assert wrong.said("code-error")
    done = await owner.send("not-me", email=EMAIL, code=code.lower())
    assert done.path == "/password-reset"
    assert "no longer works" in done.answer.text
    assert code not in str(done.answer.url)
    assert (await other.open("/account")).path == "/sign-in"


async def test_from_the_former_address_everything_ends_and_the_page_says_to_tell_the_operator(site: Site) -> None:
    thief = Reader(site)
    await thief.sign_up(EMAIL)
    await thief.open("/account/email")
    await thief.send("email-change", email=NEW_EMAIL, password=PASSWORD)
    assert site.edge.mailbox is not None
    await thief.send("email-change-code", code=_SIX.findall((await site.edge.mailbox())[0].text)[0])
    letter = next(each for each in await site.edge.mailbox() if each.to == EMAIL and _CODE.search(each.text))
    found = _CODE.search(letter.text)
    assert found is not None

    owner = Reader(site)
    await owner.open(PATH)
    done = await owner.send("not-me", email=EMAIL, code=found[0])
    assert done.path == PATH
    assert "keeps its new address" in done.answer.text
    assert (await thief.open("/account")).path == "/sign-in"


async def test_opening_the_page_does_nothing_even_with_everything_in_the_address(site: Site) -> None:
    code = await code_of_letter(site)
    other = Reader(site)
    await other.sign_in(EMAIL, NEW_PASSWORD)
    await Reader(site).open(f"{PATH}?email={EMAIL}&code={code}")
    assert (await other.open("/account")).path == "/account"

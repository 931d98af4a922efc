"""Trusted devices on the pages, without scripts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from http_site import Site, open_site
from ui.reader import Reader
from ui.test_second_factor import with_factors

pytestmark = pytest.mark.anyio


@pytest.fixture
async def trusting(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(tmp_path, SEKISHO_FACTORS__TRUSTED_DAYS="30") as opened:
        yield opened


async def test_a_person_trusts_a_browser_is_spared_and_takes_it_back(trusting: Site) -> None:
    codes, step, _ = await with_factors(trusting, "totp")
    reader = Reader(trusting)
    page = await reader.sign_in()
    assert page.by_id("trust_device") is not None
    page = await reader.send(
        "second-factor", code="000000" if codes.at(step) != "000000" else "000001", trust_device="yes"
    )
    assert "checked" in page.by_id("trust_device").attributes  # type: ignore[union-attr]
    assert (await reader.send("second-factor", code=codes.at(step), trust_device="yes")).path == "/account"
    await reader.send("sign-out")
    assert (await reader.sign_in()).path == "/account"

    page = await reader.open("/account/factors")
    (device,) = [each.attributes["data-device"] for each in page.elements if "data-device" in each.attributes]
    page = await reader.send(f"forget-form-{device}")
    assert (page.path, page.by_id("devices")) == ("/account/factors", None)
    assert page.said("notice").startswith("This device is no longer trusted.")
    await reader.open("/account")
    await reader.send("sign-out")
    assert (await reader.sign_in()).path == "/sign-in/code"


async def test_where_nothing_is_trusted_the_page_does_not_offer_it(site: Site) -> None:
    await with_factors(site, "totp")
    page = await Reader(site).sign_in()
    assert page.by_id("code") is not None
    assert page.by_id("trust_device") is None

"""A second factor that is required, on the pages: the way leads to where one is enrolled."""

from __future__ import annotations

from pathlib import Path

import pytest

from http_site import EMAIL, open_site
from ui.reader import Reader

pytestmark = pytest.mark.anyio


async def test_V6_3_3_whoever_must_have_one_is_led_from_the_code_by_mail_to_enrolling(tmp_path: Path) -> None:
    async with open_site(tmp_path, SEKISHO_FACTORS__REQUIRED_CLIENTS="web") as site:
        await site.client().signed_in()
        reader = Reader(site)
        page = await reader.sign_in()
        assert page.path == "/sign-in/code"
        await reader.send("second-factor-send")
        page = await reader.send("second-factor", code=await site.code_for(EMAIL))
        assert page.path == "/account/factors"
        assert "second factor" in page.said("notice")
        assert (await reader.open("/account")).by_id("factor-wanting") is not None

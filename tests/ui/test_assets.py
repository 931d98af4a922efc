"""What pages load: under names that may be kept for ever, and the account's bundle only where all of it was built."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from http_site import Site
from sekisho.http.app import Application
from sekisho.ui.assets import Assets
from sekisho.ui.pages import HostedPages
from ui.reader import Page, Reader

pytestmark = pytest.mark.anyio

BUILT = {"account.js": "account.0123456789abcdef.js", "account.css": "account.fedcba9876543210.css"}


def build(folder: Path, names: dict[str, str], *, without: str = "") -> Assets:
    (folder / "manifest.json").write_bytes(msgspec.json.encode(names))
    for name in names.values():
        if name != without:
            (folder / name).write_text(f"/* {name} */")
    return Assets(built=folder)


async def account_page(site: Site, assets: Assets) -> tuple[Reader, Page]:
    assert isinstance(site.edge.pages, HostedPages)
    site.app = Application(msgspec.structs.replace(site.edge, pages=replace(site.edge.pages, assets=assets)))
    reader = Reader(site)
    return reader, await reader.sign_up()


def scripts(page: Page) -> list[str]:
    return [element.attributes["src"] for element in page.elements if element.tag == "script"]


async def test_the_account_page_loads_what_was_built_and_it_may_be_kept_for_ever(site: Site, tmp_path: Path) -> None:
    reader, page = await account_page(site, build(tmp_path, BUILT))

    assert f"/assets/{BUILT['account.js']}" in scripts(page)
    assert f'href="/assets/{BUILT["account.css"]}"' in page.answer.text
    for name, kind in ((BUILT["account.js"], "text/javascript"), (BUILT["account.css"], "text/css")):
        answer = await reader.inner.get(f"/assets/{name}")
        assert (answer.status_code, answer.text) == (200, f"/* {name} */")
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("assets", ["nothing", "half", "outside"])
async def test_without_a_whole_bundle_the_account_page_is_the_plain_one(
    site: Site, tmp_path: Path, assets: str
) -> None:
    folder = tmp_path / "assets"
    folder.mkdir()
    if assets == "half":
        build(folder, BUILT, without=BUILT["account.css"])
    if assets == "outside":
        (tmp_path / "account.js").write_text("outside")
        build(folder, {"account.js": "../account.js", "account.css": BUILT["account.css"]})

    _, page = await account_page(site, Assets(built=folder))

    assert [source.split(".")[0] for source in scripts(page)] == ["/assets/pages"]
    assert page.by_id("profile-submit") is not None
    assert "/assets/account." not in page.answer.text


async def test_the_plain_account_page_is_there_for_whoever_has_scripts_off(site: Site, tmp_path: Path) -> None:
    _, page = await account_page(site, build(tmp_path, BUILT))

    assert page.by_id("profile-submit") is not None
    place = page.by_id("account")
    assert place is not None
    assert place.attributes["data-signed-out"] == "/signed-out"
    assert place.attributes["data-withdrawn"] == "/signed-out?notice=withdrawn"

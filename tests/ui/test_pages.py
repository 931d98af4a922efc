"""Every page in every language: whole, labelled, safe, and never kept by anybody."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pyotp
import pytest

import sekisho.ui
from attacks.support import rows
from http_site import EMAIL, PASSWORD, Site, open_site
from sekisho import catalogue
from sekisho.http.openapi import document
from sekisho.http.routes import ROUTES
from sekisho.mfa.methods import Method
from sekisho.model import FactorKind
from sekisho.ui.factors import OFFERED
from sekisho.ui.pages import HostedPages
from ui.reader import Page, Reader

pytestmark = pytest.mark.anyio

SOURCE = Path(sekisho.ui.__file__).parent
FOR_ANYBODY = (
    "/",
    "/sign-in",
    "/sign-up",
    "/password-reset",
    "/not-me",
    "/signed-out",
    "/docs",
    "/dev/mail",
    "/nothing-here",
)
FOR_VISITORS = (
    "/account",
    "/account/password",
    "/account/email",
    "/account/recovery-email",
    "/account/withdraw",
    "/account/factors",
    "/account/history",
    "/step-up",
)
LANGUAGES = ("en", "ja")


async def every_page(site: Site, language: str) -> AsyncIterator[Page]:
    stranger, visitor = Reader(site, language=language), Reader(site, language=language)
    for path in FOR_ANYBODY:
        yield await stranger.open(path)
    yield await stranger.begin_sign_up("ren@example.com")
    yield await stranger.send("sign-up-code", code="")
    yield await stranger.sign_in(password="wrong and wrong")
    yield await visitor.sign_up(f"{language}@example.com")
    yield await visitor.begin_reset(f"{language}@example.com")
    yield await visitor.send("password-reset-code", code=await site.code_for(f"{language}@example.com"))
    yield await visitor.send("password-reset-new", password="short")
    for path in FOR_VISITORS:
        yield await visitor.open(path)
    await visitor.open("/account/email")
    yield await visitor.send("email-change", email=f"{language}.new@example.com", password=PASSWORD)
    yield await visitor.send("email-change-code", code="")
    async for page in recovery_pages(site, visitor, f"{language}.second@example.com"):
        yield page
    await visitor.open("/account/withdraw")
    yield await visitor.send("withdraw", password="wrong and wrong")
    async for page in factor_pages(visitor):
        yield page


async def recovery_pages(site: Site, visitor: Reader, email: str) -> AsyncIterator[Page]:
    await visitor.open("/account/recovery-email")
    yield await visitor.send("recovery-email", email="nobody", password=PASSWORD)
    yield await visitor.send("recovery-email", email=email, password=PASSWORD)
    yield await visitor.send("recovery-email-code", code="")
    yield await visitor.send("recovery-email-code", code=await site.code_for(email))
    yield await visitor.open("/account/recovery-email/remove")


async def factor_pages(visitor: Reader) -> AsyncIterator[Page]:
    """Every page of the second step, as a person comes past them who enrols two, renames one and removes it."""
    yield await visitor.open("/account/factors/add?kind=email")
    yield await visitor.send("factor-add", name="x" * 101)
    yield await visitor.open("/account/factors/add?kind=totp")
    yield await visitor.send("factor-add")
    key = visitor.page.said("key").replace(" ", "")
    yield await visitor.send("factor-confirm", code="12")
    yield await visitor.send("factor-confirm", code=pyotp.TOTP(key).now())
    yield await visitor.open("/account/factors")
    [factor_id] = [element.attributes["data-factor"] for element in visitor.page.elements if element.tag == "li"]
    yield await visitor.open(f"/account/factors/rename?factor={factor_id}")
    yield await visitor.open(f"/account/factors/remove?factor={factor_id}")
    yield await visitor.open("/account/recovery-codes")
    yield await visitor.open("/step-up?method=totp")
    yield await visitor.open("/step-up?method=recovery_code")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_page_is_whole_in_its_language(site: Site, language: str) -> None:
    seen = set()
    async for page in every_page(site, language):
        seen.add(page.path)
        (html,) = [element for element in page.elements if element.tag == "html"]
        assert html.attributes["lang"] == language, page.path
        headings = [element for element in page.elements if element.tag == "h1"]
        assert [bool(heading.text.strip()) for heading in headings] == [True], page.path
        if language == "ja":
            assert re.search("[\u3040-\u30ff\u4e00-\u9fff]", headings[0].text), page.path
        ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
        assert len(ids) == len(set(ids)), page.path
        assert page.answer.text.count("{{") == page.answer.text.count("{%") == 0

    assert seen >= {"/account/recovery-email/code", "/account/recovery-email/remove"}
    assert seen >= {*FOR_ANYBODY, *FOR_VISITORS, "/sign-up/code", "/password-reset/code", "/password-reset/new"}
    assert seen >= {
        f"/account/{name}"
        for name in ("factors/add", "factors/confirm", "factors/rename", "factors/remove", "recovery-codes")
    }


async def test_every_field_has_a_label_and_tells_what_belongs_into_it(site: Site) -> None:
    asked = {}
    async for page in every_page(site, "en"):
        labels = {element.attributes.get("for") for element in page.elements if element.tag == "label"}
        for element in page.elements:
            if element.tag in ("input", "select") and element.attributes.get("type") != "hidden":
                assert element.attributes["id"] in labels, page.path
                name = f"{page.path} {element.attributes['name']}"
                asked[name] = (element.attributes.get("type"), element.attributes.get("autocomplete"))

    assert asked == {
        "/sign-in email": ("email", "username"),
        "/sign-in password": ("password", "current-password"),
        "/sign-up email": ("email", "username"),
        "/sign-up password": ("password", "new-password"),
        "/sign-up/code code": ("text", "one-time-code"),
        "/not-me email": ("email", "username"),
        "/not-me code": ("text", "off"),
        "/password-reset email": ("email", "username"),
        "/password-reset/code code": ("text", "one-time-code"),
        "/password-reset/new password": ("password", "new-password"),
        "/account name": ("text", "name"),
        "/account locale": (None, None),
        "/account/password current_password": ("password", "current-password"),
        "/account/password password": ("password", "new-password"),
        "/account/password keep": ("checkbox", None),
        "/account/email email": ("email", "email"),
        "/account/email password": ("password", "current-password"),
        "/account/email code": ("text", "one-time-code"),
        "/account/email/code code": ("text", "one-time-code"),
        "/account/recovery-email email": ("email", "email"),
        "/account/recovery-email password": ("password", "current-password"),
        "/account/recovery-email code": ("text", "one-time-code"),
        "/account/recovery-email/code code": ("text", "one-time-code"),
        "/account/withdraw password": ("password", "current-password"),
        "/account/factors/add name": ("text", "off"),
        "/account/factors/confirm code": ("text", "one-time-code"),
        "/account/factors/confirm end_others": ("checkbox", None),
        "/account/factors/rename name": ("text", "off"),
        "/account/factors/remove end_others": ("checkbox", None),
        "/step-up password": ("password", "current-password"),
        "/step-up code": ("text", "off"),
    }


async def test_V6_2_7_passwords_and_codes_can_be_pasted_and_filled_in(site: Site) -> None:
    reader = Reader(site)
    code_page = await reader.begin_sign_up()
    code = code_page.by_id("code")
    script = (SOURCE / "static" / "pages.js").read_text()

    assert code is not None
    assert (code.attributes["inputmode"], code.attributes["autocomplete"]) == ("numeric", "one-time-code")
    assert not re.search("paste|copy|keydown|keypress", script)
    assert "onpaste" not in code_page.answer.text


async def test_V3_4_3_V3_6_1_no_page_has_anything_inline_or_foreign(site: Site) -> None:
    async for page in every_page(site, "en"):
        policy = page.answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "base-uri 'none'; frame-ancestors 'none'; form-action 'self'" in policy
        assert ("unsafe" in policy) is (page.path == "/dev/mail"), page.path
        assert "http:" not in policy
        assert "https:" not in policy
        for element in page.elements:
            attributes = element.attributes
            assert element.tag != "style", page.path
            assert "style" not in attributes, page.path
            assert not [name for name in attributes if name.startswith("on")], page.path
            assert element.tag != "script" or attributes["src"].startswith("/assets/"), page.path
            loaded = attributes.get("src") or (attributes.get("href", "") if element.tag == "link" else "")
            assert not loaded or loaded.startswith("/assets/"), page.path
        assert not re.search(r"<script(?![^>]*src=)", page.answer.text), page.path


async def test_V14_3_2_V3_4_5_pages_are_never_kept_and_tell_no_other_site_where_they_were(site: Site) -> None:
    async for page in every_page(site, "en"):
        assert page.answer.headers["cache-control"] == "no-store"
        assert page.answer.headers.get_list("referrer-policy") == ["same-origin"]
        assert page.answer.headers["x-content-type-options"] == "nosniff"


async def test_what_pages_load_is_kept_for_ever_under_a_name_of_its_content(site: Site) -> None:
    reader = Reader(site)
    page = await reader.open("/sign-in")
    loaded = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.answer.text)
    assert {path.rpartition(".")[2] for path in loaded} == {"css", "js", "svg"}

    for path in loaded:
        assert re.search(r"\.[0-9a-f]{16}\.", path)
        answer = await site.client().get(path)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"].split(";")[0] in ("text/css", "text/javascript", "image/svg+xml")
    for wrong in ("/assets/pages.css", "/assets/..%2f__init__.py", "/assets/pages.0000000000000000.css", "/assets/"):
        assert (await site.client().get(wrong)).status_code == 404


async def test_a_chosen_language_wins_over_the_browsers_and_is_remembered(site: Site) -> None:
    reader = Reader(site, language="ja")
    assert (await reader.open("/sign-in")).answer.text.count('lang="ja"') >= 2

    chosen = await reader.open("/sign-in?lang=en&return_to=/docs")
    assert chosen.answer.text.startswith('<!doctype html>\n<html lang="en">')
    assert (await reader.open("/sign-up")).answer.text.startswith('<!doctype html>\n<html lang="en">')
    assert 'href="/sign-in?return_to=%2Fdocs&amp;lang=ja"' in chosen.answer.text
    assert (await reader.open("/sign-in?lang=fr")).answer.text.startswith('<!doctype html>\n<html lang="en">')
    page = await reader.sign_in(password="wrong and wrong")
    assert page.said("password-error").startswith("The email")


def test_every_text_of_the_pages_is_used_and_every_text_that_they_use_is_there() -> None:
    files = [path.read_text() for path in SOURCE.rglob("*") if path.suffix in (".py", ".html")]
    used = {key for text in files for key in re.findall(r'"((?:page|message|field)\.[a-z_.]+[a-z])"', text)}
    used |= {f"page.second_factor.{way}{method}" for way in ("", "use_") for method in Method}
    used |= {f"page.wait.{unit}" for unit in ("seconds", "minutes", "hours")}
    used |= {f"page.factors.{kind}" for kind in FactorKind}
    parts = ("factors.add_", "factor_add.", "factor_add.submit_", "factor_confirm.")
    used |= {f"page.{part}{kind}" for part in parts for kind in OFFERED}
    there = catalogue.keys("en")

    assert used - there == set()
    assert {key for key in there if key.startswith("page.")} - used == set()


async def test_V6_3_8_a_known_and_an_unknown_address_see_the_same_pages(site: Site) -> None:
    await site.client().sign_up("known@example.com")

    async def journey(email: str, ip: str) -> list[tuple[int, str, str]]:
        reader = Reader(site, ip=ip)
        pages = [
            await reader.sign_in(email, "wrong and wrong"),
            await reader.begin_sign_up(email),
            await reader.send("sign-up-code", code="000000"),
            await reader.send("sign-up-resend"),
        ]
        return [(page.answer.status_code, str(page.answer.url), without_values(page, email)) for page in pages]

    def without_values(page: Page, email: str) -> str:
        text = re.sub(r'name="(csrf|pending)" value="[^"]*"', "", page.answer.text)
        return text.replace(email, "somebody@example.com")

    known, unknown = (
        await journey("known@example.com", "203.0.113.1"),
        await journey("other@example.com", "203.0.113.2"),
    )
    assert known == unknown
    assert [status for status, _, _ in known] == [401, 200, 400, 200]


async def test_V3_5_3_looking_at_a_page_changes_nothing(site: Site, tmp_path: Path) -> None:
    reader = Reader(site)
    await reader.sign_up()
    paths = {route.path for route in site.edge.pages.routes if route.method == "GET"} if site.edge.pages else set()
    assert "/account/sign-out" in paths
    before = rows(tmp_path)

    for path in sorted(paths):
        for method in ("GET", "HEAD"):
            answer = await reader.inner.request(method, path + "?email=a@b.test&password=x&csrf=x&session=x")
            assert answer.status_code in (200, 303, 404), path
            assert not answer.content or method == "GET"

    assert rows(tmp_path) == before
    assert (await reader.open("/account")).path == "/account"


async def test_a_path_that_is_nowhere_is_a_page_for_people_and_json_for_programs(site: Site) -> None:
    person = await Reader(site).open("/wrong//evil.example")
    program = await site.client().get("/wrong")
    call = await Reader(site).inner.get("/api/v1/wrong")

    assert (person.answer.status_code, person.said("main")[:21]) == (404, "There is no such page")
    assert "evil" not in person.answer.text
    assert (program.status_code, program.json()["error"]) == (404, "not_found")
    assert call.json()["error"] == "not_found"


async def test_a_wrong_method_and_a_mistake_of_ours_are_pages_too(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(site)
    wrong = await reader.inner.put("/sign-in")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    assert "<h1>" in wrong.text
    await reader.sign_up()

    async def broken(*_: object) -> None:
        raise RuntimeError("the reason")

    monkeypatch.setattr(site.edge.session_list.store, "list_sessions", broken)
    page = await reader.open("/account")
    assert page.answer.status_code == 500
    assert re.search(r"tell the operator this number: [0-9a-f]{16}", page.said("said"))
    assert "the reason" not in page.answer.text


async def test_a_refused_form_is_counted_like_a_refused_call(site: Site) -> None:
    def counted() -> float:
        figures = site.edge.metrics.registry
        return figures.get_sample_value("sekisho_refusals_total", {"code": "invalid_credentials"}) or 0

    before = counted()
    await Reader(site).sign_in(password="wrong and wrong")
    assert counted() == before + 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_keeps_its_contrast_in_both_colour_schemes(scheme: str) -> None:
    css = (SOURCE / "static" / "pages.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", blocks[0 if scheme == "light" else 1]))
    text = [
        *((front, back) for front in ("text", "soft-text", "accent", "danger") for back in ("page", "surface")),
        ("text", "notice-soft"),
        ("text", "danger-soft"),
        ("text", "badge"),
        ("on-accent", "accent"),
        ("on-accent", "danger"),
        ("accent-strong", "surface"),
    ]

    assert [pair for pair in text if contrast(colours[pair[0]], colours[pair[1]]) < 4.5] == []
    assert contrast(colours["control-line"], colours["surface"]) >= 3


def contrast(one: str, other: str) -> float:
    """Return the ratio of WCAG 2.2, "contrast ratio"."""

    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
        parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


async def test_the_reference_shows_every_call_and_leads_nowhere_wrong(site: Site) -> None:
    page = await Reader(site).open("/docs")
    ids = {element.attributes["id"] for element in page.elements if "id" in element.attributes}
    targets = {href.removeprefix("#") for href in re.findall(r'href="(#[^"]+)"', page.answer.text)}

    assert targets - ids == set()
    for route in ROUTES:
        assert page.answer.text.count(f"<code>{route.path}</code>") >= 1, route.path
    assert {f"schema-{name}" for name in document(ROUTES)["components"]["schemas"]} <= ids
    assert "≤ 254" in page.answer.text


async def status_of(site: Site, path: str) -> int:
    answer: httpx2.Response = await site.client().get(path)
    return answer.status_code


async def test_pages_can_be_taken_away(tmp_path: Path) -> None:
    async with open_site(tmp_path, SEKISHO_PAGES__ENABLED="false", SEKISHO_PAGES__DOCS="off") as site:
        found = {path: await status_of(site, path) for path in ("/", "/dev/mail", "/sign-in", "/account", "/docs")}
        front = await site.client().get("/")

    assert found == {"/": 200, "/dev/mail": 200, "/sign-in": 404, "/account": 404, "/docs": 404}
    assert "/sign-in" not in front.text


def test_in_production_the_front_door_leads_to_the_account_and_the_reference_is_off() -> None:
    pages = HostedPages(product_name="Example", min_length=8, has_docs=False)

    paths = {route.path for route in pages.routes}
    assert {"/", "/sign-in", "/account"} <= paths
    assert not {"/docs", "/dev/mail"} & paths


async def test_the_pages_work_below_a_path_where_they_are_mounted(site: Site) -> None:
    reader = Reader(site)
    transport = httpx2.ASGITransport(app=site.app, root_path="/login-server")
    async with httpx2.AsyncClient(transport=transport, base_url=site.public_origin) as client:
        answer = await client.get("/login-server/sign-in")
    page = Page(answer)

    assert page.form("sign-in").action == "/login-server/sign-in"
    assert 'src="/login-server/assets/pages.' in answer.text
    assert (await reader.open("/sign-in")).form("sign-in").action == "/sign-in"


async def test_over_https_the_cookies_of_the_pages_belong_to_this_host_alone(secure_site: Site) -> None:
    reader = Reader(secure_site)
    await reader.open("/sign-up?lang=ja")
    await reader.send("sign-up", follow=False, email=EMAIL, password=PASSWORD)

    assert {"__Host-sekisho-page-language", "__Host-sekisho-page-sign-up"} <= set(reader.inner.cookies)

"""Where a page may send a person afterwards: a path of ours or an allowed origin, and nothing that looks like one."""

from __future__ import annotations

import pytest

from http_site import EMAIL, PASSWORD, Site
from sekisho.http.edge import EdgeSettings
from sekisho.ui.returning import parse_return
from ui.reader import Reader

OURS = EdgeSettings(
    public_origin="https://auth.example.com",
    allowed_origins=frozenset(("https://app.example.com", "https://b.example:8443")),
)

GOOD = [
    ("/", "/"),
    ("/welcome", "/welcome"),
    ("/a/b?c=d&e=%2F%2Fx#f", "/a/b?c=d&e=%2F%2Fx#f"),
    ("/a?next=https://evil.example", "/a?next=https://evil.example"),
    ("/%E9%96%A2", "/%E9%96%A2"),
    ("https://auth.example.com", "/"),
    ("https://auth.example.com/welcome", "/welcome"),
    ("https://app.example.com", "https://app.example.com"),
    ("https://app.example.com/a?b#c", "https://app.example.com/a?b#c"),
    ("https://b.example:8443/", "https://b.example:8443/"),
]

BAD = [
    "",
    " ",
    "welcome",
    "?a",
    "#a",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/a//evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/../evil",
    "/a/../b",
    "/./a",
    "/%2e%2e/a",
    "/%2E%2e/a",
    "/%2f%2fevil.example",
    "/%2F/evil.example",
    "/%5cevil.example",
    "/%5Cevil.example",
    "/%0d%0aset-cookie:a=b",
    "/%09/evil.example",
    "/\tevil.example",
    "/\n/evil.example",
    "/\r\nlocation:https://evil.example",
    "\t//evil.example",
    " //evil.example",
    "/ /evil.example",
    "/\x00",
    "/\u3002evil.example",
    "\u2215\u2215evil.example",
    "/\uff0fevil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "https:\\\\evil.example",
    "https://evil.example",
    "https://evil.example/https://app.example.com",
    "https://app.example.com.evil.example",
    "https://app.example.com@evil.example",
    "https://app.example.com:443@evil.example",
    "https://app.example.com%40evil.example",
    "https://app.example.com\\@evil.example",
    "https://app.example.com/\\evil.example",
    "https://app.example.com?@evil.example",
    "https://app.example.com#@evil.example",
    "https://app.example.com;evil.example",
    "https://app.example.com.",
    "https://app.example.com:8443",
    "https://app.example.com:443",
    "https://b.example",
    "https://b.example:8443.evil.example",
    "https://b.example:84430",
    "https://APP.example.com",
    "HTTPS://app.example.com",
    "http://app.example.com",
    "http://auth.example.com/",
    "https://user@auth.example.com/",
    "https://auth.example.com//evil.example",
    "https://auth.example.com/../..//evil.example",
    "https://[::1]/",
    "https://[::ffff:app.example.com]/",
    "https://xn--app-example.com",
    "https://аpp.example.com",
    "http://localhost:3000/",
    "http://127.0.0.1/",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "ftp://app.example.com/",
    "blob:https://app.example.com/x",
    "view-source:https://app.example.com",
    "mailto:a@app.example.com",
    "null",
    "/<script>alert(1)</script>",
    '/"onmouseover=alert(1)',
    "/'a",
    "/`a`",
    "/" + "a" * 2000,
]


@pytest.mark.parametrize(("text", "address"), GOOD)
def test_V3_7_2_a_path_of_ours_and_an_allowed_origin_are_followed(text: str, address: str) -> None:
    found = parse_return(text, OURS)

    assert found is not None
    assert found.address == address
    assert found.origin == ("" if address.startswith("/") else "/".join(address.split("/")[:3]))


@pytest.mark.parametrize("text", BAD)
def test_V3_7_2_KA_045_nothing_else_is_followed(text: str) -> None:
    assert parse_return(text, OURS) is None


def test_in_development_any_port_of_localhost_may_be_returned_to() -> None:
    dev = EdgeSettings(public_origin="http://localhost:8080", any_localhost=True)

    assert parse_return("http://localhost:5173/a", dev) is not None
    assert parse_return("http://127.0.0.1:3000", dev) is not None
    assert parse_return("http://localhost.evil.example", dev) is None
    assert parse_return("http://localhost:5173@evil.example", dev) is None


@pytest.mark.anyio
async def test_V3_7_2_a_sign_in_goes_back_where_it_came_from_and_nowhere_foreign(site: Site) -> None:
    await site.client().sign_up()
    targets = {
        "/docs": "/docs",
        "http://localhost:5173/in": "http://localhost:5173/in",
        "//evil.example": "/account",
        "https://evil.example/": "/account",
        "javascript:alert(1)": "/account",
    }

    for wish, target in targets.items():
        reader = Reader(site)
        page = await reader.open(f"/sign-in?{'return_to=' + wish}")
        assert "evil" not in page.answer.text
        assert "javascript:" not in page.answer.text
        sent = await reader.send("sign-in", follow=False, email=EMAIL, password=PASSWORD)
        assert (sent.answer.status_code, sent.answer.headers["location"]) == (303, target)


@pytest.mark.anyio
async def test_a_return_address_stays_through_both_steps_of_a_sign_up_and_through_refusals(site: Site) -> None:
    reader = Reader(site)
    await reader.open("/sign-in?return_to=/docs&client_id=shop")
    link = reader.page.by_id("to-sign-up")
    assert link is not None

    await reader.open(link.attributes["href"])
    await reader.send("sign-up", email=EMAIL, password="short")
    await reader.send("sign-up", password=PASSWORD)
    await reader.send("sign-up-code", code="nonsense")
    done = await reader.send("sign-up-code", code=await site.code_for(EMAIL))

    assert done.path == "/docs"
    assert "sekisho-s-shop" in reader.inner.cookies


@pytest.mark.anyio
async def test_a_form_may_end_at_the_allowed_origin_that_it_returns_to_and_at_no_other(site: Site) -> None:
    reader = Reader(site)

    def targets() -> str:
        policy: str = reader.page.answer.headers["content-security-policy"]
        return policy.partition("form-action ")[2]

    await reader.open("/sign-in")
    assert targets() == "'self'"
    await reader.open("/sign-in?return_to=http://localhost:5173/in")
    assert targets() == "'self' http://localhost:5173"
    await reader.open("/sign-in?return_to=https://evil.example/")
    assert targets() == "'self'"

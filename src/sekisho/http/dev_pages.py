"""The pages of `sekisho dev`: where everything is, and the mailbox that catches mail. They exist in `dev` only."""

from __future__ import annotations

import re

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from sekisho.errors import NotFound
from sekisho.http.answer import Answer, HeaderList, json_answer
from sekisho.http.call import Call
from sekisho.http.edge import CaughtMail

PAGE_POLICY: HeaderList = (
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
        b"frame-ancestors 'none'",
    ),
)
DOCUMENTS = ("README.md", "docs/reference/http.md", "docs/reference/errors.md", "docs/how-to/verify-tokens.md")

# As the letters write a code: alone on its line.
_CODE = re.compile(r"^ {4}([0-9]{6})$", re.MULTILINE)


def _with_code(text: str) -> Markup:
    """Return a letter's text for a page, its code emphasised."""
    return Markup(_CODE.sub(r'    <strong class="code">\1</strong>', str(escape(text))))  # noqa: S704 - escaped before


def _moment(at: str) -> str:
    """Return RFC 3339 as people write a time."""
    return f"{at[:10]} {at[11:19]} UTC"


_pages = Environment(
    loader=PackageLoader("sekisho.http", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_pages.filters |= {"with_code": _with_code, "moment": _moment}


async def front_page_endpoint(call: Call) -> Answer:
    return _page(call, "dev_front.html", documents=DOCUMENTS)


async def mail_list_endpoint(call: Call) -> Answer:
    return json_answer(await _letters(call))


async def mail_page_endpoint(call: Call) -> Answer:
    return _page(call, "dev_mail.html", letters=await _letters(call))


def _page(call: Call, template: str, **values: object) -> Answer:
    page = _pages.get_template(template).render(say=call.say, locale=call.locale, **values)
    return Answer(200, page.encode(), b"text/html; charset=utf-8", PAGE_POLICY)


async def _letters(call: Call) -> list[CaughtMail]:
    if call.edge.mailbox is None:
        raise NotFound(detail="mailbox exists in dev only")
    if not call.is_for_this_machine:
        raise NotFound(detail="the mailbox holds codes: it answers to a name of this machine only")
    return await call.edge.mailbox()

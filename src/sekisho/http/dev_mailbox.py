"""The development mailbox: the mail that `sekisho dev` catches, as a page and as JSON. It exists in `dev` only."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

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

_pages = Environment(
    loader=PackageLoader("sekisho.http", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


async def mail_list_endpoint(call: Call) -> Answer:
    return json_answer(await _letters(call))


async def mail_page_endpoint(call: Call) -> Answer:
    letters = await _letters(call)
    page = _pages.get_template("dev_mail.html").render(letters=letters, say=call.say, locale=call.locale)
    return Answer(200, page.encode(), b"text/html; charset=utf-8", PAGE_POLICY)


async def _letters(call: Call) -> list[CaughtMail]:
    if call.edge.mailbox is None:
        raise NotFound(detail="mailbox exists in dev only")
    if not call.is_for_this_machine:
        raise NotFound(detail="the mailbox holds codes: it answers to a name of this machine only")
    return await call.edge.mailbox()

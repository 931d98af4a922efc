"""Letters: a `Mail` becomes subject, text and HTML.

Two templates a kind and language, `<kind>.<locale>.txt` (its first line is the subject) and
`<kind>.<locale>.html`. Values are data: no template is ever made from one, HTML is escaped, and a
value cannot begin a new line, so that nobody writes sentences of his own into our letter.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sekisho.model import Discreet, Mail
from sekisho.ports.mail import MailRefused

LETTER_LOCALES = ("en", "ja")

# C0, DEL, C1 and the Unicode line and paragraph separators: what could end a header or a line.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_ONE_ADDRESS = re.compile(r"""[^\s<>()\[\],;:"\\@]+@[^\s<>()\[\],;:"\\@]+""")
_MAX_VALUE_CHARACTERS = 512
_SUBJECT = "Subject: "
# Spelled out here because strftime would ask the process's locale.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


class Letter(Discreet, frozen=True):
    """A letter as a person gets it."""

    to: str
    subject: str
    text: str
    html: str


def _moment(at: str, locale: str) -> str:
    """RFC 3339 as a person writes it, in UTC: a letter does not know its reader's time zone."""
    # `str` makes a missing value raise as any other: StrictUndefined refuses to be text.
    then = datetime.fromisoformat(str(at)).astimezone(UTC)
    if locale == "ja":
        return f"{then.year}年{then.month}月{then.day}日 {then:%H:%M} (UTC)"
    return f"{then.day} {_MONTHS[then.month - 1]} {then.year}, {then:%H:%M} UTC"


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=select_autoescape(enabled_extensions=("html",), default=False),
        undefined=StrictUndefined,
        auto_reload=False,
    )
    environment.filters["moment"] = _moment
    return environment


_ENVIRONMENT = _environment()


def render(mail: Mail, *, product_name: str, public_url: str) -> Letter:
    """Return the letter in its reader's language; in English if we do not speak that.

    Raises:
        MailRefused: the address holds a control character or is not one address: whoever
            put it there wants SMTP commands or headers of his own (SECURITY KA-065).
        jinja2.TemplateError: an unknown kind or a missing value. A programming mistake.
    """
    _refuse_unsafe_address(mail.to)
    locale = mail.locale if mail.locale in LETTER_LOCALES else LETTER_LOCALES[0]
    values = {name: one_line(value) for name, value in mail.values.items()}
    values |= {"product": one_line(product_name), "public_url": one_line(public_url), "locale": locale}
    subject, text = _split(_ENVIRONMENT.get_template(f"{mail.kind}.{locale}.txt").render(values))
    html = _ENVIRONMENT.get_template(f"{mail.kind}.{locale}.html").render(values, subject=subject)
    return Letter(to=mail.to, subject=subject, text=text, html=html)


def _refuse_unsafe_address(address: str) -> None:
    if _CONTROL.search(address) or not _ONE_ADDRESS.fullmatch(address):
        raise MailRefused("unsafe address")


def one_line(value: str) -> str:
    """Return a value that cannot begin a new line, at most 512 characters of it."""
    return _CONTROL.sub(" ", value)[:_MAX_VALUE_CHARACTERS].strip()


def _split(rendered: str) -> tuple[str, str]:
    """The first line is `Subject: …`, the letter follows after an empty line."""
    head, _, body = rendered.partition("\n\n")
    if not head.startswith(_SUBJECT) or _CONTROL.search(head):
        raise ValueError("a letter's first line must be its subject")
    return head.removeprefix(_SUBJECT), body.strip() + "\n"

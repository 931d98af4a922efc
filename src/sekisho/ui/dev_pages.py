"""The pages of `sekisho dev`: where everything is, and the mailbox that catches mail. They exist in `dev` only."""

from __future__ import annotations

import re

from markupsafe import Markup, escape
from msgspec import Struct

from sekisho.errors import Refusal
from sekisho.http.answer import Answer
from sekisho.http.dev_mail import caught_letters, caught_texts
from sekisho.ui.rendering import Look, page, templates
from sekisho.ui.visit import Visit

MAIL_PATH = "/dev/mail"
DOCUMENTS = ("README.md", "docs/how-to/pages.md", "docs/reference/errors.md", "docs/how-to/verify-tokens.md")

# A letter is shown with its own inline styles, in a frame that lets no script run.
LETTER_POLICY = "style-src 'self' 'unsafe-inline'; frame-src 'self'"

# As the letters write a code: alone on its line.
_CODE = re.compile(r"^ {4}([0-9]{6})$", re.MULTILINE)


def _with_code(text: str) -> Markup:
    """Return a letter's text for a page, its code emphasised."""
    return Markup(_CODE.sub(r'    <strong class="code">\1</strong>', str(escape(text))))  # noqa: S704 - escaped before


templates.filters["with_code"] = _with_code


class DevPages(Struct, frozen=True):
    look: Look

    async def show_front(self, visit: Visit, refusal: Refusal | None) -> Answer:
        return page(visit, self.look, "dev_front.html", at="/", refusal=refusal, documents=DOCUMENTS)

    async def show_mail(self, visit: Visit, refusal: Refusal | None) -> Answer:
        letters, texts = await caught_letters(visit), await caught_texts(visit)
        return page(
            visit,
            self.look,
            "dev_mail.html",
            at=MAIL_PATH,
            refusal=refusal,
            letters=letters,
            texts=texts,
            policy=LETTER_POLICY,
        )

"""Text messages: a `Mail` by SMS becomes the few words that a phone shows.

One template a kind and language, `<kind>.<locale>.sms`. The last line binds the code to the host where it may be
typed, in the form that phones fill in by themselves and only there.

Spec: https://wicg.github.io/sms-one-time-codes/ (origin-bound one-time codes).
"""

from __future__ import annotations

import re
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sekisho.delivery.letters import LETTER_LOCALES, one_line
from sekisho.model import Mail
from sekisho.ports.mail import SmsRefused, TextMessage

# At most 15 digits, the country's code among them (ITU-T E.164 section 6).
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")

_ENVIRONMENT = ImmutableSandboxedEnvironment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=False,
    undefined=StrictUndefined,
    auto_reload=False,
)


def render_text(mail: Mail, *, product_name: str, host: str) -> TextMessage:
    """Return the message in its reader's language; in English if we do not speak that.

    Args:
        host: where the code may be typed.

    Raises:
        SmsRefused: `to` is no number in the form of E.164.
        jinja2.TemplateError: an unknown kind or a missing value. A programming mistake.
    """
    if not _E164.fullmatch(mail.to):
        raise SmsRefused("unsafe number")
    locale = mail.locale if mail.locale in LETTER_LOCALES else LETTER_LOCALES[0]
    values = {name: one_line(value) for name, value in mail.values.items()}
    values |= {"product": one_line(product_name), "host": one_line(host)}
    text = _ENVIRONMENT.get_template(f"{mail.kind}.{locale}.sms").render(values)
    return TextMessage(to=mail.to, text=text.strip())

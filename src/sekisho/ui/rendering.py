"""Pages as answers: rendered whole, with the headers that keep them ours.

Spec: OWASP ASVS 5.0 rows 3.4.3 to 3.4.6; WCAG 2.2 (the templates).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec import Struct

from sekisho.catalogue import LOCALES
from sekisho.errors import Refusal
from sekisho.http import cookies
from sekisho.http.answer import Answer, HeaderList
from sekisho.http.browser import csrf_value
from sekisho.http.refusals import STATUS
from sekisho.ui.assets import Assets
from sekisho.ui.complaints import complaint
from sekisho.ui.visit import LANGUAGE, Visit

HTML = b"text/html; charset=utf-8"
LANGUAGE_NAMES = {"en": "English", "ja": "日本語"}
SECRET_FIELDS = frozenset(("password", "current_password", "code", "csrf"))

POLICY = (
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "form-action 'self'",
)

# A page that sends no referrer at all would make its own forms come from the origin "null".
SAME_ORIGIN = (b"referrer-policy", b"same-origin")


def _moment(at: str) -> str:
    """Return RFC 3339 as people write a time."""
    return f"{at[:10]} {at[11:16]} UTC"


templates = Environment(
    loader=PackageLoader("sekisho.ui", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
templates.filters["moment"] = _moment


class Look(Struct, frozen=True):
    """What all pages share. has_docs, for_people: whether the reference and the sign-in page are there to be linked."""

    product_name: str
    assets: Assets
    has_docs: bool
    for_people: bool


def page(
    visit: Visit,
    look: Look,
    template: str,
    *,
    at: str,
    refusal: Refusal | None = None,
    status: int | None = None,
    asked: Collection[str] = (),
    policy: str = "",
    headers: HeaderList = (),
    about: Mapping[str, str] | None = None,
    **values: object,
) -> Answer:
    """Return a page.

    Args:
        at: the path where a GET shows it, for the language links; `about` is what its query says beside.
        refusal: what went wrong with the form that was just sent; gives the status too.
        asked: the fields of the form, in their order on the page.
        policy: directives that take the place of the usual ones of their names.
    """
    token, csrf_cookies = csrf_value(visit)
    html = templates.get_template(template).render(
        say=visit.say,
        locale=visit.locale,
        languages=[
            (locale, LANGUAGE_NAMES[locale], visit.link(at, **{**(about or {}), "lang": locale})) for locale in LOCALES
        ],
        look=look,
        link=visit.link,
        asset=lambda name: f"{visit.base}/assets/{look.assets.name_of(name)}",
        base=visit.base,
        csrf=token,
        complaint=complaint(refusal, visit, asked),
        typed={name: value for name, value in visit.fields.items() if name not in SECRET_FIELDS},
        **values,
    )
    headers = (*csrf_cookies, *_language_cookie(visit), *page_headers(visit, policy), *headers)
    if refusal is not None and refusal.retry_after is not None:
        headers += ((b"retry-after", str(refusal.retry_after).encode()),)
    code = status or (200 if refusal is None else STATUS[type(refusal)])
    return Answer(code, html.encode(), HTML, headers, refusal)


def redirect(address: str, headers: HeaderList = ()) -> Answer:
    """Send the browser on with a GET (RFC 9110 section 15.4.4). `address` is one of ours, or was checked."""
    return Answer(303, b"", HTML, ((b"location", address.encode("ascii")), *headers))


def page_headers(visit: Visit, own: str = "") -> HeaderList:
    """Return the policy of a page: nothing inline, nothing foreign, but for its `own` directives. A form may end in a
    redirect to the return address, and some browsers hold redirects to `form-action` too."""
    directives = dict(directive.split(" ", 1) for directive in POLICY)
    if visit.returning and visit.returning.origin:
        directives["form-action"] += f" {visit.returning.origin}"
    directives |= dict(directive.strip().split(" ", 1) for directive in own.split(";") if directive)
    policy = "; ".join(f"{name} {sources}" for name, sources in directives.items())
    return ((b"content-security-policy", policy.encode("ascii")), SAME_ORIGIN)


def _language_cookie(visit: Visit) -> HeaderList:
    if visit.query.get("lang") not in LOCALES:
        return ()
    secure = visit.edge.settings.secure
    name = cookies.page_cookie_name(LANGUAGE, secure=secure)
    return (cookies.write(name, visit.locale, secure=secure, max_age_s=cookies.YEAR_S),)

"""A browser without scripts: it follows links and redirects, fills in forms and sends them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx2

from http_site import EMAIL, PASSWORD, Site

WITHOUT_END = frozenset(("input", "meta", "link", "br", "img", "hr"))


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Form:
    id: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """A page as it was answered: its elements, its forms, what it says under each id."""

    def __init__(self, answer: httpx2.Response) -> None:
        super().__init__()
        self.answer = answer
        self.elements: list[Element] = []
        self.forms: list[Form] = []
        self._open: list[Element] = []
        self._select = ""
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        element = Element(tag, given)
        self.elements.append(element)
        if tag not in WITHOUT_END:
            self._open.append(element)
        if tag == "form":
            self.forms.append(Form(given.get("id", ""), given["action"]))
        elif tag == "select":
            self._select = given["name"]
        elif (
            self.forms
            and tag == "input"
            and "name" in given
            and (given.get("type") != "checkbox" or "checked" in given)
        ):
            self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif self.forms and tag == "option" and "selected" in given:
            self.forms[-1].fields[self._select] = given["value"]

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop().tag != tag:
            continue

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    @property
    def path(self) -> str:
        return self.answer.url.path

    def by_id(self, name: str) -> Element | None:
        return next((element for element in self.elements if element.attributes.get("id") == name), None)

    def said(self, name: str) -> str:
        """Return the text of the element with this id, "" if there is none."""
        found = self.by_id(name)
        return " ".join(found.text.split()) if found else ""

    def form(self, name: str) -> Form:
        return next(form for form in self.forms if form.id == name)

    def focused(self) -> str:
        """Return the id of the one element that the browser moves to."""
        (found,) = [element for element in self.elements if "autofocus" in element.attributes]
        return found.attributes["id"]


class Reader:
    """One browser of one person, scripts switched off. `page` is what it shows."""

    def __init__(self, site: Site, *, language: str = "en", ip: str = "203.0.113.7") -> None:
        self.site = site
        agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Safari/537.36"
        self.inner = site.client(
            ip=ip, **{"accept-language": language, "user-agent": agent, "accept": "text/html"}
        ).inner
        self.page: Page

    async def open(self, address: str, **headers: str) -> Page:
        answer = await self.inner.get(address, headers=headers)
        return await self._follow(answer)

    async def send(self, form: str, *, follow: bool = True, origin: str | None = None, **typed: str) -> Page:
        """Fill in a form of the page and send it."""
        found = self.page.form(form)
        return await self.post(found.action, {**found.fields, **typed}, follow=follow, origin=origin)

    async def post(
        self, address: str, fields: dict[str, str], *, follow: bool = True, origin: str | None = None
    ) -> Page:
        headers = {"origin": origin or self.site.public_origin}
        answer = await self.inner.post(address, data=fields, headers=headers)
        return await self._follow(answer) if follow else Page(answer)

    async def csrf(self) -> str:
        """Return the value that a form of the signed-in person must carry."""
        return (await self.open("/account")).form("profile").fields["csrf"]

    async def _follow(self, answer: httpx2.Response) -> Page:
        for _ in range(5):
            if answer.status_code != 303:
                break
            target = urljoin(str(answer.url), answer.headers["location"])
            answer = await self.inner.get(target)
        self.page = Page(answer)
        return self.page

    async def begin_sign_up(self, email: str = EMAIL, password: str = PASSWORD, query: str = "") -> Page:
        await self.open(f"/sign-up{query}")
        return await self.send("sign-up", email=email, password=password)

    async def sign_up(self, email: str = EMAIL, query: str = "") -> Page:
        await self.begin_sign_up(email, query=query)
        return await self.send("sign-up-code", code=await self.site.code_for(email))

    async def sign_in(self, email: str = EMAIL, password: str = PASSWORD, query: str = "") -> Page:
        await self.open(f"/sign-in{query}")
        return await self.send("sign-in", email=email, password=password)

    async def begin_reset(self, email: str = EMAIL) -> Page:
        """Go by the link of the sign-in page; who is signed in already sees no such page and knows the address."""
        await self.open("/sign-in")
        link = self.page.by_id("to-password-reset")
        await self.open(link.attributes["href"] if link else "/password-reset")
        return await self.send("password-reset", email=email)

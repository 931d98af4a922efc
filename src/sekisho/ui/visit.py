"""One request for a page: its language, its form, where it came from and where it goes next."""

from __future__ import annotations

from functools import cached_property
from urllib.parse import parse_qsl, urlencode

from sekisho.catalogue import LOCALES, choose_locale
from sekisho.http import cookies
from sekisho.http.call import Call
from sekisho.identifiers import parse_client_id
from sekisho.ui.forms import CSRF_FIELD, FormFields, read_form
from sekisho.ui.returning import ReturnAddress, parse_return

DEFAULT_CLIENT_ID = "web"
QUERY_LIMIT = 4096
LANGUAGE = "language"


class Visit(Call):
    """A call by a person's browser.

    fields: what the form holds, as typed; empty before `read`. A plain form cannot send a header, so the field `csrf`
    stands for it: the checks of `sekisho.http.browser` hold for pages as they do for scripts.
    """

    fields: FormFields

    @classmethod
    def of(cls, call: Call) -> Visit:
        visit = cls(call.scope, call._receive, call.edge)
        visit.fields = {}
        return visit

    async def read(self) -> FormFields:
        """Read the form and return its fields. Raises: see `ui.forms.read_form`."""
        self.fields = await read_form(self, self._receive)
        return self.fields

    def header(self, name: bytes) -> str | None:
        if name == self.edge.csrf.header_key:
            return self.fields.get(CSRF_FIELD)
        return super().header(name)

    def bearer(self) -> None:
        """Pages know cookies only: what a proxy's own login puts into `Authorization` is not ours."""
        return

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's first value of each name."""
        found: dict[str, str] = {}
        text = self.scope["query_string"][:QUERY_LIMIT].decode("latin-1")
        for name, value in parse_qsl(text, keep_blank_values=True, errors="replace"):
            found.setdefault(name, value)
        return found

    @cached_property
    def chosen_locale(self) -> str | None:
        """The language that the person chose by the link on the page, now or earlier."""
        name = cookies.page_cookie_name(LANGUAGE, secure=self.edge.settings.secure)
        for choice in (self.query.get("lang"), self.cookies.get(name)):
            if choice in LOCALES:
                return choice
        return None

    @property
    def locale(self) -> str:
        return self.chosen_locale or choose_locale((self.headers.get(b"accept-language", b"")[:256]).decode("latin-1"))

    @cached_property
    def client_id(self) -> str:
        """The app that the person signs in to.

        Raises:
            ValidationError: it has no good form.
        """
        return parse_client_id(self.query.get("client_id") or DEFAULT_CLIENT_ID).whole

    @property
    def query_client_id(self) -> str | None:
        return self.query.get("client_id")

    @cached_property
    def returning(self) -> ReturnAddress | None:
        """Where the person wants to go back to, if we may send them there."""
        return parse_return(self.query.get("return_to"), self.edge.settings)

    def link(self, path: str, **more: str) -> str:
        """Return the address of a page of ours that goes on with this visit: same app, same return address."""
        carried = {"client_id": self.query_client_id, "return_to": self.returning and self.returning.address}
        query = urlencode({name: value for name, value in {**carried, **more}.items() if value})
        return f"{self.base}{path}" + (f"?{query}" if query else "")

    @property
    def base(self) -> str:
        """The path that this server is mounted under, or ""."""
        return str(self.scope.get("root_path", ""))

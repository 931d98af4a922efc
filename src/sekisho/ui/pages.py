"""The pages as one table of routes, and how they tell a mistake."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from sekisho import errors
from sekisho.errors import Refusal
from sekisho.http.answer import Answer, HeaderList
from sekisho.http.call import Call
from sekisho.http.routes import NO_ROUTE, Route
from sekisho.ui.assets import Assets, shared_assets
from sekisho.ui.complaints import sentence
from sekisho.ui.rendering import Look, page
from sekisho.ui.routes import (
    ASSETS_PATH,
    account_routes,
    asset_route,
    credential_routes,
    dev_routes,
    docs_route,
    entrance_routes,
    factor_routes,
)
from sekisho.ui.visit import Visit


@dataclass(frozen=True)
class HostedPages:
    """The pages of one server.

    min_length: the fewest characters of a password. for_people: sign-in, sign-up and the account. has_docs: the
    reference of the API. is_dev: the front page and the mailbox of development.
    """

    product_name: str
    min_length: int
    for_people: bool = True
    has_docs: bool = True
    is_dev: bool = False
    assets: Assets = field(default_factory=shared_assets)

    @cached_property
    def look(self) -> Look:
        return Look(
            product_name=self.product_name, assets=self.assets, has_docs=self.has_docs, for_people=self.for_people
        )

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        return (
            asset_route(self.assets),
            *(dev_routes(self.look) if self.is_dev else ()),
            *(entrance_routes(self.look, self.min_length, is_front=not self.is_dev) if self.for_people else ()),
            *(account_routes(self.look) if self.for_people else ()),
            *(credential_routes(self.look, self.min_length) if self.for_people else ()),
            *(factor_routes(self.look) if self.for_people else ()),
            *(docs_route(self.look) if self.has_docs else ()),
        )

    def speaks(self, path: str, call: Call) -> bool:
        """At the address of a page, and where a browser looks for one that is not there."""
        if path in self._paths:
            return True
        looks = call.scope["method"] in ("GET", "HEAD") and b"text/html" in call.headers.get(b"accept", b"")
        return looks and path == NO_ROUTE and not call.scope["path"].startswith("/api/")

    def refused(self, refusal: Refusal, call: Call) -> Answer:
        headers: HeaderList = ()
        if isinstance(refusal, errors.MethodNotAllowed) and refusal.details:
            headers = ((b"allow", str(refusal.details["allow"]).encode()),)
        is_missing = isinstance(refusal, errors.NotFound)
        visit = Visit.of(call)
        return page(
            visit,
            self.look,
            "error.html",
            at=self._own_path(call),
            refusal=refusal,
            headers=headers,
            title="page.error.not_found" if is_missing else "page.error.title",
            text=visit.say("page.error.not_here") if is_missing else sentence(refusal, visit),
        )

    def broken(self, incident: str, call: Call) -> Answer:
        visit = Visit.of(call)
        text = visit.say("error.internal_server_error", incident=incident)
        at = self._own_path(call)
        return page(visit, self.look, "error.html", at=at, status=500, title="page.error.title", text=text)

    @cached_property
    def _paths(self) -> frozenset[str]:
        return frozenset(route.path for route in self.routes) - {ASSETS_PATH}

    def _own_path(self, call: Call) -> str:
        """An address that is none of ours is not repeated in a link."""
        path: str = call.scope["path"].removeprefix(call.scope.get("root_path", ""))
        return path if path in self._paths else "/"

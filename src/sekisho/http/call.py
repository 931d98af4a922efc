"""One request, as an endpoint sees it: bounded, parsed on demand, never half-read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from sekisho.catalogue import choose_locale, text
from sekisho.errors import Unauthorized, ValidationError
from sekisho.http.body import Body, Receive, parse, read_bytes, require_json, require_plain
from sekisho.http.client_address import client_address
from sekisho.http.client_hints import client_hints
from sekisho.http.cookies import device_cookie_name
from sekisho.model import Origin

if TYPE_CHECKING:
    from sekisho.http.edge import Edge

USER_AGENT_LIMIT = 512
COOKIES_LIMIT_BYTES = 16 * 1024
DEVICE_TOKEN_LIMIT = 64
QUERY_LIMIT_BYTES = 1024
LOCAL_NAMES = frozenset(("localhost", "127.0.0.1", "[::1]"))

ONLY_ONCE = frozenset((b"authorization", b"content-length", b"content-type", b"origin"))


class Call:
    """headers: lower-case names; the last of a repeated one. `path` holds the route's parameters."""

    __slots__ = ("_cookies", "_origin", "_receive", "edge", "headers", "path", "scope")

    def __init__(self, scope: Mapping[str, Any], receive: Receive, edge: Edge) -> None:
        self.scope = scope
        self.edge = edge
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.path: dict[str, str] = scope.get("path_params", {})
        self._receive = receive
        self._cookies: dict[str, str] | None = None
        self._origin: Origin | None = None

    def header(self, name: bytes) -> str | None:
        """Return a header's value, or None. A header that must stand once and is repeated is refused.

        Raises:
            ValidationError: repeated.
        """
        value: bytes | None = self.headers.get(name)
        if value is None:
            return None
        if len(self.headers) < len(self.scope["headers"]) and (name in ONLY_ONCE or name == self.edge.csrf.header_key):
            self._refuse_repeated(name)
        return value.decode("latin-1")

    def _refuse_repeated(self, name: bytes) -> None:
        if sum(1 for other, _ in self.scope["headers"] if other == name) > 1:
            raise ValidationError(details={name.decode(): "repeated_header"}, detail="repeated header")

    async def body(self, form: type[Body], *, may_be_empty: bool = False) -> Body:
        """Return the JSON body as `form`; for `may_be_empty` no body at all means no fields.

        No body has no type: that it is missing is what the client is told, whatever type it says.

        Raises:
            PayloadTooLarge, UnsupportedMediaType, ValidationError: see `http.body`.
        """
        content_type = self.header(b"content-type")
        require_plain(self.headers.get(b"content-encoding"))
        raw = await read_bytes(self._receive, self.headers.get(b"content-length"))
        if not raw:
            return parse(b"{}" if may_be_empty else raw, form)
        require_json((content_type or "").encode("latin-1"))
        return parse(raw, form)

    async def raw_body(self) -> bytes:
        """Return the whole body, bounded, for whoever reads another form than JSON.

        Raises:
            PayloadTooLarge, UnsupportedMediaType, ValidationError: see `http.body`.
        """
        require_plain(self.headers.get(b"content-encoding"))
        return await read_bytes(self._receive, self.headers.get(b"content-length"))

    @property
    def locale(self) -> str:
        return choose_locale((self.headers.get(b"accept-language", b"")[:256]).decode("latin-1"))

    def say(self, key: str, **values: object) -> str:
        """Return a text of the catalogue in the caller's language."""
        return text(key, self.locale, **values)

    @property
    def cookies(self) -> dict[str, str]:
        """Name to value; the first of a repeated name (RFC 6265 section 5.4 sends the most specific first)."""
        if self._cookies is None:
            self._cookies = _parse_cookies(self.headers.get(b"cookie", b""))
        return self._cookies

    @property
    def origin(self) -> Origin:
        """Where the call comes from: canonical address, bounded user agent and hints, device cookie."""
        if self._origin is None:
            peer = self.scope.get("client") or ("", 0)
            forwarded = self.headers.get(b"x-forwarded-for")
            address = client_address(
                peer[0], None if forwarded is None else forwarded.decode("latin-1"), self.edge.settings.trusted_proxies
            )
            agent = _printable(self.headers.get(b"user-agent", b"")[:USER_AGENT_LIMIT])
            hints = client_hints(self.headers)
            self._origin = Origin(ip=address, user_agent=agent, device_token=self.device_token, hints=hints)
        return self._origin

    @property
    def device_token(self) -> str:
        if b"cookie" not in self.headers:
            return ""
        return self.cookies.get(device_cookie_name(secure=self.edge.settings.secure), "")[:DEVICE_TOKEN_LIMIT]

    @property
    def believed_session(self) -> str | None:
        """The session that the client believes in (`X-Sekisho-Session`), if it says one."""
        value = self.headers.get(b"x-sekisho-session")
        return None if value is None else value[:64].decode("latin-1")

    def query_value(self, name: str) -> str | None:
        """Return the first value of this name in the query string, or None."""
        query = self.scope["query_string"][:QUERY_LIMIT_BYTES].decode("latin-1")
        return next((value for key, value in parse_qsl(query, keep_blank_values=True) if key == name), None)

    @property
    def query_client_id(self) -> str | None:
        """`client_id` of the query string; names the app where one host serves several."""
        return self.query_value("client_id") or None

    @property
    def is_for_this_machine(self) -> bool:
        """Whether the caller asked for this machine by a name of its own, or by the public name. A page whose name was
        pointed here by its owner (DNS rebinding) did not."""
        host = self.headers.get(b"host", b"").decode("latin-1").lower()
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        return name in LOCAL_NAMES or host == self.edge.settings.public_origin.partition("://")[2]

    @property
    def is_from_browser(self) -> bool:
        """Whether a page sent this: it has an origin, a fetch site or cookies. No proof, only a hint for the answer."""
        return any(name in self.headers for name in (b"origin", b"sec-fetch-site", b"cookie"))

    def bearer(self) -> str | None:
        """Return the bearer token, or None without an Authorization header (RFC 6750 section 2.1).

        Raises:
            Unauthorized: the header has another scheme or form.
        """
        value = self.header(b"authorization")
        if value is None:
            return None
        scheme, _, token = value.partition(" ")
        if scheme.lower() != "bearer" or not token or " " in token:
            raise Unauthorized(detail="authorization header is no bearer token")
        return token


@lru_cache(maxsize=1024)
def _printable(header: bytes) -> str:
    text = header.decode("latin-1")
    return text if text.isprintable() else "".join(mark for mark in text if mark.isprintable())


def _parse_cookies(header: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in header[:COOKIES_LIMIT_BYTES].decode("latin-1").split(";"):
        name, separator, value = pair.strip().partition("=")
        if separator:
            found.setdefault(name, value.strip('"'))
    return found

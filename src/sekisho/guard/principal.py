"""Who is calling, as a protected API sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from msgspec import Struct, json

from sekisho.rfc import base64url


class Claims(Mapping[str, Any]):
    """All claims of a token, also those that Sekisho does not know. Read-only, because a principal is shared by the
    requests that carry its token.

    Args:
        source: a token whose signature was checked (decoded at the first look), or a mapping.
    """

    __slots__ = ("_read", "_source")

    def __init__(self, source: str | Mapping[str, Any] = MappingProxyType({})) -> None:
        self._source = source
        self._read: Mapping[str, Any] | None = None

    def _all(self) -> Mapping[str, Any]:
        if self._read is None:
            source = self._source
            if isinstance(source, str):
                source = json.decode(base64url.decode(source.split(".")[1], len(source)))
            self._read = _frozen(dict(source))
        return self._read

    def __getitem__(self, name: str) -> Any:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return f"Claims({', '.join(self._all())})"


class Principal(Struct, frozen=True, kw_only=True, gc=False):
    """The caller of a protected API: an account, in one of its sessions, through one app.

    sub: the account's id. It never changes and is never given to another account.
    client_id: the app, or the app and its device. session_id: "" where a token is of no session.
    scopes, roles: what the token says; as old as the token.
    permissions: what the roles allow by the verifier's table.
    amr, acr: how the person proved who it is. auth_time: when, in seconds since 1970.
    expires_at: end of the token, in seconds since 1970. token_id: its `jti`.
    """

    sub: str
    client_id: str = ""
    session_id: str = ""
    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    amr: tuple[str, ...] = ()
    acr: str = ""
    auth_time: int = 0
    expires_at: int = 0
    token_id: str = ""
    claims: Claims = Claims()

    def __repr__(self) -> str:
        return f"Principal(sub={self.sub!r}, client_id={self.client_id!r}, session_id={self.session_id!r})"


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return MappingProxyType({name: _frozen(inner) for name, inner in value.items()})
    if isinstance(value, list):
        return tuple(_frozen(inner) for inner in value)
    return value

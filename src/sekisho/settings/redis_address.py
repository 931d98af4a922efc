"""`SEKISHO_REDIS_URL`: one server, the primary that Sentinel names, or a Cluster.

    redis://[user:password@]host[:port][/database]
    redis+sentinel://[user:password@]host[:port],host[:port]/primary[/database]
    redis+cluster://[user:password@]host[:port],host[:port]

`rediss` instead of `redis` encrypts. Behind a question mark: `ca` (a file with the authority of the certificates),
`sentinel_user` and `sentinel_password`.
"""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from sekisho.model import Discreet

REDIS_PORT = 6379
SENTINEL_PORT = 26379
_OPTIONS = {"ca", "sentinel_user", "sentinel_password"}
_NODE = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(:(?P<port>[0-9]{1,5}))?")


class NotARedisUrl(ValueError):
    """Says which part is wrong, and shows nothing of the URL, which may hold a password."""


class RedisAddress(Discreet, frozen=True, kw_only=True):
    """What the URL says. `nodes` are the server, the sentinels, or some nodes of the Cluster."""

    kind: Literal["single", "sentinel", "cluster"]
    nodes: tuple[tuple[str, int], ...]
    primary: str = ""
    user: str = ""
    password: str = ""
    sentinel_user: str = ""
    sentinel_password: str = ""
    database: int = 0
    is_encrypted: bool = False
    authority_file: str = ""


def parse_redis_url(url: str) -> RedisAddress:
    """Read the URL. Opens nothing.

    Raises:
        NotARedisUrl: it is none of the three forms.
    """
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise NotARedisUrl("form") from None
    scheme, _, form = parts.scheme.partition("+")
    if scheme not in ("redis", "rediss") or form not in ("", "sentinel", "cluster") or parts.fragment:
        raise NotARedisUrl("scheme")
    kind: Literal["single", "sentinel", "cluster"] = form or "single"  # type: ignore[assignment]
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    nodes = tuple(_node(text, SENTINEL_PORT if kind == "sentinel" else REDIS_PORT) for text in hosts.split(","))
    if kind == "single" and len(nodes) > 1:
        raise NotARedisUrl("several hosts")
    if options.keys() - _OPTIONS:
        raise NotARedisUrl("options")
    primary, database = _path(parts.path, kind)
    return RedisAddress(
        kind=kind,
        nodes=nodes,
        primary=primary,
        user=unquote(user),
        password=unquote(password),
        sentinel_user=options.get("sentinel_user", ""),
        sentinel_password=options.get("sentinel_password", ""),
        database=database,
        is_encrypted=scheme == "rediss",
        authority_file=options.get("ca", ""),
    )


def _node(text: str, usual_port: int) -> tuple[str, int]:
    found = _NODE.fullmatch(text)
    port = int(found["port"] or usual_port) if found else 0
    if found is None or not 1 <= port <= 65535:
        raise NotARedisUrl("host")
    return found["host"].strip("[]"), port


def _path(path: str, kind: str) -> tuple[str, int]:
    words = path.strip("/").split("/") if path.strip("/") else []
    primary = ""
    if kind == "sentinel":
        if not words:
            raise NotARedisUrl("no name of the primary")
        primary = words.pop(0)
    if len(words) > 1 or (words and (kind == "cluster" or not re.fullmatch(r"[0-9]{1,4}", words[0]))):
        raise NotARedisUrl("path")
    return primary, int(words[0]) if words else 0

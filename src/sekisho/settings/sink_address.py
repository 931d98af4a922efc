"""`SEKISHO_AUDIT__SINK`: where the audit trail is shipped to.

file:///var/log/sekisho/audit.jsonl
syslog+tls://logs.example.com:6514      behind a question mark: `ca`, a file with the authority of its certificate
syslog+tcp://localhost:601
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct

_USUAL_PORTS = {"syslog+tls": 6514, "syslog+tcp": 601}


class NotASinkUrl(ValueError):
    """None of the forms above."""


class SinkAddress(Struct, frozen=True, kw_only=True):
    """What the URL says. `path` belongs to `file`, the rest to the others."""

    kind: Literal["file", "syslog+tls", "syslog+tcp"]
    path: str = ""
    host: str = ""
    port: int = 0
    authority_file: str = ""


def parse_sink_url(url: str) -> SinkAddress:
    """Read the URL. Opens nothing.

    Raises:
        NotASinkUrl: it has none of the three forms.
    """
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        port = parts.port
    except ValueError:
        raise NotASinkUrl("form") from None
    if parts.fragment or "@" in parts.netloc:
        raise NotASinkUrl("form")
    if parts.scheme == "file":
        if parts.netloc or options or not parts.path.startswith("/") or parts.path.endswith("/"):
            raise NotASinkUrl("path")
        return SinkAddress(kind="file", path=unquote(parts.path))
    kind: Literal["syslog+tls", "syslog+tcp"]
    if parts.scheme == "syslog+tls":
        kind = "syslog+tls"
    elif parts.scheme == "syslog+tcp":
        kind = "syslog+tcp"
    else:
        raise NotASinkUrl("scheme")
    if (
        not parts.hostname
        or parts.path not in ("", "/")
        or options.keys() - ({"ca"} if kind == "syslog+tls" else set())
    ):
        raise NotASinkUrl("host")
    return SinkAddress(
        kind=kind, host=parts.hostname, port=port or _USUAL_PORTS[kind], authority_file=options.get("ca", "")
    )

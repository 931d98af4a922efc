"""Addresses: the server's own, those of web apps and proxies, and the port of the figures."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from sekisho.settings.model import Settings
from sekisho.settings.rules.fault import Fault


def canonical_origin(text: str) -> str | None:
    """Return `scheme://host[:port]` as a browser writes it, or None if the text is not an http(s) origin."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return None
    if re.search(r"[\s*\\]|[^\x21-\x7e]", text) or parts.query or parts.fragment or parts.path not in ("", "/"):
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, usual) else "")


def public_url_rule(settings: Settings) -> Iterator[Fault]:
    url = settings.public_url
    if not url:
        yield Fault(
            "public_url",
            "is missing. Links, cookies and the issuer of tokens come from it.",
            "設定されていません。リンク、クッキー、トークンの発行者はこの値から決まります。",
        )
        return
    canonical = canonical_origin(url)
    if canonical != url:
        yield Fault(
            "public_url",
            f"must be scheme and host, without a path or a slash at the end: {url!r}.",
            f"スキームとホストだけを書いてください (パスや末尾のスラッシュは不可): {url!r}",
            (canonical or "").replace("http://", "https://" if settings.mode == "serve" else "http://"),
        )
    elif settings.mode == "serve" and not url.startswith("https://"):
        yield Fault(
            "public_url",
            f"must be https in production: {url!r}.",
            f"本番では https でなければなりません: {url!r}",
            "https://" + url.removeprefix("http://"),
        )


def allowed_origins_rule(settings: Settings) -> Iterator[Fault]:
    for origin in settings.allowed_origins:
        canonical = canonical_origin(origin)
        if "*" in origin:
            yield Fault(
                "allowed_origins",
                f"must name each origin; {origin!r} would let any site call with the user's cookies.",
                f"オリジンを一つずつ書いてください。{origin!r} ではどのサイトからも呼び出せてしまいます。",
            )
        elif canonical != origin:
            yield Fault(
                "allowed_origins",
                f"holds something that is not an origin as browsers write it: {origin!r}.",
                f"ブラウザが送る形のオリジンではありません: {origin!r}",
                canonical or "",
            )


def trusted_proxies_rule(settings: Settings) -> Iterator[Fault]:
    for text in settings.trusted_proxies:
        try:
            network = ipaddress.ip_network(text)
        except ValueError:
            yield Fault(
                "trusted_proxies",
                f"holds something that is not a network: {text!r}.",
                f"ネットワークではありません: {text!r}",
            )
            continue
        if network.prefixlen == 0:
            yield Fault(
                "trusted_proxies",
                f"must not trust everybody: with {text} any client chooses the address that is counted.",
                f"全員を信用することはできません。{text} ではクライアントが自分の IP アドレスを偽れます。",
            )


def metrics_rule(settings: Settings) -> Iterator[Fault]:
    text = settings.metrics
    if text in ("loopback", "off", "auto"):
        return
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        yield Fault(
            "metrics",
            f"must be loopback, off or a port: {text!r}.",
            f"loopback、off、またはポート番号を指定してください: {text!r}",
        )
    elif int(text) == settings.port:
        yield Fault(
            "metrics",
            f"must be another port than the server's own ({settings.port}).",
            f"サーバー自身のポート ({settings.port}) とは別にしてください。",
            str(settings.port + 1 if settings.port < 65535 else 9090),
        )


def product_name_rule(settings: Settings) -> Iterator[Fault]:
    if not settings.product_name.isprintable():
        yield Fault("product_name", "must be one line of printable text.", "改行や制御文字のない 1 行にしてください。")

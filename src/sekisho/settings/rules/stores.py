"""Where data is kept: the database, Redis, and how many processes work on them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from sekisho.settings.model import Settings
from sekisho.settings.redis_address import NotARedisUrl, parse_redis_url
from sekisho.settings.rules.fault import Fault
from sekisho.settings.rules.files import missing_file

_SQLITE = "sqlite:///"
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_SSL_FILES = ("sslrootcert", "sslcert", "sslkey")


def database_rule(settings: Settings) -> Iterator[Fault]:
    url = settings.database_url
    path = url.removeprefix(_SQLITE)
    if not url:
        yield Fault("database_url", "is missing.", "設定されていません。")
    elif re.match(r"postgres(ql)?(\+\w+)?:", url):
        yield from _postgres("database_url", url)
        yield from _pooler(settings)
    elif path == url or path in ("", ":memory:") or re.search(r"[?#\x00]", path):
        yield Fault(
            "database_url",
            "must be sqlite:/// and the path of a file, or postgresql://user@host:5432/name.",
            "sqlite:/// に続けてファイルのパスを書くか、postgresql://user@host:5432/name の形にしてください。",
        )


def _postgres(path: str, url: str) -> Iterator[Fault]:
    """The URL may hold a password, so no complaint repeats it."""
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.username and parts.hostname and parts.port != 0 and len(parts.path) > 1)
    except ValueError:
        parts, is_whole = None, False
    if parts is None or parts.scheme not in ("postgresql", "postgres") or not is_whole or parts.fragment:
        yield Fault(
            path,
            "must be postgresql://user@host:5432/name; special characters in a password are written like %40.",
            "postgresql://user@host:5432/name の形にしてください。パスワードの記号は %40 のように書きます。",
            "postgresql://sekisho@localhost:5432/sekisho",
        )
        return
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    for name in _SSL_FILES:
        if name in options:
            yield from missing_file(path, name, options[name])
    mode = options.get("sslmode", "prefer")
    if mode not in _SSL_MODES:
        yield Fault(
            path,
            f"has an unknown sslmode {mode!r}: {', '.join(_SSL_MODES)} are known.",
            f"sslmode {mode!r} は使えません。{'、'.join(_SSL_MODES)} のどれかにしてください。",
            "postgresql://sekisho@localhost:5432/sekisho?sslmode=verify-full",
        )


def _pooler(settings: Settings) -> Iterator[Fault]:
    if settings.database_listen_url:
        yield from _postgres("database_listen_url", settings.database_listen_url)
    elif settings.database_pgbouncer:
        yield Fault(
            "database_listen_url",
            "is missing: PgBouncer in transaction mode passes on no notifications.",
            "設定されていません。トランザクションモードの PgBouncer は通知を中継しません。",
        )


def redis_rule(settings: Settings) -> Iterator[Fault]:
    redis, url = settings.redis, settings.redis_url
    if url is not None:
        try:
            address = parse_redis_url(url.get_secret_value())
            if address.authority_file:
                yield from missing_file("redis_url", "ca", address.authority_file)
        except NotARedisUrl:
            yield Fault(
                "redis_url",
                "must be redis://host:port, redis+sentinel://host,host/primary or redis+cluster://host,host (rediss to "
                "encrypt); special characters in a password are written as %XX.",
                "redis://host:port、redis+sentinel://host,host/primary、redis+cluster://host,host のどれかの形で"
                "書いてください (暗号化は rediss)。パスワードの記号は %XX で書きます。",
            )
        if redis.host:
            yield Fault(
                "redis.host",
                "is given beside SEKISHO_REDIS_URL: keep one of the two.",
                "SEKISHO_REDIS_URL と二重に指定されています。どちらか一方にしてください。",
            )
    elif not redis.host:
        if redis.sessions:
            yield Fault(
                "redis_url",
                "is missing: SEKISHO_REDIS__SESSIONS needs it.",
                "設定されていません。SEKISHO_REDIS__SESSIONS に必要です。",
            )
        elif redis.password is not None or redis.port is not None:
            yield Fault(
                "redis.host",
                "is missing: port and password of Redis go with it.",
                "設定されていません。Redis のポートとパスワードはホストと組で指定します。",
            )


def workers_rule(settings: Settings) -> Iterator[Fault]:
    if settings.workers == 1:
        return
    if settings.mode == "dev":
        yield Fault(
            "workers",
            f"is {settings.workers}, but sekisho dev runs one process, which keeps its mailbox in memory.",
            f"{settings.workers} ですが、sekisho dev はメールボックスをメモリに持つため 1 プロセスで動きます。",
            "1",
        )
    elif not settings.is_postgres:
        yield Fault(
            "workers",
            f"is {settings.workers}, but processes that write to one SQLite file wait for each other: keep 1, or set "
            "SEKISHO_DATABASE_URL to a PostgreSQL database.",
            f"{settings.workers} ですが、1 つの SQLite ファイルに書くプロセスは互いに待たされます。1 のままにするか、"
            "SEKISHO_DATABASE_URL に PostgreSQL を指定してください。",
            "1",
        )
    elif not hasattr(os, "fork"):
        yield Fault(
            "workers",
            f"is {settings.workers}, but this system cannot share a port among processes: start one per port instead.",
            f"{settings.workers} ですが、この OS ではポートを共有できません。ポートごとに 1 プロセスを起動します。",
            "1",
        )

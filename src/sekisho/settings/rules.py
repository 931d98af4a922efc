"""What types cannot say: rules between settings, and what production demands.

Each rule reads the whole settings and yields what is wrong, by path. All rules run, so that one
start shows every mistake.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Iterator
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from sekisho.settings.alert_rules import alert_faults
from sekisho.settings.fault import Fault
from sekisho.settings.model import Settings
from sekisho.settings.redis_address import NotARedisUrl, parse_redis_url
from sekisho.settings.sink_address import NotASinkUrl, parse_sink_url
from sekisho.settings.sms_rules import sms_faults

MIN_SECRET_CHARACTERS = 43
MIN_HS256_BYTES = 32
_FEWEST_DISTINCT = 10
_FROM_A_DOCUMENT = re.compile(
    r"change.?me|replace|example|secret|password|passphrase|placeholder|insecure|sekisho|openssl|12345678|abcdefgh|qwerty|xxxxxx",
    re.IGNORECASE,
)
_ROLE = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_APP = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})
_SQLITE = "sqlite:///"
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_SSL_FILES = ("sslrootcert", "sslcert", "sslkey")


def faults(settings: Settings) -> Iterator[Fault]:
    """Yield every broken rule."""
    for rule in _RULES:
        yield from rule(settings)


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


def secret_faults(path: str, secret: str) -> Iterator[Fault]:
    """Yield what makes a secret guessable. The text of the secret never leaves here."""
    if len(secret) < MIN_SECRET_CHARACTERS:
        yield Fault(
            path,
            f"is too short: {_counted(len(secret), 'character')}, at least {MIN_SECRET_CHARACTERS} random ones are "
            "needed.",
            f"短すぎます ({len(secret)} 文字)。{MIN_SECRET_CHARACTERS} 文字以上の乱数が必要です。",
        )
    elif _looks_made_up(secret):
        yield Fault(
            path,
            "looks like an example or a pattern, not like random text.",
            "見本か繰り返しのように見えます。乱数から作った値が必要です。",
        )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _looks_made_up(secret: str) -> bool:
    periodic = secret in (secret + secret)[1:-1]
    return periodic or len(set(secret)) < _FEWEST_DISTINCT or _FROM_A_DOCUMENT.search(secret) is not None


def _secret(settings: Settings) -> Iterator[Fault]:
    if settings.secret is not None:
        yield from secret_faults("secret", settings.secret.get_secret_value())
    elif settings.mode == "serve":
        yield Fault(
            "secret",
            "is missing. Make one once and keep it: every start and every node needs the same value.",
            "設定されていません。一度だけ作って保管し、起動のたびに、どのノードでも同じ値を使ってください。",
        )


def _pepper(settings: Settings) -> Iterator[Fault]:
    if settings.password.pepper is not None:
        yield from secret_faults("password.pepper", settings.password.pepper.get_secret_value())


def _jwt(settings: Settings) -> Iterator[Fault]:
    key = settings.jwt.secret_key
    if key is None:
        if settings.jwt.algorithm == "HS256":
            yield Fault(
                "jwt.secret_key",
                "is missing: HS256 needs it. Make one once and keep it: every start needs the same value.",
                "設定されていません。HS256 には必要です。一度だけ作って保管し、起動のたびに同じ値を使ってください。",
            )
        return
    if settings.jwt.algorithm != "HS256":
        yield Fault(
            "jwt.algorithm",
            f"is {settings.jwt.algorithm}, but SEKISHO_JWT__SECRET_KEY is given, for HS256 only: change one of them.",
            f"{settings.jwt.algorithm} ですが、HS256 専用の SEKISHO_JWT__SECRET_KEY もあります。どちらかを変えます。",
            "HS256",
        )
    yield from _jwt_key(settings, key)


def _jwt_key(settings: Settings, key: SecretStr) -> Iterator[Fault]:
    text = key.get_secret_value()
    size = len(text.encode())
    if size < MIN_HS256_BYTES:
        yield Fault(
            "jwt.secret_key",
            f"is too short: {_counted(size, 'byte')}, HS256 needs at least {MIN_HS256_BYTES} (RFC 7518 section 3.2).",
            f"短すぎます ({size} バイト)。HS256 には {MIN_HS256_BYTES} バイト以上が必要です (RFC 7518 3.2 節)。",
        )
    elif _looks_made_up(text):
        yield Fault(
            "jwt.secret_key",
            "looks like an example or a pattern, not like random text.",
            "見本か繰り返しのように見えます。乱数から作った値が必要です。",
        )
    if key == settings.secret:
        yield Fault(
            "jwt.secret_key",
            "is the same as SEKISHO_SECRET: guards know this key, and must never know the master secret.",
            "SEKISHO_SECRET と同じ値です。この鍵は検証側にも渡るため、マスターシークレットとは別の値が必要です。",
        )


def _public_url(settings: Settings) -> Iterator[Fault]:
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


def _allowed_origins(settings: Settings) -> Iterator[Fault]:
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


def _trusted_proxies(settings: Settings) -> Iterator[Fault]:
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


def _metrics(settings: Settings) -> Iterator[Fault]:
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


def _places_file(settings: Settings) -> Iterator[Fault]:
    path = settings.places_file
    if path is not None and not _is_readable(path):
        yield Fault("places_file", f"is not a file that can be read: {path}.", f"読めるファイルではありません: {path}")


def _breached(settings: Settings) -> Iterator[Fault]:
    password = settings.password
    if password.breached_file is not None and not _is_readable(password.breached_file):
        path = password.breached_file
        yield Fault(
            "password.breached_file",
            f"is not a file that can be read: {path}.",
            f"読めるファイルではありません: {path}",
        )
    if password.breached_url is not None:
        parts = urlsplit(password.breached_url)
        is_secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        if not is_secure or not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
            yield Fault(
                "password.breached_url",
                "must be an https address; what is asked is put behind it, after a slash.",
                "https のアドレスにしてください。問い合わせる値は末尾に / で区切って付きます。",
            )


def _is_readable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.R_OK)


def _session(settings: Settings) -> Iterator[Fault]:
    idle, absolute = settings.session.idle_days, settings.session.absolute_days
    if idle > absolute:
        yield Fault(
            "session.idle_days",
            f"is {idle}, longer than the {absolute} days of SEKISHO_SESSION__ABSOLUTE_DAYS.",
            f"{idle} 日は SEKISHO_SESSION__ABSOLUTE_DAYS の {absolute} 日より長くなっています。",
            str(absolute),
        )


def _database(settings: Settings) -> Iterator[Fault]:
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
            yield from _missing_file(path, name, options[name])
    mode = options.get("sslmode", "prefer")
    if mode not in _SSL_MODES:
        yield Fault(
            path,
            f"has an unknown sslmode {mode!r}: {', '.join(_SSL_MODES)} are known.",
            f"sslmode {mode!r} は使えません。{'、'.join(_SSL_MODES)} のどれかにしてください。",
            "postgresql://sekisho@localhost:5432/sekisho?sslmode=verify-full",
        )


def _missing_file(path: str, name: str, file: str) -> Iterator[Fault]:
    """The drivers tell a certificate's file that is not there as they tell a server that is not there."""
    if not Path(file).is_file():
        yield Fault(
            path,
            f"names a file that is not there or not readable: {name}={file}.",
            f"指定されたファイルがないか、読めません: {name}={file}。",
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


def _redis(settings: Settings) -> Iterator[Fault]:
    redis, url = settings.redis, settings.redis_url
    if url is not None:
        try:
            address = parse_redis_url(url.get_secret_value())
            if address.authority_file:
                yield from _missing_file("redis_url", "ca", address.authority_file)
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


def _audit(settings: Settings) -> Iterator[Fault]:
    audit = settings.audit
    if not audit.sink:
        if audit.sink_demand_minutes:
            yield Fault(
                "audit.sink",
                "is missing: SEKISHO_AUDIT__SINK_DEMAND_MINUTES needs it.",
                "設定されていません。SEKISHO_AUDIT__SINK_DEMAND_MINUTES に必要です。",
            )
        return
    try:
        address = parse_sink_url(audit.sink)
    except NotASinkUrl:
        yield Fault(
            "audit.sink",
            "must be file:///path, syslog+tls://host:port or syslog+tcp://host:port.",
            "file:///path、syslog+tls://host:port、syslog+tcp://host:port のどれかの形で書いてください。",
        )
        return
    if address.authority_file:
        yield from _missing_file("audit.sink", "ca", address.authority_file)
    if address.kind == "file" and not Path(address.path).parent.is_dir():
        folder = Path(address.path).parent
        yield Fault(
            "audit.sink",
            f"names a file in a folder that is not there: {folder}. Make the folder, writable for the server.",
            f"指定されたファイルのフォルダーがありません: {folder}。サーバーが書き込めるように作成してください。",
        )


def _mail(settings: Settings) -> Iterator[Fault]:
    mail = settings.mail
    if settings.mode == "serve":
        for path, value in (("mail.host", mail.host), ("mail.from", mail.sender)):
            if not value:
                yield Fault(
                    path,
                    "is missing: sign-up sends codes by mail.",
                    "設定されていません。サインアップのコードはメールで送ります。",
                )
    if mail.sender and not _is_sender(mail.sender):
        yield Fault(
            "mail.from", f"is not a mail address: {mail.sender!r}.", f"メールアドレスではありません: {mail.sender!r}"
        )
    if bool(mail.user) != (mail.password is not None):
        missing = "mail.password" if mail.user else "mail.user"
        yield Fault(
            missing,
            "is missing: user and password go together.",
            "設定されていません。ユーザー名とパスワードは組で必要です。",
        )
    if mail.user and mail.tls == "off" and mail.host not in _LOOPBACK:
        yield Fault(
            "mail.tls",
            "is off, so that the SMTP password would travel in the clear.",
            "off のままでは SMTP のパスワードが平文で流れます。",
            "starttls",
        )


def _alerts(settings: Settings) -> Iterator[Fault]:
    yield from alert_faults(settings)
    if settings.alerts.secret is not None:
        yield from secret_faults("alerts.secret", settings.alerts.secret.get_secret_value())


def _sms(settings: Settings) -> Iterator[Fault]:
    yield from sms_faults(settings)
    if settings.sms.secret is not None:
        yield from secret_faults("sms.secret", settings.sms.secret.get_secret_value())


def _is_sender(text: str) -> bool:
    address = parseaddr(text)[1]
    return re.fullmatch(r"[^@\s]+@[^@\s]+", address) is not None and text.isprintable()


def _product_name(settings: Settings) -> Iterator[Fault]:
    if not settings.product_name.isprintable():
        yield Fault("product_name", "must be one line of printable text.", "改行や制御文字のない 1 行にしてください。")


def _workers(settings: Settings) -> Iterator[Fault]:
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


def _required_factors(settings: Settings) -> Iterator[Fault]:
    factors = settings.factors
    for path, names, form in (
        ("factors.required_roles", factors.required_roles, _ROLE),
        ("factors.required_clients", factors.required_clients, _APP),
    ):
        if wrong := [name for name in names if form.fullmatch(name) is None]:
            yield Fault(path, f"has a name that nothing can have: {wrong[0]}.", f"あり得ない名前があります: {wrong[0]}")
        if names and not {"totp", "sms"} & set(factors.kinds):
            yield Fault(
                "factors.kinds",
                f"lacks totp and sms, so nobody could enrol what {path} requires.",
                f"totp も sms もないため、{path} で必須にした第二要素を誰も登録できません。",
                "totp,email",
            )


_RULES: tuple[Callable[[Settings], Iterator[Fault]], ...] = (
    _secret,
    _pepper,
    _breached,
    _public_url,
    _database,
    _redis,
    _audit,
    _allowed_origins,
    _trusted_proxies,
    _jwt,
    _session,
    _mail,
    _sms,
    _alerts,
    _metrics,
    _workers,
    _places_file,
    _product_name,
    _required_factors,
)

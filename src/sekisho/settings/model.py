"""Every setting of the server: its type, default, bounds and meaning, once.

The variable of a setting is its path in capitals under `SEKISHO_`, with `__` between group and
name: `jwt.access_minutes` is `SEKISHO_JWT__ACCESS_MINUTES`. The groups stand in `groups`, one module
each. The reference page, `sekisho config` and every complaint about a value are made from these classes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, PrivateAttr, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from sekisho.settings.groups.alerts import Alerts
from sekisho.settings.groups.anomalies import Anomalies
from sekisho.settings.groups.audit import Audit
from sekisho.settings.groups.base import setting, split
from sekisho.settings.groups.csrf import Csrf
from sekisho.settings.groups.factors import Factors
from sekisho.settings.groups.jwt import Jwt
from sekisho.settings.groups.limits import Limits
from sekisho.settings.groups.log import Log
from sekisho.settings.groups.mail import MailServer
from sekisho.settings.groups.pages import Pages
from sekisho.settings.groups.password import Password
from sekisho.settings.groups.redis import Redis
from sekisho.settings.groups.session import SessionLife
from sekisho.settings.groups.signup import SignUp
from sekisho.settings.groups.sms import Sms
from sekisho.settings.redis_address import REDIS_PORT, RedisAddress, parse_redis_url

Mode = Literal["dev", "serve"]
Words = Annotated[tuple[str, ...], BeforeValidator(split)]


class Settings(BaseSettings):
    """All settings, valid and complete. Made by `sekisho.settings.load` only."""

    model_config = SettingsConfigDict(
        env_prefix="SEKISHO_",
        env_nested_delimiter="__",
        enable_decoding=False,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
    )

    mode: Mode = "dev"
    database_path: Path = Path()

    host: str = setting("127.0.0.1", "Address to listen on.", "待ち受けるアドレス。", "127.0.0.1", min_length=1)
    port: int = setting(8080, "Port to listen on.", "待ち受けるポート。", "8080", ge=1, le=65535)
    workers: int = setting(
        1,
        "Processes that serve, on one port and with one supervisor; more than one needs PostgreSQL.",
        "1 つのポートで応答するプロセスの数 (監督プロセスが見守ります)。2 以上には PostgreSQL が必要です。",
        "1",
        ge=1,
        le=256,
    )
    public_url: str = setting(
        "",
        "Where browsers reach this server; also the issuer (`iss`). In dev http://localhost:<port>.",
        "ブラウザから見たこのサーバーの URL。発行者 (`iss`) にもなります。dev の既定は http://localhost:<port>。",
        "https://auth.example.com",
    )
    audience: str = setting(
        "",
        "Audience (`aud`) of access tokens; by default the issuer.",
        "アクセストークンの対象 (`aud`)。既定は発行者と同じ。",
        "https://api.example.com",
    )
    product_name: str = setting(
        "Sekisho", "Name in mails and pages.", "メールや画面に出る名前。", "Example", min_length=1, max_length=64
    )
    secret: SecretStr | None = setting(
        None,
        "Master secret: at least 43 random characters. In dev it is made in .sekisho/secret.",
        "マスターシークレット (43 文字以上の乱数)。dev では .sekisho/secret に自動で作られます。",
        "$(openssl rand -base64 32)",
    )
    database_url: str = setting(
        "",
        "SQLite file, or PostgreSQL (14 or newer) as `postgresql://user@host:5432/name`. In dev .sekisho/sekisho.db.",
        "SQLite のファイル、または PostgreSQL (14 以降) の `postgresql://user@host:5432/name`。dev の既定は "
        ".sekisho/sekisho.db。",
        "sqlite:////var/lib/sekisho/sekisho.db",
    )
    database_password: SecretStr | None = setting(
        None,
        "Password for PostgreSQL, for a URL without one.",
        "PostgreSQL のパスワード。URL に書かない場合に使います。",
        "<password of the database user>",
    )
    database_listen_url: str = setting(
        "",
        "PostgreSQL without the pooler, for the connection that listens and for migrations; needed behind PgBouncer.",
        "PgBouncer を通さない PostgreSQL の URL。通知の待ち受けとマイグレーションに使います。PgBouncer 利用時は必須。",
        "postgresql://sekisho@db.example.com:5432/sekisho",
    )
    database_pgbouncer: bool = setting(
        False,
        "PgBouncer in transaction mode stands before PostgreSQL: no statement is kept prepared.",
        "PostgreSQL の前にトランザクションモードの PgBouncer があります。準備済み文を保持しません。",
        "false",
    )
    database_pool_size: int = setting(
        10,
        "Most connections of each worker to PostgreSQL, beside the one that listens.",
        "各ワーカーが PostgreSQL に張る接続の上限 (通知の待ち受け用は別)。",
        "10",
        ge=2,
        le=500,
    )
    database_timeout_ms: int = setting(
        5000,
        "How long a statement, a lock or a free connection of PostgreSQL is waited for, in milliseconds.",
        "PostgreSQL の文の実行、ロック、空き接続を待つ上限 (ミリ秒)。",
        "5000",
        ge=100,
        le=60_000,
    )
    redis_url: SecretStr | None = setting(
        None,
        "Redis or Valkey beside the database: `redis://`, `redis+sentinel://` or `redis+cluster://`, with `rediss` "
        "encrypted. Without it there is none.",
        "データベースに併用する Redis または Valkey。`redis://`、`redis+sentinel://`、`redis+cluster://` (`rediss` は"
        "暗号化)。指定しなければ使いません。",
        "redis://redis.example.com:6379",
    )
    allowed_origins: Words = setting(
        (),
        "Origins of web apps that may call, comma separated. In dev localhost may call on any port.",
        "呼び出しを許す Web アプリのオリジン (カンマ区切り)。dev では localhost の全ポートが許されます。",
        "https://app.example.com,https://www.example.com",
    )
    trusted_proxies: Words = setting(
        (),
        "Networks of proxies whose forwarding headers are believed, comma separated.",
        "転送ヘッダーを信用するプロキシのネットワーク (カンマ区切り)。",
        "127.0.0.1/32",
    )
    metrics: str = setting(
        "auto",
        "Where /metrics answers: `loopback`, `off`, or a private port of its own. `auto` is loopback in dev and off in "
        "serve, where a proxy on the same machine would show it to everybody.",
        "/metrics の公開先。`loopback`、`off`、または専用の内部ポート番号。`auto` は dev で loopback、serve で off "
        "(同じマシンのプロキシ経由で誰にでも見えてしまうため)。",
        "9090",
    )
    places_file: Path | None = setting(
        None,
        "MaxMind database that turns addresses into places.",
        "IP アドレスから地名を引く MaxMind データベース。",
        "/var/lib/sekisho/GeoLite2-City.mmdb",
    )
    jwt: Jwt = Jwt()
    session: SessionLife = SessionLife()
    signup: SignUp = SignUp()
    password: Password = Password()
    limits: Limits = Limits()
    factors: Factors = Factors()
    csrf: Csrf = Csrf()
    mail: MailServer = MailServer()
    sms: Sms = Sms()
    pages: Pages = Pages()
    redis: Redis = Redis()
    anomalies: Anomalies = Anomalies()
    alerts: Alerts = Alerts()
    audit: Audit = Audit()
    log: Log = Log()

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    @property
    def master_secret(self) -> bytes:
        """The master secret as key material for HKDF."""
        assert self.secret is not None, "load() always leaves a secret"
        return self.secret.get_secret_value().encode()

    @property
    def is_postgres(self) -> bool:
        """Whether everything is kept in PostgreSQL; `database_path` means nothing then."""
        return self.database_url.startswith(("postgresql://", "postgres://"))

    @property
    def database_place(self) -> str:
        """Where the database is, for people: a path, or host, port and name without user and password."""
        if not self.is_postgres:
            return str(self.database_path)
        parts = urlsplit(self.database_url)
        return f"{parts.hostname or 'localhost'}:{parts.port or 5432}{parts.path}"

    @property
    def audit_head_file(self) -> Path | None:
        """Where the newest head of the audit trail is kept, if anywhere."""
        if self.audit.head_file is not None or self.is_postgres:
            return self.audit.head_file
        return self.database_path.with_suffix(".audit-head")

    @property
    def metrics_port(self) -> int | None:
        """The private port of /metrics, if it has one."""
        return int(self.metrics) if self.metrics.isdigit() else None

    @property
    def redis_address(self) -> RedisAddress | None:
        """Where Redis is, None if there is none. Raises `NotARedisUrl` for a URL that `load` would have refused."""
        if self.redis_url is not None:
            return parse_redis_url(self.redis_url.get_secret_value())
        if not self.redis.host:
            return None
        password = self.redis.password.get_secret_value() if self.redis.password is not None else ""
        return RedisAddress(kind="single", nodes=((self.redis.host, self.redis.port or REDIS_PORT),), password=password)

    def origin_of(self, path: str) -> str:
        """Return who gave the value under this path, in words; `default` if nobody did."""
        return self._origins.get(path, "default")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Believe only what `load` hands over: it alone decides which source wins and remembers it."""
        return (init_settings,)

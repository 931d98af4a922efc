"""Every setting of the server: its type, default, bounds and meaning, once.

The variable of a setting is its path in capitals under `SEKISHO_`, with `__` between group and
name: `jwt.access_minutes` is `SEKISHO_JWT__ACCESS_MINUTES`. The reference page, `sekisho config`
and every complaint about a value are made from these classes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from sekisho.settings.redis_address import REDIS_PORT, RedisAddress, parse_redis_url

Mode = Literal["dev", "serve"]


def _setting(default: Any, en: str, ja: str, example: str, **bounds: Any) -> Any:
    """Return a field that knows its meaning in both languages and a value that works."""
    return Field(default, description=en, json_schema_extra={"ja": ja, "example": example}, **bounds)


def _split(value: object) -> object:
    """Turn `a, b` into `("a", "b")`; anything that is not text passes through."""
    if isinstance(value, str):
        return tuple(part for part in (piece.strip() for piece in value.split(",")) if part)
    return value


Words = Annotated[tuple[str, ...], BeforeValidator(_split)]
TOKEN = r"^[A-Za-z0-9_-]{1,64}$"  # noqa: S105 - the shape of a cookie or header name


class Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Jwt(Group):
    algorithm: Literal["ES256", "Ed25519", "RS256", "HS256"] = _setting(
        "ES256",
        "Signature of access tokens. HS256 needs `SEKISHO_JWT__SECRET_KEY`, which selects it.",
        "アクセストークンの署名方式。HS256 は `SEKISHO_JWT__SECRET_KEY` を設定すると選ばれます。",
        "ES256",
    )
    secret_key: SecretStr | None = _setting(
        None,
        "Shared key for HS256, at least 32 bytes; guards need the same value.",
        "HS256 の共有鍵 (32 バイト以上)。トークンを検証する側にも同じ値を設定します。",
        "$(openssl rand -base64 32)",
    )
    access_minutes: int = _setting(
        15, "Life of an access token in minutes.", "アクセストークンの有効期間 (分)。", "15", ge=5, le=60
    )
    claims: Annotated[tuple[Literal["email", "roles"], ...], BeforeValidator(_split)] = _setting(
        (),
        "Extra claims in access tokens, comma separated: `email`, `roles`.",
        "アクセストークンに加えるクレーム。`email` と `roles` をカンマ区切りで指定します。",
        "email,roles",
    )
    rotate_days: int = _setting(
        90,
        "Age in days at which a signing key makes way for the next one.",
        "署名鍵を次の鍵へ切り替えるまでの日数。",
        "90",
        ge=1,
        le=3650,
    )


class SessionLife(Group):
    idle_days: int = _setting(
        30,
        "A session ends after this many days without use.",
        "この日数のあいだ使われないとセッションは終了します。",
        "30",
        ge=1,
        le=365,
    )
    absolute_days: int = _setting(
        90,
        "A session ends this many days after sign-in, however much it is used.",
        "利用の有無にかかわらず、サインインからこの日数でセッションは終了します。",
        "90",
        ge=1,
        le=3650,
    )
    max_per_account: int = _setting(
        5,
        "Live sessions per account; one more ends the one that was unused the longest.",
        "アカウントあたりの同時セッション数。超えると最も長く使われていないものが終了します。",
        "5",
        ge=1,
        le=1000,
    )
    grace_seconds: int = _setting(
        60,
        "How long the previous refresh token still gets the same successor.",
        "一つ前のリフレッシュトークンに同じ後継トークンを返す猶予 (秒)。",
        "60",
        ge=0,
        le=600,
    )


class SignUp(Group):
    reveal_existing: bool = _setting(
        False,
        "Answer `email_already_exists` at sign-up. Anybody can then find out who has an account.",
        "サインアップ時に `email_already_exists` を返します。登録の有無を誰でも調べられるようになります。",
        "false",
    )


class Password(Group):
    profile: Literal["standard", "strict", "legacy"] = _setting(
        "standard", "Rules for new passwords.", "新しいパスワードに適用する規則。", "standard"
    )
    hash: Literal["standard", "low_memory", "one_pass", "strong", "bcrypt"] = _setting(
        "standard",
        "How new passwords are hashed: argon2id in four costs, or bcrypt, where a password has at most 72 bytes.",
        "新しいパスワードのハッシュ方式。argon2id の 4 段階、または bcrypt (パスワードは 72 バイトまで)。",
        "standard",
    )
    pepper: SecretStr | None = _setting(
        None,
        "Key that goes into every new password hash, at least 43 random characters, kept apart from the database and "
        "its backups. If it is lost, everybody needs a password reset.",
        "新しいパスワードハッシュに加える鍵 (43 文字以上の乱数)。データベースやバックアップとは別に保管します。失うと、"
        "全員にパスワードの再設定が必要になります。",
        "$(openssl rand -base64 32)",
    )
    previous_pepper: SecretStr | None = _setting(
        None,
        "The pepper before this one: its hashes still verify and move to the new one at the next login.",
        "一つ前の鍵。その鍵のハッシュも引き続き検証でき、次のログインで新しい鍵のものに替わります。",
        "<the pepper until now>",
    )
    threads: int | None = _setting(
        None,
        "Threads of each worker that hash passwords; by default the cores are shared out among the workers.",
        "各ワーカーでパスワードをハッシュするスレッド数。既定ではコアの数をワーカーで分け合います。",
        "2",
        ge=1,
        le=256,
    )
    queue: int | None = _setting(
        None,
        "Hashes that may wait for a thread of a worker, beyond which the answer is 503; by default 32 per thread.",
        "各ワーカーでスレッドの空きを待てるハッシュ計算の数。超えると 503 を返します。既定はスレッドあたり 32。",
        "64",
        ge=1,
        le=100_000,
    )


class Limits(Group):
    login_failures: int = _setting(
        5,
        "Failed logins per identifier and network within `SEKISHO_LIMITS__LOGIN_MINUTES`.",
        "識別子とネットワークの組ごとに `SEKISHO_LIMITS__LOGIN_MINUTES` の間に許すログイン失敗の回数。",
        "5",
        ge=1,
        le=1000,
    )
    login_network_failures: int = _setting(
        50,
        "Failed logins per network within `SEKISHO_LIMITS__LOGIN_MINUTES`.",
        "ネットワークごとに `SEKISHO_LIMITS__LOGIN_MINUTES` の間に許すログイン失敗の回数。",
        "50",
        ge=1,
        le=100_000,
    )
    login_minutes: int = _setting(
        5, "Window of the login limits in minutes.", "ログイン制限の期間 (分)。", "5", ge=1, le=1440
    )
    login_failures_per_day: int = _setting(
        20,
        "Failed logins per identifier and day over all networks, from which a growing delay begins.",
        "全ネットワーク合計で、識別子ごとに 1 日のログイン失敗がこの回数に達すると待ち時間が延びていきます。",
        "20",
        ge=1,
        le=10_000,
    )
    code_sends: int = _setting(
        3,
        "Codes sent to one address within `SEKISHO_LIMITS__CODE_MINUTES`.",
        "一つの宛先に `SEKISHO_LIMITS__CODE_MINUTES` の間に送るコードの数。",
        "3",
        ge=1,
        le=100,
    )
    code_network_sends: int = _setting(
        20,
        "Codes sent for one network within `SEKISHO_LIMITS__CODE_MINUTES`.",
        "一つのネットワークに対して `SEKISHO_LIMITS__CODE_MINUTES` の間に送るコードの数。",
        "20",
        ge=1,
        le=100_000,
    )
    code_minutes: int = _setting(
        5, "Window of the code limits in minutes.", "コード送信制限の期間 (分)。", "5", ge=1, le=1440
    )
    code_sends_per_day: int = _setting(
        10, "Codes sent to one address per day.", "一つの宛先に 1 日に送るコードの数。", "10", ge=1, le=1000
    )
    code_tries: int = _setting(
        5, "Wrong tries that kill a code.", "コードが無効になるまでの入力間違いの回数。", "5", ge=1, le=10
    )
    code_failures_per_day: int = _setting(
        20,
        "Wrong tries per address and day over all its codes.",
        "宛先ごとに、すべてのコードを通じて 1 日に許す入力間違いの回数。",
        "20",
        ge=1,
        le=1000,
    )
    factor_failures: int = _setting(
        10,
        "Wrong second factors per account and network within `SEKISHO_LIMITS__LOGIN_MINUTES`.",
        "アカウントとネットワークの組ごとに `SEKISHO_LIMITS__LOGIN_MINUTES` の間に許す第二要素の間違いの回数。",
        "10",
        ge=1,
        le=1000,
    )
    factor_failures_per_day: int = _setting(
        20,
        "Wrong second factors per account and day over all networks, from which a growing delay begins.",
        "全ネットワーク合計で、アカウントごとに 1 日の第二要素の間違いがこの回数に達すると待ち時間が延びていきます。",
        "20",
        ge=1,
        le=10_000,
    )


class Factors(Group):
    kinds: Annotated[tuple[Literal["totp", "email"], ...], BeforeValidator(_split)] = _setting(
        ("totp", "email"),
        "Second factors that people may enrol, comma separated: `totp` (an authenticator app), `email` (codes by mail, "
        "which never raise the level of assurance). Those enrolled already go on.",
        "利用者が登録できる第二要素をカンマ区切りで指定します。`totp` (認証アプリ) と "
        "`email` (メールのコード。保証レベルは上がりません)。"
        "登録済みのものはそのまま使えます。",
        "totp",
    )
    fresh_minutes: int = _setting(
        5,
        "How long ago a person may have signed in or stepped up for calls that change how one comes in.",
        "サインインの方法を変える操作で、最後のサインインまたは再認証から経過していてよい時間 (分)。",
        "5",
        ge=1,
        le=1440,
    )


class Csrf(Group):
    cookie_name: str = _setting(
        "csrftoken",
        "Name of the readable CSRF cookie.",
        "読み取り可能な CSRF クッキーの名前。",
        "csrftoken",
        pattern=TOKEN,
    )
    header_name: str = _setting(
        "X-CSRFToken",
        "Header that repeats its value.",
        "その値を送り返すヘッダーの名前。",
        "X-CSRFToken",
        pattern=TOKEN,
    )


class MailServer(Group):
    host: str = _setting(
        "",
        "SMTP server. `sekisho dev` catches mail itself and does not use it.",
        "SMTP サーバー。`sekisho dev` はメールを自分で受け取るため使いません。",
        "smtp.example.com",
    )
    port: int | None = _setting(
        None,
        "SMTP port; by default 587 with starttls, 465 with tls, 25 with off.",
        "SMTP のポート。既定は starttls で 587、tls で 465、off で 25。",
        "587",
        ge=1,
        le=65535,
    )
    user: str = _setting("", "SMTP user name.", "SMTP のユーザー名。", "mailer")
    password: SecretStr | None = _setting(None, "SMTP password.", "SMTP のパスワード。", "<password of the SMTP user>")
    sender: str = _setting(
        "",
        "Address that mail comes from.",
        "メールの差出人アドレス。",
        "Sekisho <no-reply@example.com>",
        validation_alias="from",
    )
    tls: Literal["starttls", "tls", "off"] = _setting(
        "starttls", "How the connection to the SMTP server is protected.", "SMTP 接続の保護方式。", "starttls"
    )

    @property
    def actual_port(self) -> int:
        """The port to connect to: the given one, or the usual one of the TLS mode."""
        return self.port or {"starttls": 587, "tls": 465, "off": 25}[self.tls]


class Pages(Group):
    enabled: bool = _setting(
        True,
        "Pages for people: sign-in, sign-up and the account. Off, the server speaks to programs alone.",
        "利用者向けの画面 (サインイン、アカウントの作成、アカウント)。オフにすると API だけになります。",
        "false",
    )
    docs: Literal["on", "off", "auto"] = _setting(
        "auto",
        "The reference of the API as a page, under /docs. `auto` is on in dev and off in serve.",
        "API リファレンスのページ (/docs)。`auto` は dev でオン、serve でオフ。",
        "on",
    )


class Redis(Group):
    sessions: bool = _setting(
        False,
        "Let Redis decide refreshes (the session engine). It must keep an append-only file and evict nothing.",
        "リフレッシュの判定を Redis に任せます (セッションエンジン)。追記専用ファイルと noeviction が必要です。",
        "true",
    )
    host: str = _setting(
        "",
        "Redis or Valkey server, instead of `SEKISHO_REDIS_URL`.",
        "`SEKISHO_REDIS_URL` の代わりに指定する Redis または Valkey のサーバー。",
        "redis.example.com",
    )
    port: int | None = _setting(None, "Its port; by default 6379.", "そのポート。既定は 6379。", "6379", ge=1, le=65535)
    password: SecretStr | None = _setting(None, "Its password.", "そのパスワード。", "<password of Redis>")


class Anomalies(Group):
    note_from: int = _setting(
        20,
        "Score of an unusual sign-in from which it is noted in the audit trail; 0 never.",
        "普段と異なるサインインを監査記録に残すスコア。0 なら残しません。",
        "20",
        ge=0,
        le=100,
    )
    mail_from: int = _setting(
        40,
        "Score from which its owner is told by mail; 0 never.",
        "本人にメールで知らせるスコア。0 なら知らせません。",
        "30",
        ge=0,
        le=100,
    )
    refuse_from: int = _setting(
        0,
        "Score from which it is refused like a wrong password, and its owner told; 0 never.",
        "間違ったパスワードと同じように拒否し、本人に知らせるスコア。0 なら拒否しません。",
        "80",
        ge=0,
        le=100,
    )


class Audit(Group):
    head_file: Path | None = _setting(
        None,
        "File that holds the newest signed head of the audit trail; by default beside the SQLite file. Keep it where "
        "those who can change the database cannot: it shows whether the trail's end was cut off.",
        "監査記録の最新の署名付き先頭 (head) を書くファイル。既定は SQLite ファイルの隣。末尾の削除を検出するためのもの"
        "なので、データベースを変更できる人が触れない場所に置きます。",
        "/var/log/sekisho/audit-head",
    )
    personal_days: int = _setting(
        180,
        "Days after which addresses, places and devices are blanked in the audit trail; 0 keeps them.",
        "監査記録の IP アドレス、地名、端末情報を消すまでの日数。0 なら消しません。",
        "90",
        ge=0,
        le=3650,
    )
    keep_days: int = _setting(
        730,
        "Days after which records of the audit trail are deleted; 0 keeps them.",
        "監査記録そのものを削除するまでの日数。0 なら削除しません。",
        "365",
        ge=0,
        le=36_500,
    )


class Log(Group):
    level: Literal["debug", "info", "warning", "error"] = _setting(
        "info", "Least severity that is logged.", "出力するログの最低レベル。", "info"
    )
    format: Literal["console", "json", "auto"] = _setting(
        "auto",
        "Form of the log; `auto` is console in dev and json in serve.",
        "ログの形式。`auto` は dev で console、serve で json。",
        "json",
    )


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

    host: str = _setting("127.0.0.1", "Address to listen on.", "待ち受けるアドレス。", "127.0.0.1", min_length=1)
    port: int = _setting(8080, "Port to listen on.", "待ち受けるポート。", "8080", ge=1, le=65535)
    workers: int = _setting(
        1,
        "Processes that serve, on one port and with one supervisor; more than one needs PostgreSQL.",
        "1 つのポートで応答するプロセスの数 (監督プロセスが見守ります)。2 以上には PostgreSQL が必要です。",
        "1",
        ge=1,
        le=256,
    )
    public_url: str = _setting(
        "",
        "Where browsers reach this server; also the issuer (`iss`). In dev http://localhost:<port>.",
        "ブラウザから見たこのサーバーの URL。発行者 (`iss`) にもなります。dev の既定は http://localhost:<port>。",
        "https://auth.example.com",
    )
    audience: str = _setting(
        "",
        "Audience (`aud`) of access tokens; by default the issuer.",
        "アクセストークンの対象 (`aud`)。既定は発行者と同じ。",
        "https://api.example.com",
    )
    product_name: str = _setting(
        "Sekisho", "Name in mails and pages.", "メールや画面に出る名前。", "Example", min_length=1, max_length=64
    )
    secret: SecretStr | None = _setting(
        None,
        "Master secret: at least 43 random characters. In dev it is made in .sekisho/secret.",
        "マスターシークレット (43 文字以上の乱数)。dev では .sekisho/secret に自動で作られます。",
        "$(openssl rand -base64 32)",
    )
    database_url: str = _setting(
        "",
        "SQLite file, or PostgreSQL (14 or newer) as `postgresql://user@host:5432/name`. In dev .sekisho/sekisho.db.",
        "SQLite のファイル、または PostgreSQL (14 以降) の `postgresql://user@host:5432/name`。dev の既定は "
        ".sekisho/sekisho.db。",
        "sqlite:////var/lib/sekisho/sekisho.db",
    )
    database_password: SecretStr | None = _setting(
        None,
        "Password for PostgreSQL, for a URL without one.",
        "PostgreSQL のパスワード。URL に書かない場合に使います。",
        "<password of the database user>",
    )
    database_listen_url: str = _setting(
        "",
        "PostgreSQL without the pooler, for the connection that listens and for migrations; needed behind PgBouncer.",
        "PgBouncer を通さない PostgreSQL の URL。通知の待ち受けとマイグレーションに使います。PgBouncer 利用時は必須。",
        "postgresql://sekisho@db.example.com:5432/sekisho",
    )
    database_pgbouncer: bool = _setting(
        False,
        "PgBouncer in transaction mode stands before PostgreSQL: no statement is kept prepared.",
        "PostgreSQL の前にトランザクションモードの PgBouncer があります。準備済み文を保持しません。",
        "false",
    )
    database_pool_size: int = _setting(
        10,
        "Most connections of each worker to PostgreSQL, beside the one that listens.",
        "各ワーカーが PostgreSQL に張る接続の上限 (通知の待ち受け用は別)。",
        "10",
        ge=2,
        le=500,
    )
    database_timeout_ms: int = _setting(
        5000,
        "How long a statement, a lock or a free connection of PostgreSQL is waited for, in milliseconds.",
        "PostgreSQL の文の実行、ロック、空き接続を待つ上限 (ミリ秒)。",
        "5000",
        ge=100,
        le=60_000,
    )
    redis_url: SecretStr | None = _setting(
        None,
        "Redis or Valkey beside the database: `redis://`, `redis+sentinel://` or `redis+cluster://`, with `rediss` "
        "encrypted. Without it there is none.",
        "データベースに併用する Redis または Valkey。`redis://`、`redis+sentinel://`、`redis+cluster://` (`rediss` は"
        "暗号化)。指定しなければ使いません。",
        "redis://redis.example.com:6379",
    )
    allowed_origins: Words = _setting(
        (),
        "Origins of web apps that may call, comma separated. In dev localhost may call on any port.",
        "呼び出しを許す Web アプリのオリジン (カンマ区切り)。dev では localhost の全ポートが許されます。",
        "https://app.example.com,https://www.example.com",
    )
    trusted_proxies: Words = _setting(
        (),
        "Networks of proxies whose forwarding headers are believed, comma separated.",
        "転送ヘッダーを信用するプロキシのネットワーク (カンマ区切り)。",
        "127.0.0.1/32",
    )
    metrics: str = _setting(
        "auto",
        "Where /metrics answers: `loopback`, `off`, or a private port of its own. `auto` is loopback in dev and off in "
        "serve, where a proxy on the same machine would show it to everybody.",
        "/metrics の公開先。`loopback`、`off`、または専用の内部ポート番号。`auto` は dev で loopback、serve で off "
        "(同じマシンのプロキシ経由で誰にでも見えてしまうため)。",
        "9090",
    )
    places_file: Path | None = _setting(
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
    pages: Pages = Pages()
    redis: Redis = Redis()
    anomalies: Anomalies = Anomalies()
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

"""What `doctor` looks at: each check is a function that says what it found and how to put it right."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import aiosmtplib
import apsw
from msgspec import Struct

from sekisho.admin.world import OperatorWorld
from sekisho.audit.shipping import waiting_since
from sekisho.cli.texts import say
from sekisho.model import KeyState
from sekisho.passwords.compliance import Facts, departures
from sekisho.ports.changes import CountTry
from sekisho.ports.clock import CLOCK_SKEW_MS
from sekisho.ports.storage import AuditFilter, StoreUnavailable
from sekisho.settings import Settings, describe
from sekisho.storage.revision import SCHEMA_REVISION
from sekisho.storage.sqlite.connections import explained, open_reader, open_to_others
from sekisho.times import iso_time

if TYPE_CHECKING:
    from sekisho.delivery.webhooks.https_post import HttpsPost

DAY_MS = 86_400_000
MB = 1024 * 1024
WANTED_FREE_MB = 200
# The first release without the bug that could lose WAL frames after a reset.
SAFE_SQLITE = (3, 51, 3)
# A batch is shipped within seconds; a sink that restarts is no problem yet.
SINK_TOLERANCE_MS = 5 * 60_000
SMTP_TIMEOUT_S = 5.0
# Reserved by RFC 2606 section 3: nobody has an address there.
EXAMPLE_DOMAIN = "example.com"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Check(Struct, frozen=True, kw_only=True):
    """One line of the report. `fix` is "" unless `state` is `problem`."""

    name: str
    state: Literal["ok", "problem", "skipped"] = "ok"
    text: str
    fix: str = ""


def problem(name: str, text: str, fix: str) -> Check:
    return Check(name=name, state="problem", text=text, fix=fix)


async def checks_of_database(world: OperatorWorld, settings: Settings) -> AsyncIterator[Check]:
    """Yield the checks that need the open database."""
    path = settings.database_place
    yield Check(name="database", text=say("doctor.database_ok", path=path, revision=SCHEMA_REVISION))
    checks: tuple[Callable[[OperatorWorld, Settings], Coroutine[Any, Any, Check]], ...] = (
        _writable,
        _postgres if settings.is_postgres else _sqlite,
        _clock,
        _outbox,
        _audit_sink,
        _keys,
    )
    for check in checks:
        try:
            yield await check(world, settings)
        except StoreUnavailable as error:
            yield problem(
                check.__name__.lstrip("_"),
                say("doctor.not_writable", detail=error),
                say("doctor.postgres_fix" if settings.is_postgres else "doctor.not_writable_fix", path=path),
            )
    yield _profile(world, settings)


async def checks_around(settings: Settings) -> AsyncIterator[Check]:
    """Yield the checks that need no database."""
    yield _examples(settings)
    if not settings.is_postgres:
        yield _files(settings)
        yield _disk(settings)
    yield await _smtp(settings)
    yield await _sms(settings)
    yield await _alerts(settings)
    yield _url(settings)


async def _writable(world: OperatorWorld, settings: Settings) -> Check:
    # A bucket of its own that nothing asks and the next purge forgets.
    bucket = CountTry(key=b"doctor", limit=sys.maxsize >> 1, window_ms=1, now=world.clock.now())
    await world.store.apply(bucket)
    return Check(name="writable", text=say("doctor.writable"))


async def _sqlite(world: OperatorWorld, settings: Settings) -> Check:
    version = apsw.sqlite_lib_version()
    if tuple(int(part) for part in version.split(".")[:3]) < SAFE_SQLITE:
        return problem("sqlite", say("doctor.sqlite_old", version=version), say("doctor.sqlite_old_fix"))
    with explained(settings.database_path):
        reader = open_reader(settings.database_path)
        try:
            mode = reader.pragma("journal_mode")
        finally:
            reader.close()
    if mode != "wal":
        return problem("sqlite", say("doctor.not_wal", mode=mode), say("doctor.not_wal_fix"))
    return Check(name="sqlite", text=say("doctor.sqlite", version=version, mode=mode))


async def _postgres(world: OperatorWorld, settings: Settings) -> Check:
    from sekisho.assemble.stores import postgres_target
    from sekisho.storage.postgres.examination import examine

    seen = await examine(postgres_target(settings), world.clock.now)
    if abs(seen.clock_ahead_ms) > CLOCK_SKEW_MS:
        text = say("doctor.postgres_clock", seconds=round(seen.clock_ahead_ms / 1000))
        return problem("postgres", text, say("doctor.clock_fix", seconds=CLOCK_SKEW_MS // 1000))
    # One of each worker is for listening, and as many again for the node that takes this one's place.
    of_one_node = settings.workers * (settings.database_pool_size + 1)
    wanted = 2 * of_one_node
    if wanted > seen.most_connections:
        text = say("doctor.postgres_connections", wanted=wanted, most=seen.most_connections)
        return problem("postgres", text, say("doctor.postgres_connections_fix"))
    nodes = seen.most_connections // of_one_node
    return Check(name="postgres", text=say("doctor.postgres", version=seen.version, nodes=nodes))


async def _clock(world: OperatorWorld, settings: Settings) -> Check:
    now = world.clock.now()
    newest = await world.store.list_audit(AuditFilter(limit=1))
    if newest and newest[0].at > now + CLOCK_SKEW_MS:
        text = say("doctor.clock_behind", now=iso_time(now), newest=iso_time(newest[0].at))
        return problem("clock", text, say("doctor.clock_fix", seconds=CLOCK_SKEW_MS // 1000))
    return Check(name="clock", text=say("doctor.clock"))


async def _outbox(world: OperatorWorld, settings: Settings) -> Check:
    counts = await world.store.counts()
    waiting, given_up = counts["mail_waiting"], counts["mail_given_up"]
    if given_up:
        text = say("doctor.outbox_given_up", waiting=waiting, given_up=given_up)
        return problem("outbox", text, say("doctor.outbox_fix"))
    return Check(name="outbox", text=say("doctor.outbox", waiting=waiting))


async def _audit_sink(world: OperatorWorld, settings: Settings) -> Check:
    if not settings.audit.sink:
        return Check(name="audit_sink", state="skipped", text=say("doctor.sink_none"))
    since = await waiting_since(world.store)
    behind_ms = world.clock.now() - since if since is not None else 0
    if since is not None and behind_ms > SINK_TOLERANCE_MS:
        text = say("doctor.sink_behind", minutes=behind_ms // 60_000, since=iso_time(since))
        return problem("audit_sink", text, say("doctor.sink_fix"))
    return Check(name="audit_sink", text=say("doctor.sink"))


async def _keys(world: OperatorWorld, settings: Settings) -> Check:
    if settings.jwt.algorithm == "HS256":
        return Check(name="keys", text=say("doctor.keys_symmetric"))
    keys = await world.store.list_signing_keys()
    if not keys:
        return Check(name="keys", text=say("doctor.keys_none"))
    active = next((key for key in keys if key.state is KeyState.ACTIVE), None)
    if active is None:
        return problem("keys", say("doctor.keys_missing"), say("doctor.keys_missing_fix"))
    days = max(0, world.clock.now() - (active.activated_at or active.created_at)) // DAY_MS
    # One day more than the limit: a running server rotates within hours.
    if days > settings.jwt.rotate_days:
        text = say("doctor.keys_old", days=days, limit=settings.jwt.rotate_days)
        return problem("keys", text, say("doctor.keys_old_fix"))
    return Check(name="keys", text=say("doctor.keys", kid=active.kid, days=days))


def _profile(world: OperatorWorld, settings: Settings) -> Check:
    password = settings.password
    found = departures(
        Facts(
            policy=world.policy,
            hash=password.hash,
            knows_breached=password.breached_file is not None or password.breached_url is not None,
            has_pepper=password.pepper is not None,
        )
    )
    if found:
        text = say("doctor.profile_deviates", profile=world.policy.profile, deviations="; ".join(found))
    else:
        text = say("doctor.profile", profile=world.policy.profile)
    return Check(name="password_profile", text=text)


def _examples(settings: Settings) -> Check:
    """In dev nothing has to be edited."""
    given = [row for row in describe(settings) if settings.mode == "serve" and row.origin != "default"]
    left = [row.variable for row in given if EXAMPLE_DOMAIN in row.value]
    if settings.mail.password is not None and settings.mail.password.get_secret_value().startswith("<password of"):
        left.append("SEKISHO_MAIL__PASSWORD")
    if settings.sms.token is not None and "<token of" in settings.sms.token.get_secret_value():
        left.append("SEKISHO_SMS__TOKEN")
    if left:
        return problem("examples", say("doctor.examples", variables=", ".join(left)), say("doctor.examples_fix"))
    return Check(name="examples", text=say("doctor.examples_none"))


def _files(settings: Settings) -> Check:
    open_files = open_to_others(settings.database_path)
    secret = settings.database_path.parent / "secret"
    if settings.mode == "dev" and secret.exists() and secret.stat().st_mode & 0o077:
        open_files.append(secret)
    if open_files:
        names = " ".join(shlex.quote(str(file)) for file in open_files)
        return problem("files", say("doctor.files_open", files=names), say("doctor.files_fix", files=names))
    return Check(name="files", text=say("doctor.files"))


def _disk(settings: Settings) -> Check:
    free = shutil.disk_usage(_existing(settings.database_path)).free // MB
    if free < WANTED_FREE_MB:
        return problem("disk", say("doctor.disk_low", free=free), say("doctor.disk_fix", wanted=WANTED_FREE_MB))
    return Check(name="disk", text=say("doctor.disk", free=free))


def _existing(path: Path) -> Path:
    return next(folder for folder in path.parents if folder.exists())


async def _smtp(settings: Settings) -> Check:
    if settings.mode == "dev":
        return Check(name="smtp", state="skipped", text=say("doctor.smtp_skipped"))
    mail = settings.mail
    where = {"host": mail.host, "port": mail.actual_port}
    client = aiosmtplib.SMTP(
        hostname=mail.host,
        port=mail.actual_port,
        username=mail.user or None,
        password=mail.password.get_secret_value() if mail.password else None,
        local_hostname="localhost",
        timeout=SMTP_TIMEOUT_S,
        use_tls=mail.tls == "tls",
        start_tls=mail.tls == "starttls",
    )
    try:
        async with client:
            pass
    except (aiosmtplib.SMTPException, OSError) as error:
        text = say("doctor.smtp_down", detail=" ".join(str(error).split())[:200], **where)
        return problem("smtp", text, say("doctor.smtp_fix"))
    return Check(name="smtp", text=say("doctor.smtp", **where))


async def _sms(settings: Settings) -> Check:
    """Connect to the gateway for text messages, and send nothing: a message would cost money."""
    if not settings.sms.url:
        is_caught = settings.mode == "dev" and "sms" in settings.factors.kinds
        return Check(name="sms", state="skipped", text=say("doctor.sms_caught" if is_caught else "doctor.sms_none"))
    from sekisho.assemble.posts import gateway_post

    return await _reached("sms", settings.sms.url, gateway_post(settings), limit=settings.sms.sends_per_day)


async def _alerts(settings: Settings) -> Check:
    """Connect to the receiver of alerts, and send nothing: it could be taken for an alert, or for a forged one."""
    if not settings.alerts.url:
        return Check(name="alerts", state="skipped", text=say("doctor.alerts_none"))
    from sekisho.assemble.posts import alerts_post

    return await _reached("alerts", settings.alerts.url, alerts_post(settings), least=settings.alerts.least)


async def _reached(name: str, url: str, post: HttpsPost, **values: str | int) -> Check:
    """Say whether a connection comes about, with TLS where it is spoken. The path may hold a secret: the host alone is
    named."""
    from sekisho.delivery.webhooks.https_post import PostFailed

    host = urlsplit(url).netloc
    try:
        await post.check()
    except (PostFailed, OSError) as error:
        is_inside = isinstance(error, PostFailed)
        detail = " ".join(str(error).split())[:200] or type(error).__name__
        text = say(f"doctor.{name}_down", host=host, detail=detail)
        return problem(name, text, say(f"doctor.{name}_inside_fix" if is_inside else f"doctor.{name}_fix"))
    return Check(name=name, text=say(f"doctor.{name}", host=host, **values))


def _url(settings: Settings) -> Check:
    """Behind a proxy the two ports differ rightly; on this machine itself there is no proxy to be expected."""
    parts = urlsplit(settings.public_url)
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    if parts.scheme == "http" and parts.hostname in _LOOPBACK and port != settings.port:
        text = say("doctor.url_port", url=settings.public_url, port=settings.port)
        return problem("public_url", text, say("doctor.url_port_fix", port=settings.port, wanted=port))
    text = say("doctor.url", url=settings.public_url, host=settings.host, port=settings.port)
    return Check(name="public_url", text=text)

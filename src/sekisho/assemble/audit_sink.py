"""Where the audit trail is shipped to, and alerts, by the settings."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from sekisho.alerts import Severity, alerts_channel
from sekisho.audit.shipping import Channel, Demanding, Source
from sekisho.delivery.audit_file import FileSink
from sekisho.delivery.audit_syslog import SyslogSink, tls_by
from sekisho.ports.audit_sink import AuditSink
from sekisho.ports.clock import Clock
from sekisho.ports.storage import Store
from sekisho.settings import Settings
from sekisho.settings.sink_address import parse_sink_url
from sekisho.storage.reads import GENERATION

MINUTE_MS = 60_000


def make_sink(settings: Settings) -> AuditSink | None:
    """Return what takes the trail, None if it is not shipped. Opens nothing."""
    if not settings.audit.sink:
        return None
    address = parse_sink_url(settings.audit.sink)
    if address.kind == "file":
        return FileSink(Path(address.path))
    tls = tls_by(address.authority_file) if address.kind == "syslog+tls" else None
    return SyslogSink(address.host, address.port, tls)


def make_alerts(settings: Settings, clock: Clock) -> tuple[AuditSink, Channel] | None:
    """Return what takes alerts and which, None if nobody is told. Opens nothing."""
    alerts = settings.alerts
    if not alerts.url or alerts.secret is None:
        return None
    # Its library is loaded only where somebody is told.
    posts = import_module("sekisho.assemble.posts")
    webhook: AuditSink = posts.alert_webhook(settings, alerts.secret.get_secret_value(), clock)
    return webhook, alerts_channel(Severity(alerts.least), clock)


async def sink_source(settings: Settings, store: Store) -> Source:
    """Return what names this installation in every line."""
    return Source(settings.public_url, await store.find_meta(GENERATION) or "")


def demanding(store: Store, clock: Clock, settings: Settings) -> Store:
    """Return a store that refuses what must leave a trace elsewhere while the sink is too far behind, if it shall."""
    audit = settings.audit
    if not audit.sink or not audit.sink_demand_minutes:
        return store
    return Demanding.around(store, clock, audit.sink_demand_minutes * MINUTE_MS)

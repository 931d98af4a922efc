"""Bodies about sessions and what happened in them, as DESIGN section 8 fixes them."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, Struct, UnsetType

from sekisho.http.wire import UserView
from sekisho.model import AuditRecord, Session, Transport
from sekisho.times import iso_time


class DeviceView(Struct, frozen=True):
    name: str
    os: str
    browser: str
    type: str


class SessionView(Struct, frozen=True):
    """Times are RFC 3339. `place` is "" where the operator has no place file."""

    id: str
    client_id: str
    transport: Transport
    device: DeviceView
    ip: str
    place: str
    created_at: str
    last_seen_at: str
    expires_at: str
    amr: tuple[str, ...]
    current: bool


class SessionListView(Struct, frozen=True):
    sessions: list[SessionView]


class HistoryEventView(Struct, frozen=True):
    """`at` is RFC 3339. `event` and `method` are words of the audit vocabulary; `place` and `device` are hints."""

    event: str
    outcome: str
    method: str
    at: str
    ip: str
    place: str
    device: str


class HistoryView(Struct, frozen=True):
    """`next` goes into `after` for the page that follows; null at the end."""

    events: list[HistoryEventView]
    next: str | None


class ProvenSessionView(SessionView, frozen=True, kw_only=True):
    """`auth_time` is when its owner last proved to be the one (RFC 3339), `acr` how well. `acr_required`: what the role
    or the app requires and was not shown; the roles that it guards are left out until then."""

    auth_time: str
    acr: str
    acr_required: str | UnsetType = UNSET


class CurrentSessionView(Struct, frozen=True):
    user: UserView
    session: ProvenSessionView


def history_event_view(record: AuditRecord) -> HistoryEventView:
    return HistoryEventView(
        event=record.event,
        outcome=record.outcome,
        method=record.method,
        at=iso_time(record.at),
        ip=record.ip,
        place=record.place,
        device=record.device,
    )


def session_view(session: Session, current_id: str) -> SessionView:
    device = session.device
    return SessionView(
        id=session.id,
        client_id=session.client_id,
        transport=session.transport,
        device=DeviceView(name=device.name, os=device.os, browser=device.browser, type=device.type),
        ip=session.ip,
        place=session.place,
        created_at=iso_time(session.created_at),
        last_seen_at=iso_time(session.last_seen_at),
        expires_at=iso_time(min(session.idle_expires_at, session.expires_at)),
        amr=session.amr,
        current=session.id == current_id,
    )


def proven_session_view(session: Session, acr_required: str) -> ProvenSessionView:
    """Return what the caller sees of its own session."""
    seen = msgspec.structs.asdict(session_view(session, session.id))
    return ProvenSessionView(
        **seen, auth_time=iso_time(session.auth_time_at), acr=session.acr, acr_required=acr_required or UNSET
    )

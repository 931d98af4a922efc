"""Moves: a session that is used from another network than before is looked at, at a refresh or with its cookie.

    same network? nothing, not even a read -> seen there before by this process? nothing
    -> judge: one read -> note, mail, forget the proof, or end the session: one commit

A stolen token moves to the thief's network. So does the owner's telephone, all day: a move by itself is noted and
nothing more. What weighs more wants the owner to prove anew before anything sensitive (`auth_time` is forgotten), or
ends the session, by the operator's policy.

Spec: OWASP ASVS 5.0 row 8.2.4.
"""

from __future__ import annotations

from collections import OrderedDict

import structlog
from msgspec import Struct
from msgspec.structs import replace

from sekisho.anomalies.sightings import network_of
from sekisho.anomalies.watch import Anomalies, Judgement, LastUse, is_another_network
from sekisho.audit import SUCCESS, Event, record
from sekisho.devices import DeviceReader
from sekisho.model import Account, EndReason, Millis, Origin, Session
from sekisho.notices import Notices
from sekisho.outbox import MailKind
from sekisho.ports.changes import AppendAudit, Change
from sekisho.ports.factor_changes import RenewProof
from sekisho.ports.storage import Store, StoreUnavailable
from sekisho.sessions import Sessions

log = structlog.get_logger("sekisho.anomalies")

MOST_REMEMBERED = 20_000
NOBODY_KNOWS_WHEN: Millis = 0


class MoveTools(Struct, frozen=True, kw_only=True):
    store: Store
    anomalies: Anomalies
    notices: Notices
    sessions: Sessions
    devices: DeviceReader


class Moves:
    def __init__(self, tools: MoveTools) -> None:
        self._tools = tools
        # Session and network that were judged: a telephone between two networks is read about once for each.
        self._judged: OrderedDict[tuple[str, str], None] = OrderedDict()

    def has_moved(self, session: Session, last_ip: str, ip: str) -> bool:
        """Whether there is something to judge. No I/O; for a session that stays where it is one comparison."""
        if last_ip == ip or not is_another_network(last_ip, ip) or not self._tools.anomalies.is_on:
            return False
        return (session.id, network_of(ip)) not in self._judged

    async def judge(
        self, session: Session, account: Account, last: LastUse, origin: Origin, now: Millis
    ) -> Session | None:
        """Do what the policy says of a session that has moved; return it as it is then, None if it has ended.

        A store that is away lets the move pass unjudged: it was there a moment ago, and nobody is signed out for it.
        """
        try:
            judged = await self._tools.anomalies.judge_move(session, last, origin, now, self._tools.store)
            if judged.is_noted:
                await self._follow(judged, session, account, origin, now)
        except StoreUnavailable:
            log.warning("move_not_judged", session_id=session.id)
            return session
        self._tools.anomalies.count(judged)
        self._judged[session.id, network_of(origin.ip)] = None
        if len(self._judged) > MOST_REMEMBERED:
            self._judged.popitem(last=False)
        if judged.is_refused:
            return None
        return replace(session, auth_time_at=NOBODY_KNOWS_WHEN) if judged.is_asked else session

    async def _follow(self, judged: Judgement, session: Session, account: Account, origin: Origin, now: Millis) -> None:
        changes: list[Change] = []
        if judged.is_refused:
            changes.append(self._tools.sessions.ending(session.id, EndReason.MOVED_UNUSUALLY, origin, now))
        elif judged.is_asked:
            changes.append(
                RenewProof(
                    session_id=session.id,
                    account_id=account.id,
                    security_version=account.security_version,
                    now=NOBODY_KNOWS_WHEN,
                    amr=session.amr,
                    acr=session.acr,
                )
            )
        device = self._tools.devices.read_origin(origin).name
        for reason in judged.reasons:
            line = record(
                Event.SESSION_UNUSUAL,
                SUCCESS,
                at=now,
                origin=origin,
                account_id=account.id,
                session_id=session.id,
                client_id=session.client_id,
                reason=reason,
                device=device,
            )
            changes.append(AppendAudit(record=line))
        if judged.is_mailed:
            words = " ".join(judged.reasons)
            changes += self._tools.notices.notice(MailKind.SESSION_UNUSUAL, account, origin, now, reasons=words)
        await self._tools.store.apply(*changes)

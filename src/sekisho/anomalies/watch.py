"""The watch: one sign-in judged, with the account's own past as the audit trail has it.

One read, after the password was right: the account's newest records. No rule refuses by itself; the sum of the scores
does what the operator's policy says.
"""

from __future__ import annotations

from msgspec import Struct

from sekisho.anomalies.floods import Floods
from sekisho.anomalies.rules import HOUR_MS, MOST, RULES, SCORES
from sekisho.anomalies.sightings import Looker, Past, Sighting
from sekisho.audit import FAILURE, SUCCESS, Event
from sekisho.model import AccountId, AuditRecord, Millis, Origin, Unusual
from sekisho.ports.storage import AuditFilter, Store

# So many records of the account are looked at; a flood of failures leaves fewer sign-ins among them, never none known
# wrongly: without any, nothing counts as new.
LOOKED_AT = 50
DAY_MS = 86_400_000

_SIGN_INS = frozenset({Event.LOGIN, Event.SIGN_UP})


class Policy(Struct, frozen=True, kw_only=True):
    """From which score on something happens. 0: never."""

    note_from: int
    mail_from: int
    refuse_from: int


class Judgement(Struct, frozen=True):
    """Why a sign-in is unusual, and what follows."""

    reasons: tuple[Unusual, ...] = ()
    score: int = 0
    is_noted: bool = False
    is_mailed: bool = False
    is_refused: bool = False


NOTHING = Judgement()


class Anomalies:
    def __init__(self, looker: Looker, floods: Floods, policy: Policy) -> None:
        self._looker = looker
        self._floods = floods
        self._policy = policy

    @property
    def is_on(self) -> bool:
        return any((self._policy.note_from, self._policy.mail_from, self._policy.refuse_from))

    def failed(self, origin: Origin, identifier_tag: str, now: Millis) -> None:
        """Note a refused sign-in, of whatever account."""
        self._floods.failed(origin.ip, identifier_tag, now)

    async def judge(self, account_id: AccountId, origin: Origin, now: Millis, store: Store) -> Judgement:
        """Return what is unusual about a sign-in whose password was right. Without a policy nothing is read."""
        if not self.is_on:
            return NOTHING
        records = await store.list_audit(AuditFilter(account_id=account_id, limit=LOOKED_AT))
        past = self._past(records, now)
        sighting = self._looker.look(now, origin.ip, origin.user_agent)
        reasons = [reason for reason, applies in RULES.items() if applies(sighting, past)]
        if self._floods.is_spraying(origin.ip, now):
            reasons.append(Unusual.SPRAYING)
        # While a list is being tried, a right password from where nobody was before is likely from that list.
        if Unusual.NEW_NETWORK in reasons and self._floods.is_stuffing(now):
            reasons.append(Unusual.STUFFING)
        # Whoever tries again and again is told of once an hour.
        is_told = any(each.event == Event.SIGN_IN_UNUSUAL and each.at > now - HOUR_MS for each in records)
        return self._follow(tuple(reasons), is_told=is_told)

    def _past(self, records: list[AuditRecord], now: Millis) -> Past:
        sign_ins: list[Sighting] = []
        failures = 0
        for record in records:
            if record.event not in _SIGN_INS:
                continue
            if record.outcome == SUCCESS:
                sign_ins.append(self._looker.look(record.at, record.ip, record.user_agent))
            elif record.outcome == FAILURE and not sign_ins and record.at > now - DAY_MS:
                failures += 1
        return Past(tuple(sign_ins), failures)

    def _follow(self, reasons: tuple[Unusual, ...], *, is_told: bool) -> Judgement:
        score = min(MOST, sum(SCORES[reason] for reason in reasons))
        policy = self._policy

        def reaches(limit: int) -> bool:
            return 0 < limit <= score

        return Judgement(
            reasons,
            score,
            # A letter or a refusal without a line would be nowhere to be looked up.
            is_noted=any(map(reaches, (policy.note_from, policy.mail_from, policy.refuse_from))),
            is_mailed=not is_told and (reaches(policy.mail_from) or reaches(policy.refuse_from)),
            is_refused=reaches(policy.refuse_from),
        )

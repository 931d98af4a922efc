"""The watch: one sign-in or one move of a session judged, with the account's own past as the audit trail has it.

One read: the account's newest records. At a sign-in after the password was right; at a refresh only where the network
is another than at the use before, so that a session that stays where it is costs nothing. No rule refuses by itself;
the sum of the scores does what the operator's policy says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from sekisho.anomalies.floods import Floods
from sekisho.anomalies.rules import HOUR_MS, MOST, MOVE_RULES, RULES, SCORES, Rule
from sekisho.anomalies.sightings import Looker, Past, Sighting, network_of
from sekisho.audit import FAILURE, SUCCESS, Event
from sekisho.model import AccountId, Millis, Origin, Session, Trace, Unusual
from sekisho.ports.storage import Store

# So many records of the account are looked at. Where other lines fill them all (somebody tried wrong passwords for
# days, and rested until those failures are old), so many sign-ins from before are added: without any, nothing would
# count as new.
LOOKED_AT = 50
KNOWN_AT_LEAST = 10
DAY_MS = 86_400_000
MOST_LETTERS_AN_HOUR = 5

_SIGN_INS = frozenset({Event.LOGIN, Event.SIGN_UP})
_TOLD = frozenset({Event.SIGN_IN_UNUSUAL, Event.SESSION_UNUSUAL})

Tally = Callable[[Unusual, str], None]
"""Counts that a rule applied, and what followed: one of `OUTCOMES`."""

OUTCOMES = ("passed", "noted", "mailed", "asked", "refused")


class Policy(Struct, frozen=True, kw_only=True):
    """From which score on something happens. 0: never."""

    note_from: int
    mail_from: int
    ask_from: int
    refuse_from: int


class Judgement(Struct, frozen=True):
    """Why a sign-in or a move is unusual, and what follows."""

    reasons: tuple[Unusual, ...] = ()
    score: int = 0
    is_noted: bool = False
    is_mailed: bool = False
    is_asked: bool = False
    is_refused: bool = False

    @property
    def outcome(self) -> str:
        """The strongest thing that follows, one of `OUTCOMES`."""
        follows = (True, self.is_noted, self.is_mailed, self.is_asked, self.is_refused)
        return max((number, word) for number, word in enumerate(OUTCOMES) if follows[number])[1]


class LastUse(Struct, frozen=True):
    """From where and when a session was used before this time."""

    ip: str
    at: Millis


NOTHING = Judgement()


class Anomalies:
    def __init__(self, looker: Looker, floods: Floods, policy: Policy, tally: Tally) -> None:
        self._looker = looker
        self._floods = floods
        self._policy = policy
        self._tally = tally

    @property
    def is_on(self) -> bool:
        policy = self._policy
        return any((policy.note_from, policy.mail_from, policy.ask_from, policy.refuse_from))

    def failed(self, origin: Origin, identifier_tag: str, now: Millis) -> tuple[Unusual, ...]:
        """Note a refused sign-in, of whatever account. Return what has begun with it."""
        return self._floods.failed(origin.ip, identifier_tag, now)

    def count(self, judged: Judgement) -> None:
        """Put a judgement that had its consequences into the figures."""
        for reason in judged.reasons:
            self._tally(reason, judged.outcome)

    async def judge(self, account_id: AccountId, origin: Origin, now: Millis, store: Store) -> Judgement:
        """Return what is unusual about a sign-in whose password was right. Without a policy nothing is read."""
        if not self.is_on:
            return NOTHING
        traces = await _traces(account_id, store)
        sighting = self._looker.look(now, origin)
        reasons = _applying(RULES, sighting, self._past(traces, now))
        if self._floods.is_spraying(origin.ip, now):
            reasons.append(Unusual.SPRAYING)
        # While a list is being tried, a right password from where nobody was before is likely from that list.
        if Unusual.NEW_NETWORK in reasons and self._floods.is_stuffing(now):
            reasons.append(Unusual.STUFFING)
        return self._follow(tuple(reasons), sighting.network, traces, now)

    async def judge_move(self, session: Session, last: LastUse, origin: Origin, now: Millis, store: Store) -> Judgement:
        """Return what is unusual about a session that is used from another network than before."""
        traces = await _traces(session.account_id, store)
        sighting = self._looker.look(now, origin)
        before = self._looker.place(last.at, last.ip, session.device.name)
        past = self._past(traces, now)
        moves = tuple(
            self._looker.place(each.at, each.ip, each.device)
            for each in traces
            if each.event == Event.SESSION_UNUSUAL and each.session_id == session.id
        )
        known = Past((before, *moves, *past.sign_ins))
        reasons = _applying(MOVE_RULES, sighting, known)
        if sighting.device and session.device.name and not self._looker.could_be(session.device.name, origin):
            reasons.append(Unusual.REFRESH_DEVICE)
        if self._floods.is_spraying(origin.ip, now):
            reasons.append(Unusual.SPRAYING)
        # A telephone under way changes networks often: that alone is noted once an hour.
        if reasons == [Unusual.REFRESH_NETWORK] and any(each.at > now - HOUR_MS for each in moves):
            return NOTHING
        return self._follow(tuple(reasons), sighting.network, traces, now)

    def _past(self, traces: list[Trace], now: Millis) -> Past:
        # By where they came from: people sign in from the same few places, and each is looked up once.
        sign_ins: dict[tuple[str, str], Sighting] = {}
        failures = 0
        for trace in traces:
            if trace.event not in _SIGN_INS:
                continue
            if trace.outcome == SUCCESS:
                place = (trace.ip, trace.device or trace.user_agent)
                if place not in sign_ins:
                    sign_ins[place] = self._looker.recall(trace)
            elif trace.outcome == FAILURE and not sign_ins and trace.at > now - DAY_MS:
                failures += 1
        return Past(tuple(sign_ins.values()), failures)

    def _follow(self, reasons: tuple[Unusual, ...], network: str, traces: list[Trace], now: Millis) -> Judgement:
        score = min(MOST, sum(SCORES[reason] for reason in reasons))
        policy = self._policy

        def reaches(limit: int) -> bool:
            return 0 < limit <= score

        # What was asked or refused must be somewhere to be looked up, and its owner know why.
        is_held_up = reaches(policy.ask_from) or reaches(policy.refuse_from)
        is_mailed = reaches(policy.mail_from) or reaches(policy.refuse_from)
        return Judgement(
            reasons,
            score,
            is_noted=reaches(policy.note_from) or is_mailed or is_held_up,
            is_mailed=is_mailed and not _was_told(reasons, network, traces, policy, now),
            is_asked=reaches(policy.ask_from),
            is_refused=reaches(policy.refuse_from),
        )


async def _traces(account_id: AccountId, store: Store) -> list[Trace]:
    return await store.list_traces(account_id, newest=LOOKED_AT, sign_ins=KNOWN_AT_LEAST)


def _was_told(reasons: tuple[Unusual, ...], network: str, traces: list[Trace], policy: Policy, now: Millis) -> bool:
    """Whether the owner had a letter about this in the last hour, or as many as anybody reads: whoever tries again and
    again is told of once. What was only noted keeps no letter back, and none keeps back what comes from another network
    or for another reason: the first may be about the owner, the next about a thief."""
    told_from = min(each for each in (policy.mail_from, policy.refuse_from) if each) if _tells(policy) else MOST + 1
    seen: dict[tuple[str, Millis, str], set[Unusual]] = {}
    for each in traces:
        if each.event in _TOLD and each.at > now - HOUR_MS:
            seen.setdefault((each.event, each.at, network_of(each.ip)), set()).add(Unusual(each.reason))
    told = {(at[2], frozenset(why)) for at, why in seen.items() if sum(SCORES[reason] for reason in why) >= told_from}
    return len(told) >= MOST_LETTERS_AN_HOUR or any(where == network and why.issuperset(reasons) for where, why in told)


def _tells(policy: Policy) -> bool:
    return bool(policy.mail_from or policy.refuse_from)


def _applying(rules: Mapping[Unusual, Rule], sighting: Sighting, past: Past) -> list[Unusual]:
    return [reason for reason, applies in rules.items() if applies(sighting, past)]


def is_another_network(ip: str, other_ip: str) -> bool:
    """Whether a session that was used from `ip` has moved. What is no address says nothing."""
    if ip == other_ip:
        return False
    network, other = network_of(ip), network_of(other_ip)
    return bool(network and other) and network != other

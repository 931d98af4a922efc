"""Alerts: what is told of the trail, how grave it is, once, from now on, and nothing personal."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sekisho.alerts import LONGEST_MS, PLACE, Severity, alerts_channel, severity_of
from sekisho.audit import FAILURE, SUCCESS, VOCABULARY, Event, record
from sekisho.audit.sealing import seal_waiting
from sekisho.audit.seals import Seals
from sekisho.audit.shipping import Source, ship_waiting
from sekisho.master_secret import MasterSecret
from sekisho.model import EndReason, Millis, Origin, Unusual
from sekisho.ports.audit_sink import ShippedLine, SinkUnavailable
from sekisho.ports.changes import AppendAudit
from sekisho.storage.sqlite import SqliteStore
from storage.build import NOW, done
from storage.fast import new_store

pytestmark = pytest.mark.anyio

SEALS = Seals(MasterSecret(b"a secret of thirty-two bytes and more"))
SOURCE = Source("https://auth.example.com", "a generation")
SOMEBODY = Origin(ip="203.0.113.7", user_agent="Mozilla/5.0 (a browser)")


class HandClock:
    def __init__(self) -> None:
        self.at: Millis = NOW

    def now(self) -> Millis:
        return self.at


class Receiver:
    def __init__(self) -> None:
        self.alerts: list[dict[str, Any]] = []
        self.is_away = False

    async def take(self, lines: Sequence[ShippedLine]) -> None:
        if self.is_away:
            raise SinkUnavailable("away")
        self.alerts += [msgspec.json.decode(line.json) for line in lines]

    async def close(self) -> None:
        pass


class Post:
    """A store with a trail, a clock, and a receiver who is told."""

    def __init__(self, store: SqliteStore) -> None:
        self.store, self.clock, self.receiver = store, HandClock(), Receiver()

    async def happens(self, event: Event, reason: str = "", outcome: str = SUCCESS, **fields: str) -> None:
        line = record(event, outcome, at=self.clock.at, origin=SOMEBODY, reason=reason, **fields)
        await done(self.store, AppendAudit(record=line))
        await seal_waiting(self.store, SEALS, self.clock.at)

    async def tell(self, least: Severity = Severity.WARNING) -> int:
        channel = alerts_channel(least, self.clock)
        return await ship_waiting(self.store, self.clock, self.receiver, SOURCE, channel)


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    store = await new_store(tmp_path)
    made = Post(store)
    await made.tell()
    yield made
    await store.close()


def worst(event: Event, outcome: str, reason: str) -> Severity | None:
    return severity_of(record(event, outcome, at=NOW, origin=Origin(), reason=reason))


def test_every_way_to_raise_an_alarm_is_a_line_that_there_can_be() -> None:
    found = {
        (event, severity)
        for event, entry in VOCABULARY.items()
        for outcome, reasons in entry.reasons.items()
        for reason in reasons
        if (severity := worst(event, outcome, reason))
    }
    assert (Event.ATTACK_SEEN, Severity.CRITICAL) in found
    assert (Event.SESSION_ENDED, Severity.CRITICAL) in found
    assert (Event.SIGN_IN_UNUSUAL, Severity.NOTICE) in found
    assert (Event.SIGN_IN_UNUSUAL, Severity.WARNING) in found
    assert (Event.LOGIN, Severity.CRITICAL) in found
    assert {severity for _, severity in found} == set(Severity)


@pytest.mark.parametrize(
    ("event", "outcome", "reason"),
    [
        (Event.LOGIN, SUCCESS, ""),
        (Event.LOGIN, FAILURE, "wrong_password"),
        (Event.SESSION_ENDED, SUCCESS, EndReason.LOGOUT),
        (Event.PASSWORD_CHANGE, SUCCESS, ""),
        (Event.NOT_ME, FAILURE, "code_gone"),
    ],
)
def test_everyday_is_no_alarm(event: Event, outcome: str, reason: str) -> None:
    assert worst(event, outcome, reason) is None


async def test_an_alert_names_ids_and_nothing_personal(post: Post) -> None:
    await post.happens(
        Event.SESSION_ENDED, EndReason.REPLAY, account_id="an account", session_id="a session", client_id="web:a phone"
    )
    assert await post.tell() == 1
    (alert,) = post.receiver.alerts
    assert alert == {
        "severity": "critical",
        "event": "session_ended",
        "outcome": "success",
        "reason": "refresh_token_replayed",
        "at": alert["at"],
        "installation": SOURCE.installation,
        "generation": SOURCE.generation,
        "seq": alert["seq"],
        "account_id": "an account",
        "session_id": "a session",
        "app": "web",
        "actor": "account",
    }


async def test_what_is_less_grave_than_wanted_is_left_out(post: Post) -> None:
    await post.happens(Event.SIGN_IN_UNUSUAL, Unusual.NEW_DEVICE)
    await post.happens(Event.SIGN_IN_UNUSUAL, Unusual.IMPOSSIBLE_TRAVEL)
    await post.happens(Event.ATTACK_SEEN, Unusual.SPRAYING, actor="system")
    assert await post.tell(Severity.WARNING) == 2
    assert [each["severity"] for each in post.receiver.alerts] == ["warning", "critical"]


async def test_a_receiver_that_is_away_hears_of_it_later_in_order_and_of_nothing_twice(post: Post) -> None:
    post.receiver.is_away = True
    for reason in (Unusual.SPRAYING, Unusual.STUFFING):
        await post.happens(Event.ATTACK_SEEN, reason, actor="system")
    with pytest.raises(SinkUnavailable):
        await post.tell()
    post.receiver.is_away = False
    assert await post.tell() == 2
    assert await post.tell() == 0
    assert [each["reason"] for each in post.receiver.alerts] == ["spraying", "stuffing"]


async def test_what_nobody_took_for_a_day_is_not_told_any_more(post: Post) -> None:
    await post.happens(Event.ATTACK_SEEN, Unusual.SPRAYING, actor="system")
    post.clock.at += LONGEST_MS + 1
    await post.happens(Event.ATTACK_SEEN, Unusual.STUFFING, actor="system")
    assert await post.tell() == 1
    assert post.receiver.alerts[0]["reason"] == "stuffing"


async def test_a_new_receiver_hears_of_nothing_that_was_before(tmp_path: Path) -> None:
    store = await new_store(tmp_path)
    post = Post(store)
    await post.happens(Event.ATTACK_SEEN, Unusual.SPRAYING, actor="system")
    assert await post.tell() == 0
    await post.happens(Event.ATTACK_SEEN, Unusual.STUFFING, actor="system")
    assert await post.tell() == 1
    assert await store.find_meta(PLACE) is not None
    await store.close()

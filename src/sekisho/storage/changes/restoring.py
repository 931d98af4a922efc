"""Raising the epoch after a restore. By whole statements: there may be a million sessions."""

from __future__ import annotations

from sekisho.model import EndReason
from sekisho.ports import changes
from sekisho.storage.steps import Step, Steps, Value

AUDIT_ENDS = """
INSERT INTO audit (event, outcome, at, account_id, session_id, client_id, method, reason, actor, identifier_tag,
                   subject, ip, user_agent, place, device)
SELECT 'session_ended', 'success', :now, account_id, id, client_id, '', :reason, 'operator', '', '', '', '', '', ''
FROM sessions WHERE ended_at IS NULL
"""

JOURNAL_ENDS = """
INSERT INTO journal (kind, value, expires_at, reason)
SELECT 'sid', id, :journal_until_at, :reason FROM sessions WHERE ended_at IS NULL
"""

COUNT_LIVE = "SELECT count(*) FROM sessions WHERE ended_at IS NULL"
END_EVERY = "UPDATE sessions SET ended_at = :now, end_reason = :reason WHERE ended_at IS NULL"
SPEND_CODES = "UPDATE one_time_codes SET used_at = :now WHERE used_at IS NULL"
SPEND_RECOVERY_CODES = "UPDATE recovery_codes SET used_at = :now WHERE used_at IS NULL"
SPEND_CHALLENGES = "UPDATE challenges SET used_at = :now WHERE used_at IS NULL"
# Steps are of 30 seconds; one that a phone whose clock is ahead has shown may be used already.
SPEND_STEPS = "UPDATE factors SET last_step = :step WHERE last_step > 0 AND last_step < :step"
STEP_MS = 30_000
STEPS_AHEAD = 2
# Which of them were taken back since, nobody knows.
TRUST_NO_DEVICE = "DELETE FROM trusted_devices"
DROP_MAIL = "DELETE FROM outbox WHERE due_at IS NOT NULL"

SET_GENERATION = """
INSERT INTO meta (name, value) VALUES ('journal_generation', :generation)
ON CONFLICT (name) DO UPDATE SET value = :generation
"""


def raise_epoch(change: changes.RaiseEpoch) -> Steps:
    live = yield Step(COUNT_LIVE, {})
    ending: dict[str, Value] = {"now": change.now, "reason": EndReason.RESTORED.value}
    yield Step(AUDIT_ENDS, ending)
    yield Step(JOURNAL_ENDS, {"journal_until_at": change.journal_until_at, "reason": EndReason.RESTORED.value})
    yield Step(END_EVERY, ending)
    yield Step(SPEND_CODES, {"now": change.now})
    yield Step(SPEND_RECOVERY_CODES, {"now": change.now})
    yield Step(SPEND_CHALLENGES, {"now": change.now})
    yield Step(SPEND_STEPS, {"step": change.now // STEP_MS + STEPS_AHEAD})
    yield Step(TRUST_NO_DEVICE, {})
    yield Step(DROP_MAIL, {})
    yield Step(SET_GENERATION, {"generation": change.generation})
    return int(live[0][0])

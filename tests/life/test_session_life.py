"""The invariants of DESIGN section 3, held by a state machine over the real flows and the real engine.

`LIFE_EXAMPLES=2000` makes it run longer, with new examples each time.
"""

from __future__ import annotations

import pytest
from hypothesis.stateful import run_state_machine_as_test

from life.machine import SessionLife
from life.model import InvariantBroken
from life.profiles import FAULT, FULL
from life.rotation_faults import (
    Advance,
    advance,
    end_session_refusing_before_the_commit,
    rotate_with_grace_for_grandparents,
    unguarded,
    use_without_a_guard,
    written_as,
)
from sekisho.mfa.totp import STEP_MS
from sekisho.model import Transport
from sekisho.ports.changes import EndSession, RotateSession
from sekisho.ports.factor_changes import UseFactor


def test_whatever_happens_to_sessions_the_invariants_hold() -> None:
    run_state_machine_as_test(SessionLife, settings=FULL)


def test_a_rotation_without_a_guard_is_seen() -> None:
    with written_as(Advance, advance), pytest.raises(InvariantBroken, match=r"^(I1|I3|I8): "):
        run_state_machine_as_test(lambda: SessionLife(unguarded), settings=FAULT)


def test_grace_for_grandparents_is_seen() -> None:
    with (
        written_as(RotateSession, rotate_with_grace_for_grandparents),
        pytest.raises(InvariantBroken, match=r"^I2: tokens were issued for a token that is replayed"),
    ):
        run_state_machine_as_test(SessionLife, settings=FAULT)


def test_a_step_that_is_spent_without_a_guard_is_seen() -> None:
    """By the rules that matter, in their order: left to chance, whether they come together depends on the run."""
    machine = SessionLife()
    try:
        machine.two_people_are_signed_in()
        machine.enrol_an_app(0, 1)
        with written_as(UseFactor, use_without_a_guard), pytest.raises(InvariantBroken, match=r"^I4: "):
            sign_in_with_one_code_at_once(machine)
    finally:
        machine.teardown()


def sign_in_with_one_code_at_once(machine: SessionLife) -> None:
    """Three challenges, each answered three times, with one code; again with the next code, if one has won."""
    for _ in range(20):
        machine.server.clock.advance(seconds=STEP_MS // 1000)
        machine.sign_in_with_the_second_step(0, "totp", Transport.BODY, True, 3, 3, None)


def test_refusing_a_replay_before_its_commit_is_seen() -> None:
    with (
        written_as(EndSession, end_session_refusing_before_the_commit),
        pytest.raises(InvariantBroken, match=r"^(I2|I6): "),
    ):
        run_state_machine_as_test(SessionLife, settings=FAULT)

"""The driver of the second step notices what must not happen between the two."""

from __future__ import annotations

import pyotp
from bench.scenarios.second_factor import BothSteps, Person

WAITING = b'{"status": "second_factor_required", "challenge": "c1", "methods": ["totp"]}'


def begun() -> BothSteps:
    users = BothSteps(iter([Person("person-1@example.com", pyotp.HOTP("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"))]))
    assert b"person-1@example.com" in users.request()
    return users


def test_the_second_request_carries_the_challenge_and_a_code() -> None:
    users = begun()
    assert users.judge(200, WAITING) == ""
    asked = users.request()
    assert b"/second-factor" in asked
    assert b'"challenge":"c1"' in asked
    assert users.judge(200, b'{"user": {"email": "person-1@example.com"}}') == ""


def test_a_token_before_the_second_step_is_a_broken_promise() -> None:
    assert begun().judge(200, WAITING[:-1] + b', "access_token": "x"}') == "something was issued before the second step"


def test_a_login_without_a_second_step_is_a_broken_promise() -> None:
    assert "no second step" in begun().judge(200, b'{"access_token": "x"}')


def test_anothers_session_is_a_broken_promise() -> None:
    users = begun()
    users.judge(200, WAITING)
    users.request()
    assert users.judge(200, b'{"user": {"email": "person-2@example.com"}}') != ""

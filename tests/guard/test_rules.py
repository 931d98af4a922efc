"""What an API may ask of a principal, and what it answers to whom."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from sekisho.errors import (
    AccessTokenExpired,
    Forbidden,
    Refusal,
    ServiceUnavailable,
    SessionRevoked,
    StepUpRequired,
    Unauthorized,
)
from sekisho.guard import Principal
from sekisho.guard.answers import MESSAGES, STATUS, read_bearer, refusal_answer
from sekisho.guard.auth import Auth
from sekisho.guard.rules import check, rule
from sekisho.guard.testing import FakeIssuer

NOW = 1_000_000.0
PRINCIPAL = Principal(
    sub="a",
    scopes=frozenset({"read", "write"}),
    roles=frozenset({"editor"}),
    permissions=frozenset({"articles.write"}),
    acr="aal2",
    auth_time=int(NOW) - 300,
)


@pytest.mark.parametrize(
    ("asked", "outcome"),
    [
        ({}, "good"),
        ({"scopes": ["read"]}, "good"),
        ({"scopes": ["read", "write"]}, "good"),
        ({"scopes": ["read", "delete"]}, "forbidden"),
        ({"roles": ["editor", "owner"]}, "good"),
        ({"roles": ["owner"]}, "forbidden"),
        ({"permissions": ["articles.write"]}, "good"),
        ({"permissions": ["articles.write", "articles.delete"]}, "forbidden"),
        ({"max_age": 300}, "good"),
        ({"max_age": 299}, "step_up_required"),
        ({"max_age": 0}, "step_up_required"),
        ({"acr": "aal1"}, "good"),
        ({"acr": "aal2"}, "good"),
        ({"acr": "aal3"}, "step_up_required"),
        ({"acr": "urn:example:gold"}, "step_up_required"),
        ({"roles": ["owner"], "max_age": 1}, "forbidden"),
    ],
)
def test_V10_3_2_V10_3_4_scopes_roles_permissions_strength_and_age_are_asked(
    asked: dict[str, Any], outcome: str
) -> None:
    assert decided(asked) == outcome


def decided(asked: dict[str, Any]) -> str:
    try:
        check(PRINCIPAL, rule(**asked), NOW)
    except Refusal as refusal:
        return refusal.code
    return "good"


@pytest.mark.parametrize("asked", [{"scopes": "read"}, {"roles": "admin"}, {"permissions": "x"}, {"max_age": -1}])
def test_a_rule_that_cannot_be_meant_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"names|seconds"):
        rule(**asked)


@pytest.mark.parametrize(
    ("refusal", "presented", "status", "challenge"),
    [
        (Unauthorized(), False, 401, 'Bearer realm="api"'),
        (Unauthorized(), True, 401, 'Bearer realm="api", error="invalid_token"'),
        (AccessTokenExpired(), True, 401, 'Bearer realm="api", error="invalid_token", error_description="expired"'),
        (SessionRevoked(), True, 401, 'Bearer realm="api", error="invalid_token", error_description="session ended"'),
        (
            StepUpRequired(details={"max_age": 300, "acr": "aal2"}),
            True,
            401,
            'Bearer realm="api", error="insufficient_user_authentication", acr_values="aal2", max_age="300"',
        ),
        (
            Forbidden(values={"scope": "a b"}),
            True,
            403,
            'Bearer realm="api", error="insufficient_scope", scope="a b"',
        ),
        (Forbidden(), True, 403, None),
        (ServiceUnavailable(retry_after=5), True, 503, None),
    ],
)
def test_P_47_each_refusal_has_its_status_and_its_challenge(
    refusal: Refusal, presented: bool, status: int, challenge: str | None
) -> None:
    answer = refusal_answer(refusal, presented=presented, realm="api")
    assert (answer.status, answer.headers.get("WWW-Authenticate")) == (status, challenge)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers.get("Retry-After") == (str(refusal.retry_after) if refusal.retry_after else None)
    assert answer.content["error"] == refusal.code


def test_messages_are_in_the_callers_language() -> None:
    assert set(MESSAGES) == set(STATUS)
    told = {"ja": True, "en,ja": False, "fr, ja-JP;q=0.5": True, "": False, "x" * 9999: False}
    for languages, japanese in told.items():
        answer = refusal_answer(Unauthorized(), presented=False, realm="api", accept_language=languages)
        assert (answer.content["message"] == MESSAGES[Unauthorized][1]) is japanese


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b", "Token x", "bearer"])
def test_a_header_that_is_no_bearer_token_is_refused_and_never_nobody(header: str) -> None:
    with pytest.raises(Unauthorized):
        read_bearer(header)
    assert read_bearer(None) is None
    assert read_bearer("bearer x") == "x"


def test_an_override_is_for_requests_without_a_token_and_for_its_block_alone() -> None:
    issuer = FakeIssuer()
    auth = Auth(issuer.verifier())
    with auth.override(Principal(sub="alice")):
        assert auth.find(None) == Principal(sub="alice")
        with pytest.raises(Unauthorized):
            auth.find(f"Bearer {issuer.forged_token()}")
        real = auth.find(f"Bearer {issuer.token('bob')}")
        assert real is not None
        assert real.sub == "bob"
    assert auth.find(None) is None
    with pytest.raises(ValueError, match="realm"):
        Auth(issuer.verifier(), realm='a", error="x')


def test_the_fake_issuer_makes_what_a_server_could() -> None:
    issuer = FakeIssuer()
    verifier = issuer.verifier(permissions={"editor": ["write"]})
    principal = verifier.verify(issuer.token("alice", roles=["editor"], scopes=["a", "b"], acr="aal2", tenant="t"))
    assert (principal.sub, principal.scopes, principal.permissions) == ("alice", {"a", "b"}, {"write"})
    assert principal.claims["tenant"] == "t"
    for token, code in (
        (issuer.expired_token(), "access_token_expired"),
        (issuer.forged_token(), "unauthorized"),
        (issuer.token(aud="https://other.test"), "unauthorized"),
        (issuer.token(sid=None), "unauthorized"),
        (FakeIssuer().token(), "unauthorized"),
    ):
        with pytest.raises(Refusal) as refused:
            verifier.verify(token)
        assert refused.value.code == code
    token = issuer.token(session_id="s1")
    assert verifier.verify(token)
    issuer.end_session("s1")
    with pytest.raises(SessionRevoked):
        verifier.verify(token)
    assert verifier.verify(issuer.token(session_id="s2"))


def test_V16_3_2_who_may_not_is_a_line_in_the_log_without_the_token(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Some tools that other tests run in this process silence every logger that is there already.
    monkeypatch.setattr(logging.getLogger("sekisho.guard"), "disabled", False)
    issuer = FakeIssuer()
    auth = Auth(issuer.verifier())
    token = issuer.token("alice\nforged line", session_id="s1")
    principal = auth.find(f"Bearer {token}")
    with caplog.at_level(logging.WARNING, "sekisho.guard"):
        auth.allowed(principal, rule())
        with pytest.raises(StepUpRequired):
            auth.allowed(principal, rule(acr="aal3"))
        assert caplog.messages == []
        for asked, why in (
            (rule(roles=["owner"]), "role"),
            (rule(scopes=["delete"]), "scope"),
            (rule(permissions=["articles.write"]), "permission"),
        ):
            with pytest.raises(Forbidden):
                auth.allowed(principal, asked)
            assert caplog.messages[-1] == f"forbidden: {why}; sub='alice\\nforged line' session='s1'"
    assert token not in caplog.text

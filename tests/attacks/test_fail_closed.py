"""A check that breaks refuses: whatever a flow asks is made to fail in turn, and nobody gets in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from attacks.support import rows
from http_site import EMAIL, PASSWORD, Site
from sekisho.http.edge import Edge
from sekisho.ports.storage import StoreUnavailable

pytestmark = pytest.mark.anyio


class Broken:
    """A part of the server of which one method, once found, fails."""

    def __init__(self, part: Any, method: str, failure: Exception) -> None:
        self._part = part
        self._method = method
        self._failure = failure

    def __getattr__(self, name: str) -> Any:
        if name == self._method:
            raise self._failure
        return getattr(self._part, name)


# The bundle of a flow, one of its parts, and the method of it that breaks.
CHECKS = [
    ("authenticate", "access_tokens", "verify"),
    ("authenticate", "session_cookies", "open"),
    ("authenticate", "store", "find_session"),
    ("session_list", "store", "find_session_and_account"),
    ("login", "throttle", "login_tries"),
    ("login", "throttle", "is_known_device"),
    ("login", "store", "find_account_by_email"),
    ("login", "store", "apply"),
    ("login", "passwords", "verify"),
    ("login", "sessions", "start"),
    ("refresh", "refresh_tokens", "open"),
    ("refresh", "sessions", "rotate"),
    ("sign_up", "throttle", "code_tries"),
    ("sign_up", "store", "list_pending_sign_ups"),
    ("sign_up", "codes", "same"),
    ("sign_up", "sessions", "start"),
    ("withdrawal", "throttle", "password_tries"),
    ("withdrawal", "passwords", "verify"),
    ("withdrawal", "store", "apply"),
]


def with_broken(edge: Edge, flow: str, part: str, method: str, failure: Exception) -> Edge:
    bundle = getattr(edge, flow)
    broken = replace(bundle, **{part: Broken(getattr(bundle, part), method, failure)})
    return replace(edge, **{flow: broken})


WRITTEN = {RuntimeError: "internal_server_error", StoreUnavailable: "refused"}


@pytest.mark.parametrize(
    "failure", [RuntimeError("a mistake"), StoreUnavailable("gone")], ids=["mistake", "store_unavailable"]
)
async def test_V16_5_3_V16_5_2_V16_3_4_V11_2_5_a_check_that_breaks_lets_nobody_through(
    site: Site, tmp_path: Path, failure: Exception
) -> None:
    app = site.client()
    pair = await app.signed_in()
    page = await site.browser().ready()
    await page.login(transport="session")
    cookie = f"sekisho-s-web={page.inner.cookies['sekisho-s-web']}"
    email = "ren@example.com"
    await app.post("auth/signup/send-code", {"email": email, "password": PASSWORD, "client_id": "web"})
    code = await site.code_for(email)
    bearer = {"authorization": f"Bearer {pair['access_token']}"}
    before = rows(tmp_path)

    for flow, part, method in CHECKS:
        broken = Site(with_broken(site.edge, flow, part, method, failure), site.public_origin)
        calls = {
            "authenticate": [("GET", "auth/session", None, bearer), ("GET", "user/profile", None, {"cookie": cookie})],
            "session_list": [("GET", "auth/session", None, bearer)],
            "login": [("POST", "auth/login", {"email": EMAIL, "password": PASSWORD, "client_id": "web"}, {})],
            "refresh": [
                ("POST", "auth/refresh", {"refresh_token": pair["refresh_token"], "client_id": "web"}, {}),
            ],
            "sign_up": [("POST", "auth/signup/verify-code", {"email": email, "code": code, "client_id": "web"}, {})],
            "withdrawal": [("DELETE", "user/account", {"password": PASSWORD}, bearer)],
        }[flow]
        with capture_logs() as lines:
            answers = [await broken.client().call(verb, path, body, **headers) for verb, path, body, headers in calls]
        assert WRITTEN[type(failure)] in {line["event"] for line in lines}, (flow, part, method)

        refused = [answer for answer in answers if answer.status_code in (500, 503)]
        assert refused, (flow, part, method)
        for answer in refused:
            assert set(answer.json()) <= {"error", "message", "details"}
            assert "access_token" not in answer.text
            assert "set-cookie" not in answer.headers

    # A code is counted before it is compared; nothing else may have moved.
    after = rows(tmp_path)
    del before["one_time_codes"], after["one_time_codes"]
    assert after == before


async def test_V16_5_3_a_journal_that_breaks_refuses_access_tokens(site: Site) -> None:
    app = site.client()
    await app.signed_in()
    tokens = site.edge.authenticate.access_tokens
    whole = tokens._revocations
    tokens._revocations = Broken(whole, "is_revoked", RuntimeError("a mistake"))  # type: ignore[assignment]

    with capture_logs():
        broken = await app.get("auth/session")
    tokens._revocations = whole

    assert broken.status_code == 500
    assert (await app.get("auth/session")).status_code == 200

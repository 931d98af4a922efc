"""What we give to the tests of others, run as theirs: by pytest, with the plugin, and without a server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from live_server import environment

API = """
from typing import Annotated
from fastapi import Depends, FastAPI
from sekisho.guard import Principal
from sekisho.guard.fastapi import FastAPIAuth

def make(verifier):
    app, auth = FastAPI(), FastAPIAuth(verifier)
    auth.install(app)

    @app.get("/me")
    async def me(user: Annotated[Principal, Depends(auth.current_user)]) -> str:
        return user.sub

    return app, auth
"""
TESTS = """
import pytest
from api import make
from httpx2 import ASGITransport, AsyncClient
from sekisho.guard import Principal

pytestmark = pytest.mark.anyio

@pytest.fixture
def anyio_backend():
    return "asyncio"

async def ask(app, **headers):
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://api.test") as client:
        return await client.get("/me", headers=headers)

async def test_tokens(fake_issuer):
    app, _ = make(fake_issuer.verifier())
    assert (await ask(app, **fake_issuer.headers("alice"))).json() == "alice"
    assert (await ask(app)).status_code == 401
    expired = await ask(app, Authorization="Bearer " + fake_issuer.expired_token())
    assert expired.json()["error"] == "access_token_expired"
    assert (await ask(app, Authorization="Bearer " + fake_issuer.forged_token())).status_code == 401
    fake_issuer.end_session("test-session")
    assert (await ask(app, **fake_issuer.headers("alice"))).json()["error"] == "session_revoked"

async def test_override(fake_issuer):
    app, auth = make(fake_issuer.verifier())
    with auth.override(Principal(sub="bob")):
        assert (await ask(app)).json() == "bob"
    assert (await ask(app)).status_code == 401
"""


def test_a_users_tests_run_with_the_plugin_alone(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["sekisho.guard.pytest_plugin"]\n')
    (tmp_path / "api.py").write_text(API)
    (tmp_path / "test_api.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout

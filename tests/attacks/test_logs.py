"""What reaches the log: no secret from a crash, no line that a client wrote, no detail for the client."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from attacks.support import told
from http_site import EMAIL, PASSWORD, Client, Site
from live_server import environment

pytestmark = pytest.mark.anyio

CRASH = """
import structlog
from sekisho.logs import configure_logs

configure_logs("info", as_json={as_json})

def verify(password):
    refresh_token = "skr_canary"
    raise RuntimeError("something broke")

try:
    verify("canary password")
except RuntimeError:
    structlog.get_logger("sekisho.http").exception("internal_server_error", incident="a1")
"""


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "text"])
def test_V16_2_5_a_traceback_in_the_log_holds_no_values(tmp_path: Path, as_json: bool) -> None:
    run = subprocess.run(
        [sys.executable, "-c", CRASH.format(as_json=as_json)],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert "RuntimeError" in run.stderr
    assert "something broke" in run.stderr
    assert "canary" not in run.stderr


def test_V16_2_2_V16_2_3_V16_2_4_V16_4_1_a_line_end_in_a_value_makes_no_second_line(tmp_path: Path) -> None:
    code = (
        "import structlog\n"
        "from sekisho.logs import configure_logs\n"
        'configure_logs("info", as_json=True)\n'
        'structlog.get_logger("x").warning("refused", detail=\'a\\n{"event": "login", "level": "info"}\\x1b[2J\')\n'
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True
    )

    [line] = run.stderr.splitlines()
    assert run.stdout == ""
    assert json.loads(line)["event"] == "refused"
    assert json.loads(line)["timestamp"].endswith("Z")
    assert "\x1b" not in line


async def test_V16_5_1_V13_4_2_V16_5_4_a_mistake_of_ours_tells_nothing_and_the_process_goes_on(site: Site) -> None:
    broken = Site(replace(site.edge, refresh=replace(site.edge.refresh, sessions=None)), site.public_origin)  # type: ignore[arg-type]
    app: Client = site.client()
    pair = await app.signed_in()
    body = {"refresh_token": pair["refresh_token"], "client_id": "web"}

    with capture_logs() as lines:
        answer = await broken.client().post("auth/refresh", body)

    assert told(answer) == (500, "internal_server_error")
    assert set(answer.json()) == {"error", "message", "details"}
    assert answer.json()["details"] == {"incident": lines[0]["incident"]}
    for leak in ("Traceback", "NoneType", ".py", "SELECT", "rotate", pair["refresh_token"], EMAIL, PASSWORD):
        assert leak not in answer.text
    assert (await broken.client().get("/healthz")).status_code == 200
    assert (await app.post("auth/refresh", body)).status_code == 200

"""The guarded examples, started as they say, against the real server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from free_ports import free_port
from live_server import environment, live_server, sekisho
from one_second import seconds_to_refusal, within_a_second

EXAMPLES = Path(__file__).parents[2] / "examples"
EMAILS = ("hana@example.com", "ren@example.com")
PASSWORD = "korewa nagai himitsu"
COMMANDS = {
    "guard-fastapi": ["-m", "uvicorn", "app:app", "--port", "{port}"],
    "guard-django": ["app.py", "runserver", "{port}", "--noreload"],
    "guard-flask": ["-m", "flask", "--app", "app", "run", "--port", "{port}"],
}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("folder", ["how-to", "ja/how-to"])
def test_the_how_to_shows_the_very_app_that_is_started(name: str, folder: str) -> None:
    page = (EXAMPLES.parent / "docs" / folder / f"{name}.md").read_text(encoding="utf-8")
    assert f"```python\n{(EXAMPLES / name / 'app.py').read_text(encoding='utf-8')}```" in page


@contextmanager
def example(name: str, log: Path, **given: str) -> Iterator[httpx2.Client]:
    port = free_port()
    words = [word.format(port=port) for word in COMMANDS.get(name, COMMANDS["guard-fastapi"])]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *words], cwd=EXAMPLES / name, env=environment(**given), stdout=output, stderr=output
        )
    client = httpx2.Client(base_url=f"http://127.0.0.1:{port}")
    try:
        until = time.monotonic() + 60
        while True:
            try:
                assert client.get("/me").status_code == 401
                break
            except httpx2.TransportError:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.05)
        yield client
    finally:
        client.close()
        process.terminate()
        process.wait(20)


class Site:
    """The server, and what a person and an operator do there."""

    def __init__(self, url: str, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.issuer = url.replace("127.0.0.1", "localhost")
        self.http = stack.enter_context(httpx2.Client(base_url=url))

    def call(self, path: str, **body: str) -> Any:
        answer = self.http.post(f"/api/v1/auth/{path}", json={**body, "client_id": "web"})
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def sign_up(self, email: str) -> None:
        self.call("signup/send-code", email=email, password=PASSWORD)
        code = re.findall(r"\b\d{6}\b", self.http.get("/dev/mail.json").json()[0]["text"])[0]
        self.call("signup/verify-code", email=email, code=code)

    def sign_in(self, email: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.call('login', email=email, password=PASSWORD)['access_token']}"}

    def cli(self, *words: str) -> Any:
        done = sekisho(*words, "--json", folder=self.folder)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def requests(self) -> float:
        lines = self.http.get("/metrics").text.splitlines()
        counted = [line for line in lines if line.startswith("sekisho_requests_total") and "/metrics" not in line]
        return sum(float(line.rpartition(" ")[2]) for line in counted)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, dict[str, httpx2.Client]]]:
    folder = tmp_path_factory.mktemp("guarded")
    with ExitStack() as stack:
        server = stack.enter_context(live_server(folder, SEKISHO_JWT__CLAIMS="roles"))
        site = Site(server.url, folder, stack)
        for email in EMAILS:
            site.sign_up(email)
        apis = {}
        for name in COMMANDS:
            key = site.cli("guard-key", "add", name)["text"]
            given = {"ISSUER": site.issuer, "GUARD_KEY": key, "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
            apis[name] = stack.enter_context(example(name, folder / f"{name}.log", **given))
        yield site, apis


def test_the_three_serve_notes_by_owner_and_by_role(guarded: tuple[Site, dict[str, httpx2.Client]]) -> None:
    site, apis = guarded
    hana, ren = (site.sign_in(email) for email in EMAILS)
    site.cli("user", "role", "add", EMAILS[1], "moderator")
    moderator = site.sign_in(EMAILS[1])
    for name, api in apis.items():
        made = api.post("/notes", json={"text": "tea"}, headers=hana)
        assert made.status_code == 201, (name, made.text)
        assert [note["text"] for note in api.get("/notes", headers=hana).json()] == ["tea"], name
        assert api.get("/notes", headers=ren).json() == [], name
        place = f"/notes/{made.json()['id']}"
        assert api.delete(place, headers=ren).status_code == 404, name
        assert api.delete(place, headers=moderator).status_code == 200, name
        assert api.delete(place, headers=hana).status_code == 404, name
        assert api.get("/payout", headers=hana).status_code == 200, name
        for bad in ({}, {"Authorization": "Bearer a.b.c"}):
            refused = api.get("/notes", headers=bad)
            assert (refused.status_code, refused.json()["error"]) == (401, "unauthorized"), name
            assert refused.headers["www-authenticate"].startswith('Bearer realm="api"'), name


def test_V7_4_1_a_session_ended_elsewhere_is_refused_by_all_three_within_a_second_and_none_asks_per_request(
    guarded: tuple[Site, dict[str, httpx2.Client]],
) -> None:
    site, apis = guarded
    ren = site.sign_in(EMAILS[1])

    def try_once() -> float:
        hana = site.sign_in(EMAILS[0])
        before = site.requests()
        for api in apis.values():
            for _ in range(100):
                assert api.get("/me", headers=hana).status_code == 200
        # Of 300 requests. The three may look at the keys again, each at most every 30 seconds, however long this takes.
        assert site.requests() - before <= 30
        refused: dict[str, str] = {}

        def is_refused() -> bool:
            for name in apis.keys() - refused.keys():
                answer = apis[name].get("/me", headers=hana)
                if answer.status_code != 200:
                    refused[name] = answer.json()["error"]
            return len(refused) == len(apis)

        took = seconds_to_refusal(site.folder, lambda: site.cli("session", "end", "--user", EMAILS[0]), is_refused)
        assert set(refused.values()) == {"session_revoked"}
        return took

    within_a_second(try_once)
    for api in apis.values():
        assert api.get("/me", headers=ren).status_code == 200


def test_on_the_servers_own_host_the_session_cookie_is_enough_to_read_and_a_page_of_its_own_to_write(
    guarded: tuple[Site, dict[str, httpx2.Client]],
) -> None:
    site, _ = guarded
    key = site.cli("guard-key", "add", "same-host")["text"]
    given = {"ISSUER": site.issuer, "GUARD_KEY": key, "SERVER_URL": str(site.http.base_url)}
    with example("guard-same-host", site.folder / "guard-same-host.log", **given) as api, ExitStack() as stack:
        page = stack.enter_context(httpx2.Client(base_url=site.issuer, headers={"Origin": site.issuer}))

        def sign_in() -> dict[str, str]:
            page.cookies.clear()
            value = page.get("/api/v1/auth/csrf").json()["csrf_token"]
            body = {"email": EMAILS[0], "password": PASSWORD, "client_id": "web", "transport": "session"}
            page.post("/api/v1/auth/login", json=body, headers={"X-CSRFToken": value}).raise_for_status()
            return {"Cookie": "; ".join(f"{name}={value}" for name, value in page.cookies.items())}

        cookie = sign_in()
        before = site.requests()
        for _ in range(50):
            assert api.get("/notes", headers=cookie).json() == []
        # Once about the cookie, and again every 30 seconds; keys and feed may be looked at beside.
        assert site.requests() - before <= 10

        own = {**cookie, "Origin": site.issuer, "X-CSRFToken": page.cookies["csrftoken"]}
        for bad in (cookie, {**own, "Origin": "https://evil.example"}, {**own, "X-CSRFToken": "a"}):
            refused = api.post("/notes", json={"text": "tea"}, headers=bad)
            assert (refused.status_code, refused.json()["error"]) == (403, "csrf_failed")
        assert api.post("/notes", json={"text": "tea"}, headers=own).status_code == 201
        assert [note["text"] for note in api.get("/notes", headers=cookie).json()] == ["tea"]

        def try_once() -> float:
            held = sign_in()
            session = api.get("/me", headers=held).json()["session"]
            answers: list[Any] = []

            def is_refused() -> bool:
                answers.append(api.get("/me", headers=held))
                return bool(answers[-1].status_code != 200)

            took = seconds_to_refusal(site.folder, lambda: site.cli("session", "end", session), is_refused)
            assert (answers[-1].status_code, answers[-1].json()["error"]) == (401, "session_revoked")
            return took

        within_a_second(try_once)

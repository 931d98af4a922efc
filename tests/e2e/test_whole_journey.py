"""One person's whole way through a production server: a real process, a real database file, real mail."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from free_ports import free_port
from live_server import LiveServer, live_server, sekisho

EMAIL, PASSWORD = "hana@example.com", "korewa nagai himitsu"
CLIENT = "phone:0123456789abcdef0123"


class Postbox(Message):
    """Keeps what the server's mail worker hands over."""

    def __init__(self) -> None:
        super().__init__()
        self.letters: list[Any] = []

    def handle_message(self, message: Any) -> None:
        self.letters.append(message)

    def wait_for(self, count: int) -> Any:
        deadline = time.monotonic() + 60
        while len(self.letters) < count:
            assert time.monotonic() < deadline, f"only {len(self.letters)} letters came"
            time.sleep(0.02)
        return self.letters[count - 1]


@pytest.fixture
def postbox() -> Iterator[tuple[Postbox, int]]:
    box = Postbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port(), ready_timeout=60)
    controller.start()
    try:
        yield box, controller.port
    finally:
        controller.stop()


def production(folder: Path, smtp_port: int) -> dict[str, str]:
    return {
        "SEKISHO_SECRET": "rJ5mVb0nT7hYq2uKxW9sDf4gLz8cAe1pQ6oIi3vBtEyUkMw",
        "SEKISHO_PUBLIC_URL": "https://auth.example.com",
        "SEKISHO_DATABASE_URL": f"sqlite:///{folder / 'sekisho.db'}",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(smtp_port),
        "SMTP_FROM": "Sekisho <no-reply@example.com>",
        "SEKISHO_MAIL__TLS": "off",
    }


def call(server: LiveServer, method: str, path: str, body: object = None, token: str | None = None) -> httpx2.Response:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx2.request(method, f"{server.url}/api/v1/{path}", json=body, headers=headers, timeout=30)


def test_a_person_signs_up_uses_restarts_survive_and_withdraws(tmp_path: Path, postbox: tuple[Postbox, int]) -> None:
    box, smtp_port = postbox
    environ = production(tmp_path, smtp_port)
    assert sekisho("migrate", folder=tmp_path, **environ).returncode == 0

    with live_server(tmp_path, "serve", **environ) as server:
        sent = call(
            server, "POST", "auth/signup/send-code", {"email": EMAIL, "password": PASSWORD, "client_id": CLIENT}
        )
        letter = box.wait_for(1)
        text = letter.get_payload(0).get_payload(decode=True).decode()
        code = re.search(r"\b\d{6}\b", text)
        assert code
        assert letter["To"] == EMAIL
        signed_up = call(
            server,
            "POST",
            "auth/signup/verify-code",
            {"email": EMAIL, "code": code.group(), "client_id": CLIENT, "pending": sent.json()["pending"]},
        )
        assert signed_up.status_code == 201
        assert httpx2.get(f"{server.url}/dev/mail.json").status_code == 404
        pair = signed_up.json()
        refresh = {"refresh_token": pair["refresh_token"], "client_id": CLIENT}
        first = call(server, "POST", "auth/refresh", refresh)
        server.kill()

    with live_server(tmp_path, "serve", **environ) as server:
        # The answer may have been lost with the server: the same token again gets the same successor.
        repeated = call(server, "POST", "auth/refresh", refresh)
        assert repeated.json()["refresh_token"] == first.json()["refresh_token"]
        token = repeated.json()["access_token"]
        logged_in = call(server, "POST", "auth/login", {"email": EMAIL, "password": PASSWORD, "client_id": "web"})
        sessions = call(server, "GET", "auth/sessions", token=token).json()["sessions"]
        assert {session["client_id"] for session in sessions} == {CLIENT, "web"}

        other = next(session["id"] for session in sessions if not session["current"])
        assert call(server, "DELETE", f"auth/sessions/{other}", token=token).status_code == 200
        ended = call(server, "GET", "auth/session", token=logged_in.json()["access_token"])
        assert ended.json()["error"] == "session_revoked"

        assert call(server, "DELETE", "user/account", {"password": PASSWORD}, token=token).status_code == 200
        assert box.wait_for(2)["To"] == EMAIL
        assert call(server, "GET", "auth/session", token=token).json()["error"] == "session_revoked"

    listed = sekisho("audit", "list", "--json", folder=tmp_path, **environ)
    assert listed.returncode == 0
    assert EMAIL not in listed.stdout
    assert PASSWORD not in server.output()
    assert EMAIL not in server.output()

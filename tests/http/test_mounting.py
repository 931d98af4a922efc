"""The application inside another ASGI application, under a path of its own."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from http_site import Site
from sekisho.assemble import application
from sekisho.settings import load
from sekisho.storage.sqlite.migration import migrate

pytestmark = pytest.mark.anyio


async def test_a_mounted_server_answers_under_its_path_only(site: Site) -> None:
    outer = Starlette(routes=[Mount("/login-server", app=site.app)])
    transport = httpx2.ASGITransport(app=outer)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost:8080") as client:
        fixed = await client.get("/login-server/healthz")
        with_parameter = await client.delete("/login-server/api/v1/auth/sessions/abc")
        outside = await client.get("/healthz")

    assert fixed.json() == {"status": "ok"}
    assert with_parameter.json()["error"] == "unauthorized"
    assert outside.status_code == 404


async def test_the_lifespan_opens_and_closes_everything(tmp_path: Path) -> None:
    settings = load("dev", {}, tmp_path)
    migrate(settings.database_path)
    app = application(settings)
    told: list[str] = []
    asked = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> dict[str, str]:
        kind = next(asked)
        if kind == "lifespan.shutdown":
            transport = httpx2.ASGITransport(app=app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://localhost:8080") as client:
                assert (await client.get("/readyz")).status_code == 200
        return {"type": kind}

    async def send(message: dict[str, str]) -> None:
        told.append(message["type"])

    await app({"type": "lifespan"}, receive, send)

    assert told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    wal = settings.database_path.with_name(settings.database_path.name + "-wal")
    assert not wal.exists() or wal.stat().st_size == 0

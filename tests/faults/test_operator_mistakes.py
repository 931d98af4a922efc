"""FS-14, FS-28: a lost secret, another issuer, a key that is gone: refused with one clear sentence, or survived."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from faults.engines import ON_EVERY_ENGINE
from faults.load import CLIENT, Nodes, Told, look
from faults.site import Pair, Site, account, port_of, ports_of, refresh, sign_in
from faults.wire import Wire
from free_ports import free_port

pytestmark = pytest.mark.anyio


def content(site: Site) -> list[list[tuple[Any, ...]]]:
    """Everything that a start could make in silence."""
    return [site.rows(f"SELECT * FROM {table} ORDER BY 1") for table in ("meta", "signing_keys", "audit", "accounts")]


@ON_EVERY_ENGINE
async def test_FS_14_another_master_secret_is_refused_and_nothing_is_made(site: Site) -> None:
    await site.seed(account(0))
    with site.serving() as server:
        pair = await sign_in(Wire(port_of(server)))
    before = content(site)

    wrong = secrets.token_urlsafe(32)
    refused = site.command("serve", "--port", str(free_port()), SEKISHO_SECRET=wrong)
    assert refused.returncode == 1
    assert "SEKISHO_SECRET" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert wrong not in refused.stderr
    assert content(site) == before

    with site.serving() as server:
        assert (await refresh(Wire(port_of(server)), pair.refresh_token)).status == 200


# Refused before any engine is spoken to.
@pytest.mark.parametrize("secret", ["", "too-short"])
def test_FS_14_no_secret_or_a_poor_one_is_refused_before_anything_is_opened(
    tmp_path_factory: pytest.TempPathFactory, secret: str
) -> None:
    site = Site(tmp_path_factory.mktemp("site"))
    before = site.database.read_bytes()
    given = {"SEKISHO_SECRET": secret} if secret else {}
    if not secret:
        del site.environ["SEKISHO_SECRET"]
    refused = site.command("serve", "--port", str(free_port()), **given)
    assert refused.returncode == 1
    assert "SEKISHO_SECRET" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert site.database.read_bytes() == before


@ON_EVERY_ENGINE
async def test_FS_14_a_database_without_its_check_value_does_not_take_a_wrong_secret(site: Site) -> None:
    await site.seed(account(0))
    with site.serving():
        pass
    site.rows("DELETE FROM meta WHERE name = 'master_secret_check'")
    before = content(site)
    refused = site.command("serve", "--port", str(free_port()), SEKISHO_SECRET=secrets.token_urlsafe(32))
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert content(site) == before
    with site.serving():
        pass


# The issuer stands in access tokens alone, which no engine keeps.
async def test_FS_28_another_issuer_costs_access_tokens_and_no_session(site: Site) -> None:
    await site.seed(account(0))
    with site.serving() as server:
        old = await sign_in(Wire(port_of(server)))
    with site.serving(SEKISHO_PUBLIC_URL="https://login.example.org") as server:
        wire = Wire(port_of(server))
        assert (await wire.call("GET", "auth/session", token=old.access_token)).status == 401
        new = Pair.of(await refresh(wire, old.refresh_token))
        await look(wire, Told(0, pair=new))
    assert (old.claims["iss"], new.claims["iss"]) == ("https://auth.example.com", "https://login.example.org")


# A rule of the settings alone.
def test_FS_28_trusting_everybody_as_a_proxy_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    site = Site(tmp_path_factory.mktemp("site"))
    for networks in ("0.0.0.0/0", "10.0.0.0/8,::/0", "anything"):
        refused = site.command("serve", "--port", str(free_port()), SEKISHO_TRUSTED_PROXIES=networks)
        assert refused.returncode == 1
        assert "SEKISHO_TRUSTED_PROXIES" in refused.stderr


@ON_EVERY_ENGINE
async def test_FS_28_a_compromised_key_asks_first_and_logs_nobody_out(site: Site) -> None:
    await site.seed(account(0))
    with site.nodes() as servers:
        nodes = Nodes(ports_of(servers))
        pair = await sign_in(nodes.next())
        kid = site.value("SELECT kid FROM signing_keys WHERE state = 'active'")
        unasked = site.command("key", "compromise", kid, "--json")
        assert unasked.returncode != 0
        assert site.value("SELECT state FROM signing_keys WHERE kid = ?", kid) == "active"

        assert site.command("key", "compromise", kid, "--yes", "--json").returncode == 0
        for _ in servers:
            wire = nodes.next()
            refused = await wire.call("GET", "auth/session", token=pair.access_token)
            assert (refused.status, refused.error) == (401, "access_token_expired")
            keys = (await wire.call("GET", "/.well-known/jwks.json")).json()["keys"]
            assert kid not in {key["kid"] for key in keys}
        again = Pair.of(await refresh(nodes.next(), pair.refresh_token))
        await look(nodes.next(), Told(0, pair=again))
        await nodes.close()


@ON_EVERY_ENGINE
async def test_FS_28_keys_deleted_by_hand_are_replaced_and_logs_nobody_out(site: Site) -> None:
    await site.seed(account(0))
    with site.serving() as server:
        pair = await sign_in(Wire(port_of(server)))
    site.rows("DELETE FROM signing_keys")
    with site.serving() as server:
        wire = Wire(port_of(server))
        assert (await wire.call("GET", "auth/session", token=pair.access_token)).status == 401
        await look(wire, Told(0, pair=Pair.of(await refresh(wire, pair.refresh_token))))


@ON_EVERY_ENGINE
async def test_FS_28_shorter_lifetimes_hold_for_what_is_issued_from_then_on(site: Site) -> None:
    await site.seed(account(0))
    with site.serving() as server:
        pair = await sign_in(Wire(port_of(server)))
    with site.serving(SEKISHO_JWT__ACCESS_MINUTES="5", SEKISHO_SESSION__IDLE_DAYS="1") as server:
        wire = Wire(port_of(server))
        await look(wire, Told(0, pair=pair))
        new = Pair.of(await refresh(wire, pair.refresh_token))
        body = {"refresh_token": new.refresh_token, "client_id": CLIENT}
        assert (await wire.call("POST", "auth/logout", body)).status == 200
        ended = await wire.call("GET", "auth/session", token=pair.access_token)
        assert ended.error == "session_revoked"
    assert new.claims["exp"] - new.claims["iat"] <= 300 < pair.claims["exp"] - pair.claims["iat"]

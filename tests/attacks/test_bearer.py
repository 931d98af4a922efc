"""Access tokens that somebody made, bent or borrowed, on a protected call: one answer, and no door opens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from attacks.support import corpus, refusals, rows, told
from http_site import Site
from sekisho.rfc import base64url
from sekisho.rfc.jwk import render_jwk, render_jwks, to_jwk
from sekisho.rfc.keys import PrivateKey, SymmetricKey, new_private_key

pytestmark = pytest.mark.anyio

ATTEMPTS = corpus("bearer")
ATTACKER = new_private_key("ES256")


def our_key(site: Site) -> PrivateKey:
    key = site.edge.authenticate.access_tokens._keys.active
    assert isinstance(key, PrivateKey)
    return key


def signature(how: str, signed: bytes, key: PrivateKey) -> bytes:
    half = key.material.public_key()
    secrets = {
        "public_pem": half.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "public_der": half.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "public_jwk": render_jwk(key.public).encode(),
        "public_jwks": render_jwks([key.public]),
        "empty": b"\0" * 32,
    }
    if how == "blank":
        return b""
    if how in ("ours", "attacker"):
        return (key if how == "ours" else ATTACKER).sign(signed)
    return SymmetricKey(secrets[how]).sign(signed)


def part(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64url.decode(text, 4096))
    return found


def changed(good: dict[str, Any], changes: dict[str, Any]) -> str:
    """Return the part with these changes as a segment; None takes a member away."""
    whole = {**good, **changes}
    if whole.get("jwk") == "attacker":
        whole["jwk"] = to_jwk(ATTACKER.public)
    return base64url.encode(json.dumps({name: value for name, value in whole.items() if value is not None}).encode())


def attempt_of(given: dict[str, Any], good: str, key: PrivateKey) -> str:
    if "raw" in given:
        return str(given["raw"])
    if "mutate" in given:
        head, rest = good[:60], good[60:]
        return {"tab": f"{head}\t{rest}", "padding": f"{good}==", "long": good + "A" * 9000}[given["mutate"]]
    head, body, _ = good.split(".")
    signed = f"{changed(part(head), given.get('header', {}))}.{changed(part(body), given.get('claims', {}))}"
    return f"{signed}.{base64url.encode(signature(given['sign'], signed.encode(), key))}"


async def test_V9_1_2_no_made_up_token_opens_anything(site: Site, tmp_path: Path) -> None:
    app = site.client()
    good = (await app.signed_in())["access_token"]
    plainly_wrong = (await app.get("auth/session", authorization="Bearer x")).content
    before, counted = rows(tmp_path), refusals(site, "unauthorized")

    wrongly = {}
    for attempt in ATTEMPTS:
        token = attempt_of(attempt["input"], good, our_key(site))
        reading = await app.get("auth/session", authorization=f"Bearer {token}")
        writing = await app.call("PUT", "user/profile", {"name": "Mallory"}, authorization=f"Bearer {token}")
        tells_why = attempt["expected"] == "unauthorized" and reading.content != plainly_wrong
        if {told(reading), told(writing)} != {(401, attempt["expected"])} or tells_why:
            wrongly[attempt["id"]] = (told(reading), told(writing))

    assert wrongly == {}
    assert rows(tmp_path) == before
    unauthorized = [attempt for attempt in ATTEMPTS if attempt["expected"] == "unauthorized"]
    assert refusals(site, "unauthorized") == counted + 2 * len(unauthorized)


async def test_the_unchanged_token_made_by_the_same_means_does_open(site: Site) -> None:
    """Without this, every line above could pass because the means are broken."""
    app = site.client()
    good = (await app.signed_in())["access_token"]
    same = attempt_of({"header": {}, "claims": {}, "sign": "ours"}, good, our_key(site))

    assert same != good
    assert (await app.get("auth/session", authorization=f"Bearer {same}")).status_code == 200

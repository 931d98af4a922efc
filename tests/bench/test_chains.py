"""Refresh chains: the driver notices every answer that breaks the promise."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.chains import Chains, chains, counter_of
from bench.seeding import seed
from bench.site import Site
from msgspec import json

from sekisho.tokens.refresh_token import RefreshTokens

pytestmark = pytest.mark.anyio


@pytest.fixture
async def site(tmp_path: Path) -> Site:
    return await seed(tmp_path, 20)


def pair(token: str) -> bytes:
    return json.encode({"access_token": "a", "refresh_token": token, "token_type": "Bearer", "expires_in": 1})


def presented_by(one: Chains) -> str:
    body = one.request().partition(b"\r\n\r\n")[2]
    return str(json.decode(body)["refresh_token"])


async def test_a_chain_goes_on_with_the_successor(site: Site) -> None:
    minter, one = RefreshTokens(site.master()), Chains(site, [3])
    first = presented_by(one)

    successor = minter.successor(minter.open(first))

    assert one.judge(200, pair(successor)) == ""
    assert presented_by(one) == successor
    assert counter_of(successor) == 1


async def test_the_same_token_again_or_the_one_after_next_breaks_the_promise(site: Site) -> None:
    minter, one = RefreshTokens(site.master()), Chains(site, [3])
    first = presented_by(one)
    third = minter.successor(minter.open(minter.successor(minter.open(first))))

    assert one.judge(200, pair(first)) == "a refresh token that does not follow the presented one"
    assert one.judge(200, pair(third)) == "a refresh token that does not follow the presented one"


async def test_a_token_of_another_session_breaks_the_promise(site: Site) -> None:
    minter, one = RefreshTokens(site.master()), Chains(site, [3])
    presented_by(one)
    foreign = minter.successor(minter.open(site.refresh_token(4, minter)))

    assert one.judge(200, pair(foreign)) == "a refresh token that does not follow the presented one"


async def test_a_refusal_of_a_good_token_breaks_the_promise(site: Site) -> None:
    one = Chains(site, [3])
    presented_by(one)

    assert one.judge(401, b"{}") == "a good refresh token was answered with 401"


async def test_no_session_belongs_to_two_users(site: Site) -> None:
    users, tabs = chains(site, 4)
    owned = [index for one in (*users, tabs.chains) for index in one._own]

    assert sorted(owned) == list(site.body_sessions)

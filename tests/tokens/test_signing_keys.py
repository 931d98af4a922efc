"""Signing keys: nodes agree, rotation logs nobody out, a bad key stops at once, a stolen database signs nothing."""

from __future__ import annotations

import asyncio
import json

import pytest
from msgspec import structs

from sekisho.errors import AccessTokenExpired, NotFound
from sekisho.master_secret import MasterSecret, UnsealError
from sekisho.model import EndReason, KeyState, Origin, SigningKey
from sekisho.ports.changes import AddAccount, AppendJournal, EndSession, StartSession
from sekisho.ports.storage import Store
from sekisho.revocations import Revocations, follow
from sekisho.rfc import jwt
from sekisho.rfc.keys import KeyRefused
from sekisho.tokens.access_token import AccessTokens
from sekisho.tokens.signing_keys import (
    KeyRing,
    KeySigns,
    compromise_key,
    ensure_keys,
    new_signing_key,
    retire_key,
    rotate_keys,
)
from tokens.given import ACCOUNT, AUDIENCE, DAY, ISSUER, MINUTE, NOW, a_session

pytestmark = pytest.mark.anyio

MASTER = MasterSecret(b"0123456789abcdef0123456789abcdef")
VERIFY_FOR = 20 * MINUTE


class Node:
    """One server: its view of the store, its ring, its memory of revocations."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.keys = KeyRing(MASTER)
        self.revocations = Revocations()
        self.tokens = AccessTokens(self.keys, self.revocations, issuer=ISSUER, audience=AUDIENCE, lifetime_s=900)

    async def start(self) -> Node:
        await ensure_keys(self.store, MASTER, "ES256", NOW)
        await self.revocations.load(self.store)
        await self.reload()
        return self

    async def reload(self, now: int = NOW) -> None:
        self.keys.load(await self.store.list_signing_keys(), now)

    def mint(self) -> str:
        return self.tokens.mint(a_session(), ACCOUNT, NOW).token

    def published(self) -> set[str]:
        return {key["kid"] for key in json.loads(self.keys.jwks())["keys"]}


async def rotate(store: Store) -> list[SigningKey]:
    return await rotate_keys(store, MASTER, "ES256", NOW, VERIFY_FOR)


def in_state(keys: list[SigningKey], state: KeyState) -> list[str]:
    return [key.kid for key in keys if key.state is state]


@pytest.mark.parametrize("alg", ["ES256", "Ed25519", "RS256"])
async def test_a_new_installation_gets_an_active_and_a_next_key(store: Store, alg: str) -> None:
    keys = await ensure_keys(store, MASTER, alg, NOW)
    assert sorted(key.state for key in keys) == [KeyState.ACTIVE, KeyState.NEXT]
    assert {key.alg for key in keys} == {alg}
    assert await ensure_keys(store, MASTER, alg, NOW + 1) == keys
    assert [key.activated_at for key in keys if key.state is KeyState.ACTIVE] == [NOW]


async def test_nodes_that_start_at_once_agree(store: Store, other_node: Store) -> None:
    found = await asyncio.gather(*(ensure_keys(node, MASTER, "ES256", NOW) for node in [store, other_node] * 4))
    assert {frozenset(key.kid for key in keys) for keys in found} == {frozenset(key.kid for key in found[0])}
    assert len(found[0]) == 2


async def test_an_algorithm_that_there_is_not_is_refused_and_nothing_stored(store: Store) -> None:
    for alg in ("HS256", "none", ""):
        with pytest.raises(KeyRefused):
            await ensure_keys(store, MASTER, alg, NOW)
    assert await store.list_signing_keys() == []


async def test_rotation_moves_each_key_one_state_on(store: Store) -> None:
    before = await ensure_keys(store, MASTER, "ES256", NOW)
    after = await rotate(store)
    assert in_state(after, KeyState.RETIRED) == in_state(before, KeyState.ACTIVE)
    assert in_state(after, KeyState.ACTIVE) == in_state(before, KeyState.NEXT)
    assert len(in_state(after, KeyState.NEXT)) == 1
    assert [key.verify_until_at for key in after if key.state is KeyState.RETIRED] == [NOW + VERIFY_FOR]


async def test_rotation_logs_nobody_out_on_any_node(store: Store, other_node: Store) -> None:
    here, there = await Node(store).start(), await Node(other_node).start()
    old = here.mint()
    await rotate(store)
    await here.reload()

    assert here.tokens.verify(old, NOW + VERIFY_FOR // 2).iss == ISSUER
    new = here.mint()
    assert there.tokens.verify(new, NOW).iss == ISSUER  # there, the key is still `next`
    assert len(here.published()) == 3


async def test_when_a_retired_key_is_over_its_tokens_ask_for_a_refresh_and_the_jwks_drops_it(store: Store) -> None:
    node = await Node(store).start()
    token, kid = node.mint(), node.keys.active.kid
    await rotate_keys(store, MASTER, "ES256", NOW, MINUTE)
    await node.reload(NOW + MINUTE)
    assert kid not in node.published()
    with pytest.raises(AccessTokenExpired, match="key"):
        node.tokens.verify(token, NOW + MINUTE)


async def test_rotations_at_once_leave_one_active_and_one_next(store: Store, other_node: Store) -> None:
    await ensure_keys(store, MASTER, "ES256", NOW)
    await asyncio.gather(*(rotate(node) for node in [store, other_node] * 3))
    keys = await store.list_signing_keys()
    assert (len(in_state(keys, KeyState.ACTIVE)), len(in_state(keys, KeyState.NEXT))) == (1, 1)
    assert len(in_state(keys, KeyState.RETIRED)) >= 1


async def test_what_is_to_commit_with_a_rotation_or_a_compromise_commits_once(store: Store) -> None:
    kid = in_state(await ensure_keys(store, MASTER, "ES256", NOW), KeyState.ACTIVE)[0]

    def note(about: str) -> AppendJournal:
        return AppendJournal(kind="jti", value=about, expires_at=NOW + DAY, reason="test")

    await rotate_keys(store, MASTER, "ES256", NOW, VERIFY_FOR, also=lambda retired: (note(retired.kid),))
    for _ in range(2):
        await compromise_key(store, MASTER, "ES256", kid, NOW, NOW + DAY, also=(note("compromised"),))
    entries = (await store.read_journal(0)).entries
    assert [(entry.kind, entry.value) for entry in entries] == [("jti", kid), ("key", kid), ("jti", "compromised")]


async def test_another_algorithm_is_published_first_and_signs_after_the_rotation(store: Store) -> None:
    await ensure_keys(store, MASTER, "ES256", NOW)
    keys = await ensure_keys(store, MASTER, "Ed25519", NOW)
    assert {key.state: key.alg for key in keys if key.state is not KeyState.RETIRED} == {
        KeyState.ACTIVE: "ES256",
        KeyState.NEXT: "Ed25519",
    }
    after = await rotate_keys(store, MASTER, "Ed25519", NOW, VERIFY_FOR)
    assert {key.alg for key in after if key.state in (KeyState.ACTIVE, KeyState.NEXT)} == {"Ed25519"}


async def test_a_compromised_active_key_is_replaced_by_the_next_and_journalled(store: Store) -> None:
    node = await Node(store).start()
    token, kid = node.mint(), node.keys.active.kid
    before = await store.list_signing_keys()
    after = await compromise_key(store, MASTER, "ES256", kid, NOW, NOW + DAY)

    assert in_state(after, KeyState.COMPROMISED) == [kid]
    assert in_state(after, KeyState.ACTIVE) == in_state(before, KeyState.NEXT)
    assert len(in_state(after, KeyState.NEXT)) == 1
    page = await store.read_journal(0)
    assert [(entry.kind, entry.value, entry.expires_at) for entry in page.entries] == [("key", kid, NOW + DAY)]

    await node.reload()
    assert kid not in node.published()
    with pytest.raises(AccessTokenExpired, match="key"):
        node.tokens.verify(token, NOW)
    assert node.tokens.verify(node.mint(), NOW).iss == ISSUER


@pytest.mark.parametrize("state", [KeyState.NEXT, KeyState.RETIRED])
async def test_a_compromised_key_that_does_not_sign_leaves_the_active_one(store: Store, state: KeyState) -> None:
    before = await rotate(store)
    kid = in_state(before, state)[0]
    after = await compromise_key(store, MASTER, "ES256", kid, NOW, NOW + DAY)
    assert in_state(after, KeyState.COMPROMISED) == [kid]
    assert in_state(after, KeyState.ACTIVE) == in_state(before, KeyState.ACTIVE)
    assert len(in_state(after, KeyState.NEXT)) == 1


async def test_a_key_retired_by_hand_verifies_no_more_and_its_tokens_ask_for_a_refresh(store: Store) -> None:
    node = await Node(store).start()
    token, kid = node.mint(), node.keys.active.kid
    await rotate(store)
    after = await retire_key(store, MASTER, "ES256", kid, NOW + MINUTE, NOW + DAY)
    assert [(key.state, key.verify_until_at) for key in after if key.kid == kid] == [(KeyState.RETIRED, NOW + MINUTE)]
    page = await store.read_journal(0)
    assert [(entry.kind, entry.value, entry.expires_at) for entry in page.entries] == [("key", kid, NOW + DAY)]

    await node.reload(NOW + MINUTE)
    assert kid not in node.published()
    with pytest.raises(AccessTokenExpired, match="key"):
        node.tokens.verify(token, NOW + MINUTE)
    assert node.tokens.verify(node.mint(), NOW).iss == ISSUER


async def test_the_next_key_can_be_retired_and_is_replaced_and_the_active_one_cannot(store: Store) -> None:
    before = await ensure_keys(store, MASTER, "ES256", NOW)
    active, following = (in_state(before, state)[0] for state in (KeyState.ACTIVE, KeyState.NEXT))
    after = await retire_key(store, MASTER, "ES256", following, NOW, NOW + DAY)
    assert in_state(after, KeyState.RETIRED) == [following]
    assert in_state(after, KeyState.ACTIVE) == [active]
    assert len(in_state(after, KeyState.NEXT)) == 1
    with pytest.raises(KeySigns):
        await retire_key(store, MASTER, "ES256", active, NOW, NOW + DAY)
    assert await store.list_signing_keys() == after


async def test_a_key_is_retired_once_however_many_try_and_a_compromised_one_stays_so(
    store: Store, other_node: Store
) -> None:
    after = await rotate(store)
    kid = in_state(after, KeyState.RETIRED)[0]
    nodes = [store, other_node] * 4
    await asyncio.gather(*(retire_key(node, MASTER, "ES256", kid, NOW + MINUTE, NOW + DAY) for node in nodes))
    assert [entry.value for entry in (await store.read_journal(0)).entries] == [kid]
    lost = await compromise_key(store, MASTER, "ES256", kid, NOW, NOW + DAY)
    assert await retire_key(store, MASTER, "ES256", kid, NOW, NOW + DAY) == lost
    assert in_state(lost, KeyState.COMPROMISED) == [kid]
    with pytest.raises(NotFound):
        await retire_key(store, MASTER, "ES256", "unknown", NOW, NOW + DAY)


async def test_compromising_twice_changes_nothing_and_an_unknown_key_is_not_found(store: Store) -> None:
    kid = in_state(await ensure_keys(store, MASTER, "ES256", NOW), KeyState.ACTIVE)[0]
    once = await compromise_key(store, MASTER, "ES256", kid, NOW, NOW + DAY)
    assert await compromise_key(store, MASTER, "ES256", kid, NOW, NOW + DAY) == once
    assert len((await store.read_journal(0)).entries) == 1
    with pytest.raises(NotFound):
        await compromise_key(store, MASTER, "ES256", "unknown", NOW, NOW + DAY)


async def test_what_another_process_does_is_noticed_within_100_ms(store: Store, other_node: Store) -> None:
    node = await Node(store).start()
    session = a_session()
    await store.apply(AddAccount(account=ACCOUNT))
    await store.apply(
        StartSession(
            session=session,
            security_version=1,
            max_sessions=5,
            journal_until_at=NOW + DAY,
            origin=Origin(),
            now=NOW,
        )
    )
    failures: list[Exception] = []
    following = asyncio.create_task(follow(node.store, node.revocations, node.reload, report=failures.append))
    try:
        await asyncio.sleep(0.12)
        kid = node.keys.active.kid
        await other_node.apply(
            EndSession(session_id=session.id, reason=EndReason.LOGOUT, now=NOW, journal_until_at=NOW + DAY)
        )
        await rotate(other_node)
        began = asyncio.get_running_loop().time()
        while not (
            node.keys.active.kid != kid
            and node.revocations.is_revoked(session_id=session.id, jti="", client_id="", kid="")
        ):
            assert asyncio.get_running_loop().time() - began < 30, failures
            await asyncio.sleep(0.005)
    finally:
        following.cancel()
    assert failures == []


async def test_a_key_that_somebody_wrote_into_the_database_verifies_nothing(store: Store) -> None:
    node = await Node(store).start()
    ring = KeyRing(MASTER)
    ours = (await store.list_signing_keys())[0]
    foreign = await new_signing_key(MasterSecret(b"x" * 32), "ES256", KeyState.ACTIVE, NOW)
    moved = structs.replace(ours, kid=foreign.kid)
    for row in (foreign, moved, structs.replace(ours, alg="RS256"), structs.replace(ours, sealed_private=b"")):
        with pytest.raises(UnsealError):
            ring.load([row], NOW)
    for row in (foreign, moved):
        with pytest.raises(UnsealError):
            node.keys.load([ours, row], NOW)
    assert json.loads(ring.jwks()) == {"keys": []}
    assert node.tokens.verify(node.mint(), NOW).iss == ISSUER

    swapped = structs.replace(ours, public_jwk=foreign.public_jwk)
    ring.load([swapped], NOW)
    assert {key["kid"] for key in json.loads(ring.jwks())["keys"]} == {ours.kid}


async def test_the_store_holds_no_private_key_in_the_clear(store: Store) -> None:
    for key in await ensure_keys(store, MASTER, "ES256", NOW):
        assert '"d"' not in key.public_jwk
        assert key.sealed_private[1:].find(b"\x30\x81\x87\x02\x01\x00") == -1


async def test_an_empty_ring_signs_nothing_and_knows_no_key() -> None:
    ring = KeyRing(MASTER)
    with pytest.raises(LookupError):
        _ = ring.active
    with pytest.raises(jwt.UnknownKey):
        ring.find("")
    assert not ring.accepts("", 0)


async def test_the_jwks_shows_public_members_only(store: Store) -> None:
    node = await Node(store).start()
    for key in json.loads(node.keys.jwks())["keys"]:
        assert key.keys() == {"kty", "crv", "x", "y", "alg", "kid", "use"}


async def test_loading_again_keeps_the_parsed_keys(store: Store) -> None:
    node = await Node(store).start()
    active = node.keys.active
    await node.reload()
    assert node.keys.active is active

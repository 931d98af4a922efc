"""Profile: what people may say about themselves, bounded."""

from __future__ import annotations

from asyncio import gather

import pytest

from sekisho.errors import SessionRevoked, ValidationError
from sekisho.flows.profile import ProfileChange, change_profile, read_profile
from sekisho.model import Account
from sekisho.sessions import TokenPair
from world import HOME, World, principal_of

pytestmark = pytest.mark.anyio


async def changed(world: World, pair: TokenPair, name: str | None = None, locale: str | None = None) -> Account:
    return await change_profile(ProfileChange(name, locale), principal_of(pair), HOME, world.edge.profile)


async def test_name_and_locale_change_and_are_read_again(world: World) -> None:
    pair = await world.signed_in()
    after = await changed(world, pair, "山田 花子", "ja")
    assert (after.name, after.locale) == ("山田 花子", "ja")
    assert await read_profile(principal_of(pair), world.edge.profile) == after


async def test_what_is_not_said_stays_as_it_is(world: World) -> None:
    pair = await world.signed_in()
    await changed(world, pair, "Hanako", "ja")
    assert (await changed(world, pair, name="Hana")).locale == "ja"
    assert (await changed(world, pair, locale="en")).name == "Hana"


async def test_two_tabs_that_change_different_fields_at_once_lose_nothing(world: World) -> None:
    pair = await world.signed_in()
    await gather(changed(world, pair, name="Hana"), changed(world, pair, locale="ja"))
    after = await read_profile(principal_of(pair), world.edge.profile)
    assert (after.name, after.locale) == ("Hana", "ja")


async def test_a_name_of_only_spaces_clears_it(world: World) -> None:
    pair = await world.signed_in()
    await changed(world, pair, "Hanako")
    assert (await changed(world, pair, " \u3000 ")).name == ""


@pytest.mark.parametrize(
    ("name", "locale", "details"),
    [
        ("n" * 101, None, {"name": "too_long"}),
        ("Hana\nko", None, {"name": "control_characters"}),
        ("Hana\u2028ko", None, {"name": "control_characters"}),
        (None, "fr", {"locale": "invalid_choice"}),
        ("n" * 101, "", {"name": "too_long", "locale": "invalid_choice"}),
    ],
)
async def test_what_is_not_acceptable_is_named_and_changes_nothing(
    world: World, name: str | None, locale: str | None, details: dict[str, str]
) -> None:
    pair = await world.signed_in()
    with pytest.raises(ValidationError) as refused:
        await changed(world, pair, name, locale)
    assert refused.value.details == details
    assert await read_profile(principal_of(pair), world.edge.profile) == pair.account


async def test_a_change_has_one_audit_record_without_the_name(world: World) -> None:
    pair = await world.signed_in()
    await changed(world, pair, "Hanako")
    [line] = await world.audit("profile_changed")
    assert (line.account_id, line.session_id) == (pair.account.id, pair.session.id)
    assert "Hanako" not in str(line)


async def test_KA_027_a_disabled_account_changes_nothing(world: World) -> None:
    pair = await world.signed_in()
    await world.disable(pair.account.id)
    with pytest.raises(SessionRevoked):
        await changed(world, pair, "Hanako")
    assert await world.audit("profile_changed") == []

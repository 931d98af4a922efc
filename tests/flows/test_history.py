"""History: what happened to my account, and to no other."""

from __future__ import annotations

import pytest

from sekisho.errors import InvalidCredentials, ValidationError
from sekisho.flows.history import PAGE, history
from sekisho.flows.session_list import end_session
from world import ELSEWHERE, HOME, World, principal_of

pytestmark = pytest.mark.anyio


async def test_what_happened_to_the_account_is_listed_newest_first_failures_too(world: World) -> None:
    pair = await world.signed_in()
    with pytest.raises(InvalidCredentials):
        await world.login(password="not the password", origin=ELSEWHERE)
    await end_session((await world.login()).session.id, principal_of(pair), HOME, world.edge.session_list)
    await world.signed_in("jiro@mail.test")

    page = await history(principal_of(pair), None, world.edge.history)

    assert [(each.event, each.outcome) for each in page.records] == [
        ("session_ended", "success"),
        ("login", "success"),
        ("login", "failure"),
        ("login", "success"),
    ]
    assert page.records[2].ip == ELSEWHERE.ip
    assert page.next is None


async def test_a_long_history_is_read_page_by_page(world: World) -> None:
    pair = await world.signed_in()
    for _ in range(PAGE):
        await world.login()

    seen, after = [], None
    while True:
        page = await history(principal_of(pair), after, world.edge.history)
        seen += [each.seq for each in page.records]
        if (after := page.next) is None:
            break
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) > PAGE


async def test_V8_2_2_a_cursor_is_good_for_the_account_that_it_was_given_to(world: World) -> None:
    hanako, jiro = await world.signed_in(), await world.signed_in("jiro@mail.test")
    for _ in range(PAGE):
        await world.login()
    cursor = (await history(principal_of(hanako), None, world.edge.history)).next
    assert cursor is not None

    for wrong in (cursor[:-2], "12", "", "x" * 5000):
        with pytest.raises(ValidationError):
            await history(principal_of(hanako), wrong, world.edge.history)
    with pytest.raises(ValidationError):
        await history(principal_of(jiro), cursor, world.edge.history)

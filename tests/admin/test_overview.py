"""Overview: what an operator needs to tell an owner from a thief."""

from __future__ import annotations

import pytest

from sekisho.admin.overview import RECENT, look_at
from sekisho.flows.password_change import PasswordChange, change_password
from sekisho.flows.recovery_email import (
    SendRecoveryEmailCode,
    VerifyRecoveryEmailCode,
    send_recovery_email_code,
    verify_recovery_email_code,
)
from sekisho.sessions import TokenPair
from world import ELSEWHERE, HANAKO, JIRO, PASSWORD, World, principal_of

pytestmark = pytest.mark.anyio

SECOND = "second@mail.test"


async def set_second(world: World, pair: TokenPair) -> None:
    who, flows = principal_of(pair), world.edge.recovery_email
    await send_recovery_email_code(SendRecoveryEmailCode(SECOND, PASSWORD, ELSEWHERE), who, flows)
    await verify_recovery_email_code(VerifyRecoveryEmailCode(SECOND, await world.code(SECOND), ELSEWHERE), who, flows)


async def test_what_opens_an_account_is_shown_with_since_when_and_where_it_was_changed_from(world: World) -> None:
    thief = await world.signed_in(origin=ELSEWHERE)
    await set_second(world, thief)
    set_at = world.now
    world.clock.advance(minutes=1)
    enrolled_at = world.now
    await world.enrolled(thief)
    found = await look_at(HANAKO, world.operator())
    assert found.recovery_email is not None
    assert found.recovery_email.verified_at == set_at
    assert (found.second_factors, found.second_factors_at) == (("totp",), (enrolled_at,))
    changes = [(line.event, line.at, line.session_id) for line in found.recent_changes]
    assert ("recovery_email_set", set_at, thief.session.id) in changes
    assert ("factor_added", enrolled_at, thief.session.id) in changes
    assert [line.ip for line in found.recent_changes if line.event == "recovery_email_set"] == [ELSEWHERE.ip]


async def test_the_newest_changes_come_first_and_everyday_lines_never(world: World) -> None:
    pair = await world.signed_in()
    await world.signed_in(JIRO)
    old, new = PASSWORD, "thirteen loud crickets"
    for _ in range(RECENT + 2):
        wanted = PasswordChange(current_password=old, password=new)
        await change_password(wanted, principal_of(pair), ELSEWHERE, world.edge.password_change)
        await world.login(password=new)
        old, new = new, old
        world.clock.advance(minutes=30)
    found = (await look_at(HANAKO, world.operator())).recent_changes
    assert [line.event for line in found] == ["password_change"] * RECENT
    assert [line.seq for line in found] == sorted((line.seq for line in found), reverse=True)
    assert found[0].seq == (await world.audit("password_change"))[-1].seq
    assert (await look_at(JIRO, world.operator())).recent_changes == ()


async def test_what_was_refused_is_no_change(world: World) -> None:
    pair = await world.signed_in()
    wanted = PasswordChange(current_password="wrong one", password="thirteen loud crickets")
    with pytest.raises(Exception, match="wrong_password"):
        await change_password(wanted, principal_of(pair), ELSEWHERE, world.edge.password_change)
    assert (await look_at(HANAKO, world.operator())).recent_changes == ()

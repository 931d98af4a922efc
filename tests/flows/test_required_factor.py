"""A second factor that is required, by role or by app: nothing without a second step, and no guarded role without a
second factor."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sekisho.admin.accounts import change_roles
from sekisho.errors import FactorRequired, ServiceUnavailable
from sekisho.flows.factors import remove
from sekisho.flows.login import Login, login
from sekisho.flows.second_factor import SecondFactor, SendFactorCode, second_factor, send_code
from sekisho.flows.session_list import current_session
from sekisho.flows.step_up import StepUp, step_up
from sekisho.mfa.challenges import SecondFactorRequired
from sekisho.mfa.methods import Method
from sekisho.model import Transport
from sekisho.ports.changes import SetRoles
from sekisho.sessions import TokenPair
from world import HANAKO, HOME, PASSWORD, World, WorldWith, principal_of

pytestmark = pytest.mark.anyio

SETTINGS = {"factors.required_roles": "admin", "factors.required_clients": "console", "jwt.claims": "roles"}


@pytest.fixture
async def strict(world_with: WorldWith) -> World:
    return await world_with({**SETTINGS, "factors.trusted_days": 30})


async def give_roles(world: World, *roles: str) -> None:
    account = await world.account()
    assert (await world.store.apply(SetRoles(account_id=account.id, roles=roles))).lost is None


def roles_of(world: World, pair: TokenPair) -> tuple[str, ...]:
    """The roles that the access token says, which are those of the answer too."""
    assert pair.access_token is not None
    claims = world.edge.authenticate.access_tokens.verify(pair.access_token, world.now)
    assert claims.roles == pair.account.roles
    return pair.account.roles


async def by_mail(world: World, *, client_id: str = "web") -> TokenPair:
    """Sign in as somebody without a second factor of whom a second step is asked."""
    asked = await world.asked(client_id=client_id)
    assert (asked.methods, asked.trust_days) == ((Method.EMAIL,), 0)
    await send_code(SendFactorCode(asked.challenge, "email", HOME), world.edge.second_factor)
    return await world.answer(asked, await world.code(), method="email", client_id=client_id)


async def test_V6_3_3_whoever_has_the_role_gets_nothing_for_the_password_alone(strict: World) -> None:
    await give_roles(strict, "admin", "editor")
    for _ in range(2):
        await strict.asked()
    assert await strict.live_sessions((await strict.account()).id) == []


async def test_V6_3_3_without_a_factor_a_code_by_mail_lets_in_to_enrol_and_the_role_is_not_worn(strict: World) -> None:
    await give_roles(strict, "admin", "editor")
    pair = await by_mail(strict)
    assert (pair.session.amr, pair.session.acr, pair.acr_required) == (("pwd", "otp"), "aal1", "aal2")
    assert roles_of(strict, pair) == ("editor",)
    current = await current_session(principal_of(pair), strict.edge.session_list)
    assert (current.account.roles, current.acr_required) == (("editor",), "aal2")

    await strict.enrolled(pair)
    refreshed = await strict.refresh(pair.credential)
    assert roles_of(strict, refreshed) == ("admin", "editor")
    assert refreshed.acr_required == ""
    current = await current_session(principal_of(pair), strict.edge.session_list)
    assert (current.account.roles, current.acr_required) == (("admin", "editor"), "")


async def test_V6_3_3_with_a_factor_the_role_is_worn_from_the_start(strict: World) -> None:
    enrolled = await strict.enrolled(await strict.signed_in())
    await give_roles(strict, "admin")
    pair = await strict.answer(await strict.asked(), enrolled.app.code())
    assert (roles_of(strict, pair), pair.acr_required) == (("admin",), "")


async def test_a_role_that_is_granted_later_waits_for_the_second_factor_at_the_next_refresh(strict: World) -> None:
    pair = await strict.signed_in()
    assert pair.acr_required == ""
    await change_roles(HANAKO, strict.operator(), add=("admin", "editor"))
    refreshed = await strict.refresh(pair.credential)
    assert (roles_of(strict, refreshed), refreshed.acr_required) == (("editor",), "aal2")
    await strict.enrolled(pair)
    again = await strict.refresh(refreshed.credential)
    assert roles_of(strict, again) == ("admin", "editor")
    await strict.asked()


async def test_N_22_a_step_up_puts_the_role_on_in_a_session_that_is_there(strict: World) -> None:
    weak = await strict.signed_in()
    enrolled = await strict.enrolled(await strict.signed_in())
    await give_roles(strict, "admin")
    refreshed = await strict.refresh(weak.credential)
    assert (roles_of(strict, refreshed), refreshed.acr_required) == ((), "aal2")
    request = StepUp(method="totp", code=enrolled.app.code())
    stepped = await step_up(request, principal_of(weak), HOME, strict.edge.step_up)
    assert (roles_of(strict, stepped), stepped.acr_required) == (("admin",), "")


async def test_V6_3_3_an_app_that_requires_a_factor_asks_everybody_and_lets_no_role_be_worn_before(
    strict: World,
) -> None:
    await give_roles(strict, "editor")
    assert roles_of(strict, await strict.login()) == ("editor",)
    pair = await by_mail(strict, client_id="console:laptop")
    assert (roles_of(strict, pair), pair.acr_required) == ((), "aal2")
    await strict.enrolled(pair)
    assert roles_of(strict, await strict.refresh(pair.credential, client_id="console:laptop")) == ("editor",)


async def test_V6_3_3_where_a_factor_is_required_no_device_is_trusted(strict: World) -> None:
    enrolled = await strict.enrolled(await strict.signed_in())
    asked = await strict.asked()
    trusting = SecondFactor(asked.challenge, "totp", enrolled.app.code(), "web", HOME, trust_device=True)
    value = (await second_factor(trusting, strict.edge.second_factor)).device_token
    request = Login(HANAKO, PASSWORD, "web", Transport.BODY, HOME, trusted=value)
    assert isinstance(await login(request, strict.edge.login), TokenPair)
    await give_roles(strict, "admin")
    entered = await login(request, strict.edge.login)
    assert isinstance(entered, SecondFactorRequired)
    assert entered.trust_days == 0


async def test_V6_3_3_the_last_factor_cannot_be_removed_while_one_is_required(strict: World) -> None:
    pair = await strict.signed_in()
    first = await strict.enrolled(pair)
    await give_roles(strict, "admin")
    who = principal_of(pair)
    with pytest.raises(FactorRequired):
        await remove(first.factor_id, who, HOME, strict.edge.factors)
    second = await strict.enrolled(pair)
    await remove(first.factor_id, who, HOME, strict.edge.factors)
    with pytest.raises(FactorRequired):
        await remove(second.factor_id, who, HOME, strict.edge.factors)
    assert [one.id for one in await strict.store.list_factors(pair.account.id)] == [second.factor_id]
    await give_roles(strict)
    await remove(second.factor_id, who, HOME, strict.edge.factors)


async def test_an_app_that_requires_a_factor_keeps_it_from_being_removed_there(strict: World) -> None:
    await strict.account()
    pair = await by_mail(strict, client_id="console")
    enrolled = await strict.enrolled(pair)
    with pytest.raises(FactorRequired):
        await remove(enrolled.factor_id, principal_of(pair), HOME, strict.edge.factors)


async def test_nobody_removes_two_factors_at_once_past_the_rule(strict: World) -> None:
    pair = await strict.signed_in()
    first, second = await strict.enrolled(pair), await strict.enrolled(pair)
    await give_roles(strict, "admin")
    who, world = principal_of(pair), strict.edge.factors

    class Slow:
        """Removes the other factor between the look and the commit."""

        def __getattr__(self, name: str) -> object:
            return getattr(strict.store, name)

        async def apply(self, *changes: object) -> object:
            await remove(second.factor_id, who, HOME, world)
            return await strict.store.apply(*changes)  # type: ignore[arg-type]

    with pytest.raises(ServiceUnavailable):
        await remove(first.factor_id, who, HOME, replace(world, store=Slow()))  # type: ignore[arg-type]
    assert [one.id for one in await strict.store.list_factors(pair.account.id)] == [first.factor_id]


async def test_without_a_requirement_nothing_is_left_out(world_with: WorldWith) -> None:
    world = await world_with({"jwt.claims": "roles"})
    await give_roles(world, "admin")
    pair = await world.login()
    assert (roles_of(world, pair), pair.acr_required) == (("admin",), "")

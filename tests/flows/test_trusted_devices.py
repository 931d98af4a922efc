"""Trusted devices: the second step spared, on that device only, and never what it proves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from sekisho.admin.accounts import disable_account, enable_account, forget_devices, reset_factors
from sekisho.errors import NotFound, StepUpRequired, ValidationError
from sekisho.flows.enrolment import Enrol, enrol
from sekisho.flows.factors import remove
from sekisho.flows.login import Login, login
from sekisho.flows.logout import logout_all
from sekisho.flows.recovery_codes import new_recovery_codes
from sekisho.flows.second_factor import SecondFactor, second_factor
from sekisho.flows.trusted_devices import forget_device, list_devices
from sekisho.identifiers import parse_client_id
from sekisho.mfa.challenges import SecondFactorRequired
from sekisho.mfa.second_step import FirstStep
from sekisho.model import Transport
from sekisho.ports.changes import SetPassword
from sekisho.ports.trust_changes import ForgetTrustedDevices
from sekisho.sessions import TokenPair
from world import ELSEWHERE, HANAKO, HOME, JIRO, PASSWORD, Enrolled, World, WorldWith, hash_of, principal_of

pytestmark = pytest.mark.anyio

DAYS = 30


@pytest.fixture
async def trusting(world_with: WorldWith) -> World:
    return await world_with({"factors.trusted_days": DAYS})


async def come(
    world: World, trusted: str = "", *, client_id: str = "web", email: str = HANAKO
) -> TokenPair | SecondFactorRequired:
    request = Login(email, PASSWORD, client_id, Transport.BODY, HOME, trusted=trusted)
    return await login(request, world.edge.login)


async def is_asked(world: World, trusted: str, **given: str) -> bool:
    return isinstance(await come(world, trusted, **given), SecondFactorRequired)


async def trust(world: World, enrolled: Enrolled, *, client_id: str = "web", trusted: str = "") -> TokenPair:
    """Sign in with the second step and trust the device; return the pair, which brings its value."""
    asked = await world.asked(client_id=client_id)
    request = SecondFactor(
        asked.challenge, "totp", enrolled.app.code(), client_id, HOME, trust_device=True, trusted=trusted
    )
    pair = await second_factor(request, world.edge.second_factor)
    world.clock.advance(seconds=30)
    return pair


async def trusted(world: World) -> tuple[Enrolled, TokenPair]:
    enrolled = await world.enrolled(await world.signed_in())
    return enrolled, await trust(world, enrolled)


async def test_a_trusted_device_is_not_asked_again_until_its_days_are_over(trusting: World) -> None:
    _, pair = await trusted(trusting)
    assert (await trusting.asked()).trust_days == DAYS
    assert not await is_asked(trusting, pair.device_token)
    trusting.clock.advance(days=DAYS, seconds=-31)
    assert not await is_asked(trusting, pair.device_token)
    trusting.clock.advance(seconds=1)
    assert await is_asked(trusting, pair.device_token)


async def test_V6_3_3_N_22_a_session_that_was_spared_the_second_step_says_so_and_is_asked_for_what_is_sensitive(
    trusting: World,
) -> None:
    _, pair = await trusted(trusting)
    spared = await come(trusting, pair.device_token)
    assert isinstance(spared, TokenPair)
    assert (spared.session.amr, spared.session.acr) == (("pwd",), "aal1")
    with pytest.raises(StepUpRequired):
        await new_recovery_codes(principal_of(spared), HOME, trusting.edge.factors)
    with pytest.raises(StepUpRequired):
        await enrol(Enrol("email"), principal_of(spared), HOME, trusting.edge.factors)


async def test_the_value_counts_for_its_account_its_app_and_the_right_password_alone(trusting: World) -> None:
    _, pair = await trusted(trusting)
    value = pair.device_token
    assert await is_asked(trusting, value, client_id="other")
    assert not await is_asked(trusting, value, client_id="web:another-part")
    for wrong in ("", value[:-1], value + "A", "x" * 64, "'; --", "\x00"):
        assert await is_asked(trusting, wrong)
    await trusting.enrolled(await trusting.signed_in(JIRO))
    assert await is_asked(trusting, value, email=JIRO)
    # Refused when it is looked for, not only by the change that would note its use.
    changed = replace(await trusting.account(), security_version=9)
    for account in (await trusting.account(JIRO), changed):
        found = trusting.edge.trusted_devices.trust.find(
            value, account, parse_client_id("web"), trusting.now, trusting.store
        )
        assert await found is None


async def test_whatever_changes_how_one_comes_in_ends_the_trust(trusting: World) -> None:
    async def password(account_id: str, version: int) -> None:
        hashed = hash_of(PASSWORD)
        change = SetPassword(account_id=account_id, security_version=version, password_hash=hashed)
        assert (await trusting.store.apply(change)).lost is None

    async def standing(account_id: str, _: int) -> None:
        await disable_account(account_id, trusting.operator())
        await enable_account(account_id, trusting.operator())

    ways: list[Callable[[str, int], Awaitable[None]]] = [password, standing]
    enrolled, pair = await trusted(trusting)
    for change in ways:
        assert not await is_asked(trusting, pair.device_token)
        account = await trusting.account()
        await change(account.id, account.security_version)
        assert await is_asked(trusting, pair.device_token)
        assert await list_devices(principal_of(pair), "", trusting.edge.trusted_devices) == []
        pair = await trust(trusting, enrolled)

    await trusting.enrolled(pair)  # a further factor, and its removal
    assert await is_asked(trusting, pair.device_token)
    pair = await trust(trusting, enrolled)
    await remove(enrolled.factor_id, principal_of(pair), HOME, trusting.edge.factors)
    assert await is_asked(trusting, pair.device_token)


async def test_a_reset_of_the_factors_by_the_operator_leaves_no_device_trusted(trusting: World) -> None:
    _, pair = await trusted(trusting)
    await reset_factors(HANAKO, trusting.operator())
    await trusting.enrolled(await trusting.login())
    assert await is_asked(trusting, pair.device_token)


async def test_the_operator_ends_the_trust_in_every_device_and_no_session(trusting: World) -> None:
    _, pair = await trusted(trusting)
    assert (await forget_devices(HANAKO, trusting.operator())).devices == 1
    assert await is_asked(trusting, pair.device_token)
    assert await trusting.is_live(pair)
    (line,) = await trusting.audit("device_forgotten")
    assert (line.actor, line.subject) == ("operator", "")


async def test_an_unusual_sign_in_is_asked_on_a_trusted_device_too(trusting: World) -> None:
    _, pair = await trusted(trusting)
    first = FirstStep(
        account=await trusting.account(), client=parse_client_id("web"), now=trusting.now, trusted=pair.device_token
    )
    steps = trusting.edge.login.second_steps
    assert (await steps.ask(first)).methods == ()
    assert len((await steps.ask(replace(first, is_unusual=True))).methods) == 2


async def test_the_owner_sees_and_forgets_devices_and_nobody_else_does(trusting: World) -> None:
    enrolled, pair = await trusted(trusting)
    second = await trust(trusting, enrolled, client_id="phone")
    devices, who = trusting.edge.trusted_devices, principal_of(pair)
    listed = await list_devices(who, second.device_token, devices)
    assert [(each.device.app, each.is_current) for each in listed] == [("phone", True), ("web", False)]
    stranger = principal_of(await trusting.signed_in(JIRO))
    for wrong in ("unknown", "\x00", ""):
        with pytest.raises(NotFound):
            await forget_device(wrong, who, HOME, devices)
    with pytest.raises(NotFound):
        await forget_device(listed[1].device.id, stranger, HOME, devices)
    assert await list_devices(stranger, "", devices) == []
    await forget_device(listed[1].device.id, who, HOME, devices)
    assert await is_asked(trusting, pair.device_token)
    assert not await is_asked(trusting, second.device_token, client_id="phone")
    assert [line.subject for line in await trusting.audit("device_forgotten")] == [listed[1].device.id]


async def test_signing_out_everywhere_can_end_the_trust_too(trusting: World) -> None:
    _, pair = await trusted(trusting)
    await logout_all(principal_of(pair), HOME, except_current=True, world=trusting.edge.logout)
    assert not await is_asked(trusting, pair.device_token)
    await logout_all(principal_of(pair), HOME, except_current=True, forget_devices=True, world=trusting.edge.logout)
    assert await is_asked(trusting, pair.device_token)


async def test_the_owner_is_told_and_the_trail_says_who_was_spared_where(trusting: World) -> None:
    _, pair = await trusted(trusting)
    letters = [letter for letter in await trusting.mail(HANAKO) if "30 days" in letter.text]
    assert len(letters) == 1
    await come(trusting, pair.device_token)
    (made,), (used,) = await trusting.audit("device_trusted"), await trusting.audit("trusted_device_used")
    assert made.subject == used.subject != ""
    assert [line.method for line in await trusting.audit("login", outcome="success")][-1] == "pwd"
    await trusting.stop()
    assert pair.device_token.encode() not in trusting.files()


async def test_trust_that_is_taken_back_during_the_sign_in_spares_nothing(trusting: World) -> None:
    _, pair = await trusted(trusting)
    world = trusting.edge.login

    class Slow:
        async def ask(self, first: FirstStep) -> object:
            step = await world.second_steps.ask(first)
            await trusting.store.apply(ForgetTrustedDevices(account_id=pair.account.id))
            return step

    request = Login(HANAKO, PASSWORD, "web", Transport.BODY, HOME, trusted=pair.device_token)
    entered = await login(request, replace(world, second_steps=Slow()))  # type: ignore[arg-type]
    assert isinstance(entered, SecondFactorRequired)
    assert len(await trusting.audit("trusted_device_used")) == 0
    assert [line.outcome for line in await trusting.audit("login")][-1] == "success"


async def test_a_device_trusted_anew_takes_the_place_of_its_older_self_and_there_are_at_most_ten(
    trusting: World,
) -> None:
    enrolled, pair = await trusted(trusting)
    newer = await trust(trusting, enrolled, trusted=pair.device_token)
    assert await is_asked(trusting, pair.device_token)
    assert not await is_asked(trusting, newer.device_token)
    for _ in range(10):
        newer = await trust(trusting, enrolled)
    assert len(await list_devices(principal_of(newer), "", trusting.edge.trusted_devices)) == 10


async def test_where_it_is_off_nothing_is_trusted_and_a_wish_for_it_is_a_mistake_of_form(world: World) -> None:
    enrolled = await world.enrolled(await world.signed_in())
    asked = await world.asked()
    assert asked.trust_days == 0
    code = enrolled.app.code()
    request = SecondFactor(asked.challenge, "totp", code, "web", HOME, trust_device=True)
    with pytest.raises(ValidationError) as caught:
        await second_factor(request, world.edge.second_factor)
    assert caught.value.details == {"trust_device": "not_available"}
    pair = await world.answer(asked, code)  # not even a try was counted
    assert pair.device_token == ""


async def test_fewer_days_hold_for_devices_trusted_before_and_none_for_all(trusting: World) -> None:
    _, pair = await trusted(trusting)
    trusting.clock.advance(days=8)
    for days, asks in ((9, False), (8, True), (0, True)):
        rules = trusting.edge.login.second_steps
        fewer = type(rules)(trusting.store, replace(rules._trust, days=days), rules._requirement)
        request = Login(HANAKO, PASSWORD, "web", Transport.BODY, ELSEWHERE, trusted=pair.device_token)
        entered = await login(request, replace(trusting.edge.login, second_steps=fewer))
        assert isinstance(entered, SecondFactorRequired) is asks
        listing = replace(trusting.edge.trusted_devices, trust=replace(trusting.edge.trusted_devices.trust, days=days))
        listed = await list_devices(principal_of(pair), pair.device_token, listing)
        assert [one.device.expires_at - one.device.created_at for one in listed] == (
            [] if asks else [days * 86_400_000]
        )

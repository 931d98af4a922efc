"""Enrolment: begin, confirm, from then on required."""

from __future__ import annotations

import re
from asyncio import gather

import pytest
from msgspec.structs import replace

from flows.factor_owner import Owner
from sekisho.errors import (
    FactorUnusable,
    InvalidCode,
    NotFound,
    RateLimitExceeded,
    ServiceUnavailable,
    SessionRevoked,
    StepUpRequired,
    ValidationError,
)
from sekisho.flows.enrolment import Confirmed, Enrol, enrol, find_enrolment
from sekisho.flows.step_up import StepUp, step_up
from sekisho.master_secret import MasterSecret
from sekisho.model import EndReason, FactorKind
from world import ELSEWHERE, HOME, JIRO, World, WorldWith

pytestmark = pytest.mark.anyio


@pytest.fixture
async def owner(world: World) -> Owner:
    return Owner(world, await world.signed_in())


async def test_nothing_is_asked_for_before_the_enrolment_is_confirmed(world: World, owner: Owner) -> None:
    begun = await owner.enrol(name="電話")
    assert await owner.kinds() == []
    await world.login()
    done = await owner.confirm(begun.id, owner.app(begun).code())
    assert (done.factor.name, len(done.recovery_codes or ())) == ("電話", 10)
    assert await owner.kinds() == [FactorKind.TOTP]
    await world.asked()


async def test_the_app_can_scan_copy_or_open_its_key(owner: Owner) -> None:
    begun = await owner.enrol()
    assert len(begun.secret) == 32
    assert begun.uri == f"otpauth://totp/Sekisho:hanako%40mail.test?secret={begun.secret}&issuer=Sekisho"
    assert begun.qr.startswith("<svg")
    assert "http" not in begun.qr.replace("http://www.w3.org/2000/svg", "")


async def test_two_enrolments_never_have_the_same_key(owner: Owner) -> None:
    assert (await owner.enrol()).secret != (await owner.enrol()).secret


async def test_a_wrong_code_confirms_nothing_and_guessing_is_limited(world: World, owner: Owner) -> None:
    begun = await owner.enrol()
    wrong = owner.app(begun).wrong_code()
    for _ in range(10):
        with pytest.raises(InvalidCode):
            await owner.confirm(begun.id, wrong)
    with pytest.raises(RateLimitExceeded):
        await owner.confirm(begun.id, owner.app(begun).code())
    assert await owner.kinds() == []
    assert [line.reason for line in await world.audit("factor_added")] == ["wrong_code"] * 10


async def test_an_enrolment_waits_ten_minutes_and_for_its_account_only(world: World, owner: Owner) -> None:
    begun = await owner.enrol()
    stranger = Owner(world, await world.signed_in(JIRO))
    for factor_id in (begun.id, "unknown", "../.."):
        with pytest.raises(NotFound):
            await stranger.confirm(factor_id, owner.app(begun).code())
    world.clock.advance(minutes=10)
    with pytest.raises(NotFound):
        await owner.confirm(begun.id, owner.app(begun).code())


async def test_of_many_confirmations_at_once_one_makes_the_factor_and_its_recovery_codes(
    world: World, owner: Owner
) -> None:
    begun = await owner.enrol()
    code = owner.app(begun).code()
    answers = await gather(*(owner.confirm(begun.id, code) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(answer, Confirmed) for answer in answers) == 1
    assert {type(answer) for answer in answers} <= {Confirmed, NotFound, ServiceUnavailable}
    assert await world.store.count_recovery_codes(owner.pair.account.id) == 10
    assert await world.is_live(owner.pair)


async def test_the_session_that_enrolled_has_shown_the_factor(world: World, owner: Owner) -> None:
    await world.enrolled(owner.pair)
    session = await world.session(owner.pair)
    assert (session.amr, session.acr) == (("pwd", "otp", "mfa"), "aal2")
    refreshed = await world.refresh(owner.pair.credential)
    assert (refreshed.session.amr, refreshed.session.acr) == (("pwd", "otp", "mfa"), "aal2")


async def test_V7_5_3_an_enrolment_begun_by_the_password_alone_is_not_finished_beside_a_stronger_factor(
    world_with: WorldWith,
) -> None:
    """Whoever knows the password begins one, and waits until the owner has enrolled something of another kind."""
    world = await world_with({"factors.kinds": "totp,sms", "sms.countries": "JP"})
    thief = Owner(world, await world.signed_in())
    begun = await thief.enrol()
    owner = Owner(world, await world.login())
    phone = await enrol(Enrol("sms", phone="090-1234-5678"), owner.who, HOME, owner.flows)
    assert world.edge.texts is not None
    code = re.search(r"[0-9]{6}", (await world.edge.texts())[0].text)
    assert code is not None
    await owner.confirm(phone.id, code[0])
    with pytest.raises(StepUpRequired, match="too weak"):
        await thief.confirm(begun.id, thief.app(begun).code())
    assert await owner.kinds() == [FactorKind.SMS]
    assert (await world.session(thief.pair)).acr == "aal1"


async def test_V7_5_1_an_enrolment_is_finished_in_a_session_as_fresh_as_the_one_that_began_it(
    world: World, owner: Owner
) -> None:
    stale = owner
    world.clock.advance(minutes=15, seconds=1)
    begun = await Owner(world, await world.login()).enrol()
    with pytest.raises(StepUpRequired, match="too old"):
        await stale.confirm(begun.id, stale.app(begun).code())
    assert await stale.kinds() == []


async def test_a_second_factor_keeps_the_recovery_codes_of_the_first(world: World, owner: Owner) -> None:
    await world.enrolled(owner.pair)
    begun = await owner.enrol()
    assert (await owner.confirm(begun.id, owner.app(begun).code())).recovery_codes is None
    assert await owner.kinds() == [FactorKind.TOTP] * 2


async def test_mail_is_enrolled_once_and_by_its_own_code(world: World, owner: Owner) -> None:
    begun = await owner.enrol("email")
    assert (begun.secret, begun.uri, begun.qr) == (None, None, None)
    code = await world.code()
    with pytest.raises(InvalidCode):
        await owner.confirm(begun.id, "000000" if code != "000000" else "000001")
    await owner.confirm(begun.id, code)
    assert (await world.session(owner.pair)).acr == "aal1"
    with pytest.raises(ValidationError):
        await owner.enrol("email")


@pytest.mark.parametrize("kind", ["sms", "recovery_code", "", "passkey"])
async def test_a_kind_that_is_not_offered_is_refused(owner: Owner, kind: str) -> None:
    with pytest.raises(ValidationError):
        await owner.enrol(kind)


async def test_V6_3_6_mail_can_be_left_out(owner: Owner) -> None:
    flows = replace(owner.flows, allowed=frozenset({FactorKind.TOTP}))
    with pytest.raises(ValidationError):
        await enrol(Enrol("email"), owner.who, HOME, flows)


async def test_a_session_that_has_ended_changes_nothing(world: World, owner: Owner) -> None:
    await world.store.apply(
        world.edge.login.sessions.ending(owner.pair.session.id, EndReason.LOGOUT, ELSEWHERE, world.now)
    )
    with pytest.raises(SessionRevoked):
        await owner.enrol()


async def test_a_waiting_enrolment_is_shown_again_to_its_fresh_owner_until_it_is_confirmed_or_over(
    world: World, owner: Owner
) -> None:
    begun = await owner.enrol()
    other = Owner(world, await world.signed_in(JIRO))
    again = await find_enrolment(begun.id, owner.who, owner.flows)
    assert (again.secret, again.uri, again.qr) == (begun.secret, begun.uri, begun.qr)
    for odd in ("", "x", "x" * 10_000, "\0"):
        with pytest.raises(NotFound):
            await find_enrolment(odd, owner.who, owner.flows)
    with pytest.raises(NotFound):
        await find_enrolment(begun.id, other.who, other.flows)

    world.clock.advance(minutes=6)
    with pytest.raises(StepUpRequired):
        await find_enrolment(begun.id, owner.who, owner.flows)
    fresh = Owner(world, await world.login())
    assert (await find_enrolment(begun.id, fresh.who, fresh.flows)).expires_in == 240
    await fresh.confirm(begun.id, fresh.app(begun).code())
    with pytest.raises(NotFound):
        await find_enrolment(begun.id, fresh.who, fresh.flows)

    late = await fresh.enrol()
    world.clock.advance(minutes=11)
    renewal = StepUp(None, "totp", fresh.app(begun).code())
    await step_up(renewal, fresh.who, HOME, world.edge.step_up)
    with pytest.raises(NotFound):
        await find_enrolment(late.id, fresh.who, fresh.flows)


async def test_a_waiting_enrolment_whose_key_is_damaged_is_refused_and_stays(world: World, owner: Owner) -> None:
    begun = await owner.enrol()
    stranger = replace(owner.flows, totp=type(owner.flows.totp)(MasterSecret(b"x" * 32), "Sekisho"))
    with pytest.raises(FactorUnusable):
        await find_enrolment(begun.id, owner.who, stranger)
    assert (await find_enrolment(begun.id, owner.who, owner.flows)).secret == begun.secret

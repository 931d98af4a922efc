"""Codes by SMS: a number is verified before it counts, a code opens one thing once, and money is not to be had."""

from __future__ import annotations

import re
from asyncio import gather
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs

from sekisho.admin.accounts import reset_factors, unlock
from sekisho.errors import (
    FactorUnusable,
    InvalidCode,
    NotFound,
    RateLimitExceeded,
    Refusal,
    SessionNotFound,
    StepUpRequired,
    ValidationError,
)
from sekisho.flows.enrolment import Confirmed, Enrol, confirm, enrol
from sekisho.flows.factors import list_factors, remove, rename
from sekisho.flows.second_factor import SendFactorCode, send_code
from sekisho.flows.step_up import StepUp, step_up
from sekisho.flows.step_up import send_code as send_step_up_code
from sekisho.flows.withdrawal import withdraw
from sekisho.master_secret import MasterSecret
from sekisho.mfa.methods import Method
from sekisho.mfa.phones import Phones
from sekisho.model import FactorKind
from sekisho.phone_numbers import ServedCountries, parse_phone_number
from sekisho.sessions import TokenPair
from world import ELSEWHERE, HANAKO, HOME, JIRO, PASSWORD, World, WorldWith, a_network, principal_of

pytestmark = pytest.mark.anyio

PHONE, AS_TYPED = "+819012345678", "０９０－１２３４－５６７８"
OFFERED = {"factors.kinds": "totp,email,sms", "sms.countries": "JP,US"}
_CODE = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")


@pytest.fixture
async def world(world_with: WorldWith) -> World:
    return await world_with(OFFERED)


class Owner:
    """A signed-in person with a phone."""

    def __init__(self, world: World, pair: TokenPair, number: str = PHONE) -> None:
        self.world, self.pair, self.number, self.who = world, pair, number, principal_of(pair)

    async def texts(self) -> list[Any]:
        assert self.world.edge.texts is not None
        return [text for text in await self.world.edge.texts() if text.to == self.number]

    async def code(self) -> str:
        found = _CODE.search((await self.texts())[0].text)
        assert found is not None
        return found[0]

    async def begin(self, typed: str = "") -> Any:
        return await enrol(Enrol("sms", "", typed or self.number), self.who, HOME, self.world.edge.factors)

    async def confirm(self, factor_id: str, code: str) -> Confirmed:
        return await confirm(factor_id, code, self.who, HOME, self.world.edge.factors)

    async def enrolled(self) -> Confirmed:
        return await self.confirm((await self.begin()).id, await self.code())

    async def sent(self) -> Any:
        """Sign in as far as the code that arrived by SMS; the limits of the enrolment are over."""
        asked = await self.world.asked()
        await send_code(SendFactorCode(asked.challenge, "sms", HOME), self.world.edge.second_factor)
        return asked

    async def list(self) -> Any:
        return await list_factors(self.who, self.world.edge.factors)


@pytest.fixture
async def owner(world: World) -> Owner:
    return Owner(world, await world.signed_in())


def wrong(code: str) -> str:
    return "000000" if code != "000000" else "000001"


async def test_V6_6_1_a_number_counts_once_its_code_came_back(world: World, owner: Owner) -> None:
    begun = await owner.begin(AS_TYPED)
    assert (begun.number, begun.secret) == ("+81 •••• 78", None)
    assert (await owner.list()).factors == ()
    await world.login()
    with pytest.raises(InvalidCode):
        await owner.confirm(begun.id, wrong(await owner.code()))
    done = await owner.confirm(begun.id, await owner.code())
    assert len(done.recovery_codes or ()) == 10
    assert (await world.asked()).methods == (Method.RECOVERY_CODE, Method.SMS)


async def test_V6_6_1_codes_by_sms_are_not_offered_unless_somebody_chose_them(world_with: WorldWith) -> None:
    world = await world_with({})
    owner = Owner(world, await world.signed_in())
    with pytest.raises(ValidationError) as refused:
        await owner.begin()
    assert refused.value.details == {"kind": "invalid_choice"}


async def test_V6_6_1_what_is_stronger_is_offered_first(world: World, owner: Owner) -> None:
    await owner.enrolled()
    await world.enrolled(owner.pair)
    assert (await world.asked()).methods == (Method.TOTP, Method.RECOVERY_CODE, Method.SMS)


async def test_the_code_by_sms_starts_a_session_that_says_so(world: World, owner: Owner) -> None:
    await owner.enrolled()
    pair = await world.answer(await owner.sent(), await owner.code(), method="sms")
    session = await world.session(pair)
    assert (session.amr, session.acr) == (("pwd", "sms", "mfa"), "aal2")
    assert (await world.audit("login"))[-1].method == "pwd sms mfa"
    assert [line.method for line in await world.audit("factor_code_sent")] == ["sms", "sms"]


async def test_the_message_is_short_in_the_readers_language_and_bound_to_the_host(world: World, owner: Owner) -> None:
    await owner.begin()
    text = (await owner.texts())[0].text
    code = await owner.code()
    assert text == (
        f"{code} is your Sekisho code, valid for 10 minutes. Do not tell it to anybody.\n\n@localhost #{code}"
    )
    assert len(text) <= 160


async def test_N_13_a_code_that_was_mailed_is_none_by_sms(world: World, owner: Owner) -> None:
    """It would raise the level: mail is no second factor."""
    await owner.enrolled()
    begun = await enrol(Enrol("email"), owner.who, HOME, world.edge.factors)
    await owner.confirm(begun.id, await world.code())
    world.clock.advance(minutes=6)
    asked = await world.asked()
    await send_code(SendFactorCode(asked.challenge, "email", HOME), world.edge.second_factor)
    with pytest.raises(InvalidCode, match="code_gone"):
        await world.answer(asked, await world.code(), method="sms")
    await send_code(SendFactorCode(asked.challenge, "sms", HOME), world.edge.second_factor)
    with pytest.raises(InvalidCode, match="code_gone"):
        await world.answer(asked, await owner.code(), method="email")


async def test_V6_5_1_of_fifty_right_codes_at_once_one_wins(world: World, owner: Owner) -> None:
    await owner.enrolled()
    asked, code = await owner.sent(), await owner.code()
    answers = await gather(*(world.answer(asked, code, method="sms") for _ in range(50)), return_exceptions=True)
    assert sum(isinstance(answer, TokenPair) for answer in answers) == 1
    assert all(isinstance(answer, TokenPair | Refusal) for answer in answers)
    assert len(await world.live_sessions(owner.pair.account.id)) == 2


async def test_V6_6_3_codes_that_are_used_late_foreign_or_overtaken_are_refused_with_a_line(
    world: World, owner: Owner
) -> None:
    await owner.enrolled()
    first = await owner.sent()
    foreign = await world.asked()
    overtaken = await owner.code()
    with pytest.raises(InvalidCode, match="code_gone"):
        await world.answer(foreign, overtaken, method="sms")
    await send_code(SendFactorCode(first.challenge, "sms", HOME), world.edge.second_factor)
    if overtaken != await owner.code():
        with pytest.raises(InvalidCode, match="wrong_code"):
            await world.answer(first, overtaken, method="sms")
    code = await owner.code()
    await world.answer(first, code, method="sms")
    with pytest.raises(SessionNotFound, match="challenge_gone"):
        await world.answer(first, code, method="sms")
    world.clock.advance(minutes=6)
    late = await owner.sent()
    code = await owner.code()
    world.clock.advance(minutes=10)
    with pytest.raises(SessionNotFound, match="challenge_gone"):
        await world.answer(late, code, method="sms")
    lines = [line for line in await world.audit("second_factor") if line.outcome == "failure"]
    assert {line.method for line in lines} == {"sms"}
    assert [line.reason for line in lines] == ["code_gone", "wrong_code", "challenge_gone", "challenge_gone"]


async def test_V6_6_3_guessing_is_limited_by_challenge_and_by_account(world: World, owner: Owner) -> None:
    await owner.enrolled()
    for _ in range(2):
        world.clock.advance(minutes=1.5)
        asked = await owner.sent()
        for _ in range(5):
            with pytest.raises(InvalidCode):
                await world.answer(asked, wrong(await owner.code()), method="sms")
    with pytest.raises(RateLimitExceeded):
        await world.answer(asked, await owner.code(), method="sms")
    with pytest.raises(SessionNotFound, match="challenge_dead"):
        await world.answer(asked, await owner.code(), method="sms", origin=ELSEWHERE)


async def test_a_session_is_stepped_up_by_sms_and_not_by_less(world: World, owner: Owner) -> None:
    await owner.enrolled()
    world.clock.advance(minutes=6)
    with pytest.raises(StepUpRequired) as refused:
        await step_up(StepUp(password=PASSWORD), owner.who, HOME, world.edge.step_up)
    assert refused.value.details == {"max_age": 300, "acr": "aal2", "methods": ["recovery_code", "sms"]}
    await send_step_up_code("sms", owner.who, HOME, world.edge.step_up)
    await step_up(StepUp(method="sms", code=await owner.code()), owner.who, HOME, world.edge.step_up)
    session = await world.session(owner.pair)
    assert (session.amr, session.acr, session.auth_time_at) == (("pwd", "sms", "mfa"), "aal2", world.now)


async def test_V14_2_6_the_number_is_shown_masked_in_lists_and_letters_and_never_in_the_audit(
    world: World, owner: Owner
) -> None:
    done = await owner.enrolled()
    await rename(done.factor.id, "仕事用", owner.who, HOME, world.edge.factors)
    assert (await owner.list()).numbers == ("+81 •••• 78",)
    await remove(done.factor.id, owner.who, HOME, world.edge.factors)
    added, removed = (await world.mail(HANAKO))[-2:]
    assert "codes by text message (+81 •••• 78)" in added.text
    assert "codes by text message (仕事用 +81 •••• 78)" in removed.text
    assert (await owner.list()).factors == ()
    told = "".join(letter.text + letter.html for letter in await world.mail()) + repr(await world.audit())
    assert "12345678" not in told


async def test_V14_2_4_the_number_is_nowhere_in_the_database_to_be_read(world: World, owner: Owner) -> None:
    await owner.enrolled()
    await owner.sent()
    code = await owner.code()
    await world.stop()
    files = world.files()
    for secret in (PHONE, "9012345678", f"#{code}"):
        assert secret.encode() not in files
    await world.start()


async def test_an_account_has_one_number_and_changes_it_by_removing_the_old_one(world: World, owner: Owner) -> None:
    done = await owner.enrolled()
    with pytest.raises(ValidationError) as refused:
        await owner.begin("+12025550123")
    assert refused.value.details == {"kind": "too_many"}
    await remove(done.factor.id, owner.who, HOME, world.edge.factors)
    await Owner(world, owner.pair, "+12025550123").enrolled()


async def test_two_accounts_may_share_a_phone_and_neither_hears_of_the_other(world: World, owner: Owner) -> None:
    await owner.enrolled()
    other = Owner(world, await world.signed_in(JIRO))
    await other.enrolled()
    assert [factor.kind for factor in (await other.list()).factors] == [FactorKind.SMS]


async def test_an_enrolment_is_of_its_account_and_waits_ten_minutes(world: World, owner: Owner) -> None:
    begun = await owner.begin()
    stranger = Owner(world, await world.signed_in(JIRO))
    with pytest.raises(NotFound):
        await stranger.confirm(begun.id, await owner.code())
    world.clock.advance(minutes=10)
    with pytest.raises(NotFound):
        await owner.confirm(begun.id, await owner.code())


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("0120-123-456", "not_mobile"),
        ("03-1234-5678", "not_mobile"),
        ("050-1234-5678", "not_mobile"),
        ("0990-123456", "not_mobile"),
        ("+44 7400 123456", "not_served"),
        ("+882 16 12345678", "not_mobile"),
        ("110", "invalid_format"),
        ("+81 90 1234 5678;ext=9", "invalid_format"),
        ("1-800-FLOWERS", "invalid_format"),
        ("9" * 64, "invalid_format"),
        ("+", "invalid_format"),
        ("", "required"),
    ],
)
async def test_V2_4_1_numbers_that_no_text_message_goes_to_are_refused_before_anything_is_counted(
    world: World, owner: Owner, typed: str, why: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        await enrol(Enrol("sms", "", typed), owner.who, HOME, world.edge.factors)
    assert refused.value.details == {"phone": why}
    assert await world.audit("factor_code_sent") == []
    lines = [(line.outcome, line.reason) for line in await world.audit("factor_added")]
    assert lines == ([("failure", "phone_refused")] if typed else [])
    assert (await owner.list()).factors == ()
    await owner.begin()


async def test_a_phone_is_for_sms_only(world: World, owner: Owner) -> None:
    with pytest.raises(ValidationError) as refused:
        await enrol(Enrol("totp", "", PHONE), owner.who, HOME, world.edge.factors)
    assert refused.value.details == {"phone": "unknown_field"}


async def pumped(world: World, number: str, email: str, network: int) -> None:
    """Have one message sent to a number by an account in a network, all of the caller's choice."""
    pair = await world.signed_in(email)
    await enrol(Enrol("sms", "", number), principal_of(pair), a_network(network), world.edge.factors)


@pytest.mark.parametrize(
    ("setting", "limit", "varying"),
    [
        ("sms.number_sends", 3, {"email", "network"}),
        ("sms.number_sends_per_day", 6, {"email", "network", "time"}),
        ("sms.account_sends_per_day", 10, {"number", "network"}),
        ("sms.network_sends_per_day", 30, {"number", "email"}),
        ("sms.sends_per_day", 2, {"number", "email", "network"}),
    ],
)
async def test_V2_4_1_each_budget_holds_by_itself(
    world_with: WorldWith, setting: str, limit: int, varying: set[str]
) -> None:
    world = await world_with({**OFFERED, "sms.sends_per_day": 2 if setting == "sms.sends_per_day" else 500})

    async def pump(turn: int) -> None:
        of = {name: turn if name in varying else 0 for name in ("number", "email", "network")}
        if "time" in varying:
            world.clock.advance(minutes=6)
        await pumped(world, f"+8190123400{of['number']:02}", f"p{of['email']}@mail.test", of["network"])

    for turn in range(limit):
        await pump(turn)
    sent = len(await world.audit("factor_code_sent"))
    assert sent == limit
    with pytest.raises(RateLimitExceeded) as refused, capture_logs() as logs:
        await pump(limit)
    assert (refused.value.retry_after or 0) > 0
    assert len(await world.audit("factor_code_sent")) == sent
    ceiling = {"event": "sms_ceiling_reached", "limit": 2, "log_level": "warning"}
    assert (ceiling in logs) == (setting == "sms.sends_per_day")


async def test_V2_4_1_parallel_calls_do_not_pass_a_budget(world: World, owner: Owner) -> None:
    await gather(*(owner.begin() for _ in range(20)), return_exceptions=True)
    assert len(await owner.texts()) <= 3
    await owner.texts()


async def test_V2_4_1_asking_in_vain_uses_nothing_of_the_servers_budget_up(world_with: WorldWith) -> None:
    world = await world_with({**OFFERED, "sms.sends_per_day": 4})
    owner = Owner(world, await world.signed_in())
    for _ in range(3):
        await owner.begin()
    for _ in range(10):
        with pytest.raises(RateLimitExceeded):
            await owner.begin()
    await Owner(world, await world.signed_in(JIRO), "+819012340001").begin()


async def test_V6_5_6_a_removed_phone_opens_nothing_even_in_a_waiting_sign_in(world: World, owner: Owner) -> None:
    done = await owner.enrolled()
    asked = await owner.sent()
    await remove(done.factor.id, owner.who, HOME, world.edge.factors)
    with pytest.raises(SessionNotFound, match="changed_meanwhile"):
        await world.answer(asked, await owner.code(), method="sms")
    await world.login()


async def test_an_operator_resets_the_phone_with_the_rest(world: World, owner: Owner) -> None:
    await owner.enrolled()
    assert await reset_factors(HANAKO, world.operator()) is not None
    await world.login()
    assert (await owner.list()).factors == ()


async def test_withdrawal_forgets_the_number(world: World, owner: Owner) -> None:
    await owner.enrolled()
    await withdraw(None, owner.who, HOME, world.edge.withdrawal)
    assert list(await world.store.list_factors(owner.pair.account.id)) == []


async def test_a_number_sealed_under_another_master_secret_says_so(world: World, owner: Owner) -> None:
    await owner.enrolled()
    other = Phones(
        MasterSecret(b"x" * 43), partial(parse_phone_number, served=ServedCountries(frozenset({"JP"}), "JP"))
    )
    (factor,) = (await owner.list()).factors
    assert other.masked(factor) == ""
    sender = world.edge.second_factor.sender
    strange = type(sender)(sender.codes, sender.outbox, sender.throttle, other)
    with pytest.raises(FactorUnusable):
        strange.recipient(owner.pair.account, Method.SMS, [factor])


async def test_without_countries_nothing_is_sent_and_the_second_step_is_still_asked_for(
    world: World, owner: Owner
) -> None:
    done = await owner.enrolled()
    sender = world.edge.second_factor.sender
    silent = type(sender)(sender.codes, sender.outbox, sender.throttle, Phones(world.master, None))
    with pytest.raises(ValidationError) as refused:
        silent.recipient(owner.pair.account, Method.SMS, [done.factor])
    assert refused.value.details == {"method": "not_available"}


async def test_unlock_gives_the_account_its_messages_back(world_with: WorldWith) -> None:
    world = await world_with({**OFFERED, "sms.account_sends_per_day": 1})
    owner = Owner(world, await world.signed_in())
    await owner.begin()
    with pytest.raises(RateLimitExceeded):
        await owner.begin()
    await unlock(HANAKO, world.operator())
    await owner.begin()


def test_a_number_as_typed_shows_in_no_traceback() -> None:
    assert "9012345678" not in repr(Enrol("sms", "", PHONE))

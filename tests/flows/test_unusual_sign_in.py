"""Unusual sign-ins: what login makes of the rules' judgement."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from capabilities import tiny_mmdb
from flows.counting import CountingReads
from sekisho.anomalies import OUTCOMES
from sekisho.anomalies.floods import SPRAYED_ADDRESSES
from sekisho.anomalies.watch import LOOKED_AT, MOST_LETTERS_AN_HOUR
from sekisho.errors import InvalidCredentials
from sekisho.flows.second_factor import SendFactorCode, send_code
from sekisho.model import AccountId, AuditRecord, Origin, Unusual
from sekisho.ports.changes import AppendAudit
from world import ELSEWHERE, HOME, PASSWORD, World, new_world

pytestmark = pytest.mark.anyio


async def reasons(world: World) -> list[str]:
    return sorted(each.reason for each in await world.audit("sign_in_unusual"))


async def fill_the_newest_records(account_id: AccountId, world: World) -> None:
    """More wrong passwords than the rules look at."""
    wrong = AuditRecord(event="login", outcome="failure", at=world.now, account_id=account_id)
    await world.store.apply(*(AppendAudit(record=wrong) for _ in range(LOOKED_AT + 10)))


async def letters(world: World) -> list[str]:
    return [each.text for each in await world.mail() if "普段と異なる" in each.text or "unusual" in each.text]


async def test_V6_3_5_a_new_device_from_a_new_network_is_noted_and_told_once(world: World) -> None:
    await world.signed_in()
    await world.signed_in()
    assert await reasons(world) == []

    await world.signed_in(origin=ELSEWHERE)
    assert await reasons(world) == ["new_device", "new_network"]
    (letter,) = await letters(world)
    assert ELSEWHERE.ip in letter
    assert "/not-me and enter" in letter

    await world.signed_in(origin=ELSEWHERE)
    assert len(await letters(world)) == 1, "it is known by now"


async def test_a_new_telephone_at_home_is_noted_and_nobody_is_told(world: World) -> None:
    await world.signed_in()
    await world.signed_in(origin=Origin(ip=HOME.ip, user_agent=ELSEWHERE.user_agent))
    assert await reasons(world) == ["new_device"]
    assert await letters(world) == []


async def test_a_success_after_many_failures_is_told(world: World) -> None:
    await world.signed_in()
    for number in range(10):
        with pytest.raises(InvalidCredentials):
            await world.login(password="wrong", origin=Origin(ip=f"10.9.{number}.1", user_agent=HOME.user_agent))
    await world.login(origin=Origin(ip="198.51.100.7", user_agent=HOME.user_agent))
    assert await reasons(world) == ["many_failures", "new_network"]
    assert len(await letters(world)) == 1


async def test_wrong_passwords_of_some_days_do_not_hide_where_the_owner_signs_in(world: World) -> None:
    account = (await world.signed_in()).account
    await fill_the_newest_records(account.id, world)
    world.clock.advance(days=2)
    await world.login(origin=ELSEWHERE)
    assert await reasons(world) == ["new_device", "new_network"]


async def test_a_journey_is_counted_from_the_newest_of_many_sign_ins_at_home(tmp_path: Path) -> None:
    tokyo = {"country": {"iso_code": "JP"}, "location": {"latitude": 35.68, "longitude": 139.77}}
    london = {"country": {"iso_code": "GB"}, "location": {"latitude": 51.51, "longitude": -0.13}}
    places = tmp_path / "places.mmdb"
    places.write_bytes(tiny_mmdb.build({"1.2.3.0/24": tokyo, "8.8.8.0/24": london}))
    at_home, abroad = (Origin(ip=ip, user_agent=HOME.user_agent) for ip in ("1.2.3.4", "8.8.8.8"))
    async with new_world(tmp_path, {"places_file": places}) as world:
        await world.signed_in(origin=at_home)
        world.clock.advance(days=2)
        await world.login(origin=at_home)
        world.clock.advance(minutes=120)
        await world.login(origin=abroad)
        assert await reasons(world) == ["impossible_travel", "new_country", "new_network"]


async def test_a_right_password_from_a_network_that_sprays_is_told(world: World) -> None:
    await world.signed_in()
    for number in range(SPRAYED_ADDRESSES):
        with pytest.raises(InvalidCredentials):
            await world.login(f"nobody{number}@mail.test", origin=ELSEWHERE)
    await world.login(origin=ELSEWHERE)
    assert "spraying" in await reasons(world)


async def test_what_is_too_unusual_is_refused_like_a_wrong_password_and_told_once(tmp_path: Path) -> None:
    async with new_world(tmp_path, {"anomalies.refuse_from": "40"}) as world:
        account = (await world.signed_in()).account
        for _ in range(2):
            with pytest.raises(InvalidCredentials) as refused:
                await world.login(password=PASSWORD, origin=ELSEWHERE)
            assert refused.value.detail == "too_unusual"
        failures = await world.audit("login", outcome="failure")
        assert [each.reason for each in failures] == ["too_unusual", "too_unusual"]
        assert len(await letters(world)) == 1
        assert len(await world.live_sessions(account.id)) == 1
        await world.login()


async def test_who_has_no_second_factor_is_asked_for_a_code_by_mail(tmp_path: Path) -> None:
    async with new_world(tmp_path, {"anomalies.ask_from": "40"}) as world:
        account = (await world.signed_in()).account
        await world.login()
        asked = await world.asked(origin=ELSEWHERE)
        assert asked.methods == ("email",)
        assert len(await world.live_sessions(account.id)) == 2, "nothing is issued before the code"
        await send_code(SendFactorCode(asked.challenge, "email", ELSEWHERE), world.edge.second_factor)
        pair = await world.answer(asked, await world.code(), method="email", origin=ELSEWHERE)
        assert pair.session.amr == ("pwd", "otp")
        await world.login(origin=ELSEWHERE)


async def test_who_has_a_second_factor_is_asked_for_it_and_not_for_less(tmp_path: Path) -> None:
    async with new_world(tmp_path, {"anomalies.ask_from": "40"}) as world:
        await world.enrolled(await world.signed_in())
        assert "totp" in (await world.asked(origin=ELSEWHERE)).methods


async def test_what_was_only_noted_keeps_no_letter_back(world: World) -> None:
    await world.signed_in()
    await world.signed_in(origin=Origin(ip=HOME.ip, user_agent="okhttp/4.12.0"))
    assert await letters(world) == []
    await world.signed_in(origin=ELSEWHERE)
    assert len(await letters(world)) == 1


async def test_V6_3_5_a_letter_about_the_owner_keeps_none_back_about_a_thief(world: World) -> None:
    """The owner's new telephone is told; a thief who signs in within the hour must be told of as well."""
    await world.signed_in()
    await world.signed_in(origin=ELSEWHERE)
    assert len(await letters(world)) == 1

    thief = Origin(ip="192.0.2.66", user_agent=HOME.user_agent)
    for number in range(10):
        with pytest.raises(InvalidCredentials):
            await world.login(password="wrong", origin=Origin(ip=f"10.9.{number}.1", user_agent=HOME.user_agent))
    await world.login(origin=thief)
    found = await letters(world)
    assert len(found) == 2
    assert sum(thief.ip in letter for letter in found) == 1


async def test_letters_about_ever_other_networks_come_to_an_end(tmp_path: Path) -> None:
    async with new_world(tmp_path, {"anomalies.refuse_from": "40"}) as world:
        await world.signed_in()
        for number in range(MOST_LETTERS_AN_HOUR + 3):
            with pytest.raises(InvalidCredentials):
                await world.login(origin=Origin(ip=f"10.9.{number}.1", user_agent=ELSEWHERE.user_agent))
        assert len(await letters(world)) == MOST_LETTERS_AN_HOUR

        world.clock.advance(minutes=61)
        with pytest.raises(InvalidCredentials):
            await world.login(origin=Origin(ip="10.9.99.1", user_agent=ELSEWHERE.user_agent))
        assert len(await letters(world)) == MOST_LETTERS_AN_HOUR + 1


async def test_an_attack_on_many_accounts_is_written_down_once(world: World) -> None:
    for number in range(SPRAYED_ADDRESSES + 5):
        with pytest.raises(InvalidCredentials):
            await world.login(f"nobody{number}@mail.test", origin=ELSEWHERE)
    (line,) = await world.audit("attack_seen")
    assert (line.reason, line.ip, line.actor) == ("spraying", ELSEWHERE.ip, "system")


async def test_the_figures_count_rules_and_what_followed_by_words_of_closed_lists(world: World) -> None:
    await world.signed_in()
    await world.signed_in(origin=ELSEWHERE)
    figures = world.edge.metrics.render({}).decode()
    assert 'sekisho_unusual_total{outcome="mailed",rule="new_device"} 1.0' in figures
    assert 'sekisho_unusual_total{outcome="mailed",rule="new_network"} 1.0' in figures
    found = re.findall(r'sekisho_unusual_total\{outcome="(\w+)",rule="(\w+)"\}', figures)
    assert {outcome for outcome, _ in found} <= set(OUTCOMES)
    assert {rule for _, rule in found} <= set(Unusual)


async def test_the_rules_cost_a_login_one_read(world: World) -> None:
    """The aim of the bench row, counted: all else that a login reads is the same with and without them."""
    account = (await world.signed_in()).account
    store = CountingReads(world.store)
    await world.edge.login.anomalies.judge(account.id, HOME, world.now, store)  # type: ignore[arg-type]
    await fill_the_newest_records(account.id, world)
    await world.edge.login.anomalies.judge(account.id, HOME, world.now, store)  # type: ignore[arg-type]
    assert store.calls == ["list_traces"] * 2


async def test_without_a_policy_nothing_is_looked_at(tmp_path: Path) -> None:
    async with new_world(tmp_path, {"anomalies.note_from": "0", "anomalies.mail_from": "0"}) as world:
        await world.signed_in()
        await world.signed_in(origin=ELSEWHERE)
        assert await reasons(world) == []
        assert await letters(world) == []

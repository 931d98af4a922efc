"""The audit trail over all flows: one record for each authentication and each end, and never a secret."""

from __future__ import annotations

from collections import Counter

import pytest

from sekisho.errors import Refusal
from sekisho.flows.logout import logout_all, logout_token
from sekisho.flows.profile import ProfileChange, change_profile
from sekisho.flows.withdrawal import withdraw
from sekisho.model import AuditRecord, Transport
from sekisho.sessions import TokenPair
from world import ELSEWHERE, HANAKO, HOME, PASSWORD, World, principal_of

pytestmark = pytest.mark.anyio

WRONG = "eleven loud lanterns"


async def refused(call: object) -> None:
    with pytest.raises(Refusal):
        await call  # type: ignore[misc]


async def a_whole_life(world: World) -> list[str]:
    """Do everything that leaves a trace, by somebody who also gets things wrong; return every secret that was used."""
    sent = await world.send_code()
    wrong_code = f"{(int(await world.code()) + 1) % 1_000_000:06d}"
    await refused(world.verify_code(wrong_code, pending=sent.pending))
    code = await world.code()
    phone = await world.verify_code(code, pending=sent.pending, client_id="web")
    await world.send_code()
    await refused(world.login(password=WRONG))
    await refused(world.login("nobody@mail.test", WRONG))
    browser = await world.login(transport=Transport.SESSION)
    used = await world.refresh((await world.refresh(phone.credential)).credential)
    await refused(world.refresh(phone.credential, origin=ELSEWHERE))
    laptop, tablet, last = [await world.login() for _ in range(3)]
    await refused(world.refresh(laptop.credential, client_id="phone"))
    await logout_token(tablet.credential, HOME, world.edge.logout)
    await change_profile(ProfileChange("Yamada Hanako", "ja"), principal_of(last), HOME, world.edge.profile)
    await logout_all(principal_of(last), HOME, except_current=True, world=world.edge.logout)
    await refused(withdraw(WRONG, principal_of(last), HOME, world.edge.withdrawal))
    await withdraw(PASSWORD, principal_of(last), HOME, world.edge.withdrawal)
    pairs: list[TokenPair] = [phone, browser, used, laptop, tablet, last]
    tokens = [pair.credential for pair in pairs] + [pair.access_token or "no token" for pair in pairs]
    secrets = [PASSWORD, WRONG, HANAKO, "nobody@mail.test", "Yamada", "$argon2", "skr_", *tokens]
    return [*secrets, *(f"'{each}'" for each in (code, wrong_code))]


async def test_I6_V16_3_1_each_authentication_and_each_end_has_exactly_one_record(world: World) -> None:
    await a_whole_life(world)
    found = Counter((line.event, line.outcome, line.reason) for line in await world.audit())
    assert found == {
        ("sign_up_code_sent", "success", ""): 2,
        ("sign_up", "failure", "wrong_code"): 1,
        ("sign_up", "success", ""): 1,
        ("login", "failure", "wrong_password"): 1,
        ("login", "failure", "unknown_account"): 1,
        ("login", "success", ""): 4,
        ("session_ended", "success", "refresh_token_replayed"): 1,
        ("session_ended", "success", "client_id_mismatch"): 1,
        ("session_ended", "success", "logout"): 1,
        ("session_ended", "success", "logout_all"): 1,
        ("session_ended", "success", "withdrawal"): 1,
        ("profile_changed", "success", ""): 1,
        ("withdrawal", "failure", "wrong_password"): 1,
        ("withdrawal", "success", ""): 1,
    }


async def test_V16_2_5_no_record_holds_a_secret_or_an_address_in_the_clear(world: World) -> None:
    secrets = await a_whole_life(world)
    trail = "\n".join(str(line) for line in await world.audit())
    assert [secret for secret in secrets if secret in trail] == []


async def test_V16_2_5_no_log_line_holds_a_secret_or_an_address_in_the_clear(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = await a_whole_life(world)
    said = capsys.readouterr()
    assert "client_id_mismatch" in said.out
    assert [secret for secret in secrets if secret in said.out + said.err] == []


async def test_every_start_of_a_session_meets_exactly_one_end(world: World) -> None:
    await a_whole_life(world)

    def sessions(lines: list[AuditRecord]) -> Counter[str]:
        return Counter(line.session_id for line in lines if line.outcome == "success")

    started = sessions(await world.audit("login")) + sessions(await world.audit("sign_up"))
    assert started == sessions(await world.audit("session_ended"))
    assert set(started.values()) == {1}


async def test_failures_on_an_unknown_address_can_be_grouped_without_naming_it(world: World) -> None:
    for email in ("nobody@mail.test", "NOBODY@mail.test", "somebody@mail.test"):
        await refused(world.login(email))
    tags = [line.identifier_tag for line in await world.audit("login")]
    assert (tags[0] == tags[1], tags[0] == tags[2]) == (True, False)


async def test_a_token_that_is_garbage_is_not_audited(world: World) -> None:
    await refused(world.refresh("skr_" + "A" * 103))
    assert await world.audit() == []


async def test_V6_1_1_a_login_that_a_limit_stops_costs_no_audit_record(world: World) -> None:
    for _ in range(5):
        await refused(world.login(password=WRONG))
    await refused(world.login(password=WRONG))
    assert len(await world.audit("login")) == 5

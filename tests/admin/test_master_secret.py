"""The master secret is replaced while the data stay: nobody is signed out, and the old one opens nothing new."""

from __future__ import annotations

import secrets
from asyncio import gather

import pytest
from msgspec.structs import replace
from pydantic import SecretStr

from sekisho.admin.audit import current_head, verify_audit
from sekisho.admin.guard_keys import add_guard_key
from sekisho.admin.master_secret import NotAnother, Replaced, ReplacedMeanwhile, replace_master_secret
from sekisho.assemble import FormerSecretsDamaged, WrongMasterSecret, operator
from sekisho.audit.sealing import Retention, retire, seal_waiting
from sekisho.audit.seals import Seals
from sekisho.errors import SessionNotFound, ValidationError
from sekisho.flows.authenticate import authenticate_cookie
from sekisho.flows.login import Login, login
from sekisho.flows.second_factor import SecondFactor, second_factor
from sekisho.identifiers import parse_client_id
from sekisho.master_secret import STORED_FORMERS, MasterSecret, UnsealError
from sekisho.mfa import totp
from sekisho.model import AuditSeal, KeyState, Transport
from sekisho.outbox import MailKind, Outbox
from sekisho.ports.changes import AddAuditSeal, AddSigningKey, SwapMeta
from sekisho.ports.secret_changes import Reseal
from sekisho.sessions import TokenPair
from sekisho.tokens.guard_key import GuardKeyForm
from sekisho.tokens.signing_keys import KeyRing, new_signing_key
from world import HANAKO, HOME, PASSWORD, Enrolled, World, WorldWith, principal_of

pytestmark = pytest.mark.anyio


def new_secret() -> str:
    return secrets.token_urlsafe(32)


async def replaced(world: World, secret: str) -> Replaced:
    """Stop the server, replace the secret as the command does, and start with the new one."""
    await world.stop()
    async with operator(world.settings) as opened:
        done = await replace_master_secret(secret.encode(), replace(opened, clock=world.clock))
    world.settings = world.settings.model_copy(update={"secret": SecretStr(secret)})
    await world.start()
    world.master = MasterSecret(secret.encode())
    world.master.recall(await world.store.find_meta(STORED_FORMERS))
    return done


async def sealed(world: World) -> AuditSeal:
    """Seal what the server, which does so too, has not sealed yet; return the newest seal."""
    await seal_waiting(world.store, Seals(world.master), world.now)
    newest = await world.store.last_audit_seal()
    assert newest is not None
    return newest


async def with_app(world: World) -> Enrolled:
    return await world.enrolled(await world.signed_up())


async def test_V11_2_2_V13_3_4_nobody_is_signed_out_twice_over(world: World) -> None:
    body = await world.signed_up()
    session = await world.login(transport=Transport.SESSION)
    for _ in range(2):
        await replaced(world, new_secret())

        body = await world.refresh(body.credential)
        who = await authenticate_cookie(session.credential, HOME, world.edge.authenticate)
        assert who == principal_of(session)
        assert await world.is_live(body)
    (first, second) = await world.audit("master_secret_replaced")
    assert (first.actor, second.outcome) == ("operator", "success")


async def test_I8_a_refresh_that_is_retried_after_the_secret_was_replaced_continues_the_same_session(
    world: World,
) -> None:
    pair = await world.signed_up()
    first = await world.refresh(pair.credential)
    await replaced(world, new_secret())

    again = await world.refresh(pair.credential)

    opened = world.edge.refresh.refresh_tokens
    assert opened.open(again.credential) == opened.open(first.credential)
    assert (await world.refresh(first.credential)).session.id == pair.session.id


async def test_what_a_person_enrolled_works_on(world: World) -> None:
    enrolled = await with_app(world)
    done = await replaced(world, new_secret())

    assert done.factors == 1
    await world.answer(await world.asked(), enrolled.app.code())
    await world.answer(await world.asked(), enrolled.recovery_codes[0], method="recovery_code")


async def test_a_trusted_device_is_not_asked(world_with: WorldWith) -> None:
    world = await world_with({"factors.trusted_days": 30})
    enrolled = await with_app(world)
    answer = SecondFactor(
        (await world.asked()).challenge, "totp", enrolled.app.code(), "web", HOME, None, trust_device=True
    )
    trusted = (await second_factor(answer, world.edge.second_factor)).device_token
    await replaced(world, new_secret())

    entered = await login(Login(HANAKO, PASSWORD, "web", Transport.BODY, HOME, trusted=trusted), world.edge.login)

    assert isinstance(entered, TokenPair)


async def test_the_old_secret_opens_nothing_that_was_sealed_anew(world: World) -> None:
    await with_app(world)
    old = world.master
    await replaced(world, new_secret())
    alone = MasterSecret(world.settings.master_secret)

    (factor,) = await world.store.list_all_factors()
    purpose, context = totp.sealed_as(factor.id)
    with pytest.raises(UnsealError):
        old.unseal(purpose, factor.sealed, context)
    assert alone.unseal(purpose, factor.sealed, context)
    for key in await world.store.list_signing_keys():
        with pytest.raises(UnsealError):
            old.unseal("signing key", key.sealed_private, f"signing_keys:{key.kid}")


async def test_a_letter_that_waits_is_sealed_anew_and_one_by_the_old_secret_is_not_sent(world: World) -> None:
    old = world.master
    waiting = world.operator().outbox.letter(MailKind.ACCOUNT_WITHDRAWN, to=HANAKO, locale="en", now=world.now)
    later = replace(waiting, now=world.now + 86_400_000)
    await world.store.apply(later)

    done = await replaced(world, new_secret())

    assert done.letters == 1
    (row,) = await world.store.list_waiting_mail()
    assert Outbox(world.master).open(row).to == HANAKO
    with pytest.raises(UnsealError):
        Outbox(old).open(row)
    with pytest.raises(UnsealError):
        Outbox(world.master).open(replace(row, sealed=waiting.sealed))


async def test_a_value_that_the_old_secret_does_not_open_stays_as_it_is(world: World) -> None:
    await with_app(world)
    (factor,) = await world.store.list_all_factors()
    await world.store.apply(Reseal(place="factor", id=factor.id, was=factor.sealed, value=b"\x01\x02"))

    done = await replaced(world, new_secret())

    assert (done.factors, done.unreadable) == (0, 1)
    assert [each.sealed for each in await world.store.list_all_factors()] == [b"\x01\x02"]


async def test_a_code_that_was_under_way_is_refused_and_a_new_one_works(world: World) -> None:
    enrolled = await with_app(world)
    asked = await world.asked()
    await replaced(world, new_secret())

    with pytest.raises(SessionNotFound):
        await second_factor(
            SecondFactor(asked.challenge, "totp", enrolled.app.code(), "web", HOME, None), world.edge.second_factor
        )
    await world.answer(await world.asked(), enrolled.app.code())


async def test_a_known_device_stays_known_and_a_guards_key_stays_good(world: World) -> None:
    await world.signed_up()
    guard = await add_guard_key("orders", world.operator())
    client = parse_client_id("web:one-device-of-many")
    known = world.edge.login.throttle.remember_devices(HANAKO, HOME, client, world.now)
    await world.store.apply(*known)
    await replaced(world, new_secret())

    assert await world.edge.login.throttle.is_known_device(world.store, HANAKO, HOME, client)
    assert GuardKeyForm(world.master).open(guard.text).id == guard.key.id


async def test_the_audit_trail_is_whole_across_secrets_and_its_marks_are_the_new_ones(world: World) -> None:
    await world.signed_up()
    await sealed(world)
    world.clock.advance(days=2)
    await retire(world.store, Seals(world.master), Retention(86_400_000, None), world.now)
    head = await current_head(world.operator())

    done = await replaced(world, new_secret())
    await world.login()
    await sealed(world)

    assert done.audit_marks == 1
    findings = await verify_audit(world.operator(), head)
    assert findings.is_whole
    assert findings.blanked_aged > 0


async def test_V16_4_2_who_has_learned_the_old_secret_can_seal_and_blank_nothing(world: World) -> None:
    await world.signed_up()
    first = await sealed(world)
    old = world.master
    await replaced(world, new_secret())

    forged = Seals(old).make(first, (await world.audit("master_secret_replaced")), world.now)
    await world.store.apply(AddAuditSeal(seal=forged))
    await retire(world.store, Seals(old), Retention(-1, None), world.now)

    findings = await verify_audit(world.operator(), None)
    assert {(each.kind, each.number) for each in findings.found} >= {("seal_changed", 1), ("seal_changed", 2)}
    with pytest.raises(ValidationError, match="replaced"):
        await verify_audit(world.operator(), Seals(old).sign_head(forged))


async def test_V13_3_4_who_has_learned_the_old_secret_can_plant_no_signing_key(world: World) -> None:
    old = world.master
    await replaced(world, new_secret())
    planted = await new_signing_key(old, "ES256", KeyState.RETIRED, world.now)

    await world.store.apply(AddSigningKey(key=planted))

    with pytest.raises(UnsealError):
        KeyRing(world.master).load(await world.store.list_signing_keys(), world.now)
    done = await replace_master_secret(new_secret().encode(), world.operator())
    assert (done.signing_keys, done.unreadable) == (2, 1), "it is not taken over by the secret after, either"


async def test_of_two_commands_at_once_one_wins_and_the_other_changes_nothing(world: World) -> None:
    await with_app(world)
    one, two = new_secret(), new_secret()
    beside = world.operator()

    came = await gather(*(replace_master_secret(each.encode(), beside) for each in (one, two)), return_exceptions=True)

    assert sorted(type(each).__name__ for each in came) == ["Replaced", "ReplacedMeanwhile"]
    winner = (one, two)[[isinstance(each, ReplacedMeanwhile) for each in came].index(False)]
    world.settings = world.settings.model_copy(update={"secret": SecretStr(winner)})
    await world.restart()
    assert len(await world.audit("master_secret_replaced")) == 1


async def test_a_secret_that_was_in_force_before_is_refused(world: World) -> None:
    first = world.settings.master_secret
    with pytest.raises(NotAnother):
        await replace_master_secret(first, world.operator())
    await replaced(world, new_secret())
    with pytest.raises(NotAnother):
        await replace_master_secret(first, world.operator())
    with pytest.raises(ValueError, match="32 bytes"):
        await replace_master_secret(b"short", world.operator())


async def test_the_old_secret_starts_no_server_any_more(world: World) -> None:
    before = world.settings
    await replaced(world, new_secret())
    world.settings = before
    with pytest.raises(WrongMasterSecret):
        await world.restart()


async def test_secrets_from_before_that_were_tampered_with_stop_the_start(world: World) -> None:
    await replaced(world, new_secret())
    kept = await world.store.find_meta(STORED_FORMERS)
    assert kept is not None
    await world.store.apply(SwapMeta(name=STORED_FORMERS, was=kept, value="A" * len(kept)))
    with pytest.raises(FormerSecretsDamaged):
        await world.restart()

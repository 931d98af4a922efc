"""`sekisho key …`: signing keys."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sekisho.admin import keys
from sekisho.admin.keys import KeyComesFromSettings, KeySigns
from sekisho.admin.world import OperatorWorld
from sekisho.cli.asking import confirm
from sekisho.cli.failures import fail
from sekisho.cli.output import print_json, print_table, time_json, time_text
from sekisho.cli.surroundings import TAKES_IDS, AsJson, run
from sekisho.cli.texts import say
from sekisho.errors import NotFound
from sekisho.model import KeyState, SigningKey

app = typer.Typer(help=say("help.key"), no_args_is_help=True)


def key_view(key: SigningKey) -> dict[str, Any]:
    """The JSON form of a key; the private half never leaves the store."""
    return {
        "kid": key.kid,
        "alg": key.alg,
        "state": key.state.value,
        "created_at": time_json(key.created_at),
        "activated_at": time_json(key.activated_at),
        "verify_until_at": time_json(key.verify_until_at),
    }


@app.command("list", help=say("help.key_list"))
def show_list(as_json: AsJson = False) -> None:
    async def work(world: OperatorWorld) -> tuple[list[SigningKey], bool]:
        return await keys.list_keys(world), world.signing_algorithm == keys.SYMMETRIC

    found, is_symmetric = run(work, as_json=as_json)
    if as_json:
        print_json({"keys": [key_view(key) for key in found]})
        return
    if is_symmetric:
        print(say("keys.symmetric") if found else say("doctor.keys_symmetric"))
    elif not found:
        print(say("empty.keys"))
    if found:
        print_table(
            ("kid", "alg", "state", "created", "activated", "verify_until"),
            (
                (
                    each.kid,
                    each.alg,
                    each.state.value,
                    time_text(each.created_at),
                    time_text(each.activated_at),
                    time_text(each.verify_until_at),
                )
                for each in found
            ),
        )


@app.command("rotate", help=say("help.key_rotate"))
def rotate(as_json: AsJson = False) -> None:
    async def work(world: OperatorWorld) -> list[SigningKey]:
        try:
            return await keys.rotate(world)
        except KeyComesFromSettings:
            fail("symmetric_key", say("refused.symmetric"), as_json=as_json)

    _tell(run(work, as_json=as_json), "done.rotated", as_json, kid_of_active="kid")


@app.command("retire", help=say("help.key_retire"), context_settings=TAKES_IDS)
def retire(
    kid: Annotated[str, typer.Argument(metavar="KID", help=say("argument.kid"))], as_json: AsJson = False
) -> None:
    async def work(world: OperatorWorld) -> list[SigningKey]:
        try:
            return await keys.retire(kid, world)
        except KeyComesFromSettings:
            fail("symmetric_key", say("refused.symmetric"), as_json=as_json)
        except KeySigns:
            fail("key_signs", say("refused.key_signs", kid=kid), as_json=as_json)
        except NotFound as error:
            fail(error.code, say("refused.key", kid=kid), as_json=as_json)

    _tell(run(work, as_json=as_json), "done.key_retired", as_json, kid_of_active="active", kid=kid)


@app.command("compromise", help=say("help.key_compromise"), context_settings=TAKES_IDS)
def compromise(
    kid: Annotated[str, typer.Argument(metavar="KID", help=say("argument.kid"))],
    yes: Annotated[bool, typer.Option("--yes", help=say("option.yes"))] = False,
    as_json: AsJson = False,
) -> None:
    async def work(world: OperatorWorld) -> list[SigningKey]:
        try:
            return await keys.compromise(kid, world)
        except KeyComesFromSettings:
            fail("symmetric_key", say("refused.symmetric"), as_json=as_json)
        except NotFound as error:
            fail(error.code, say("refused.key", kid=kid), as_json=as_json)

    async def look(world: OperatorWorld) -> None:
        if world.signing_algorithm == keys.SYMMETRIC:
            fail("symmetric_key", say("refused.symmetric"), as_json=as_json)
        if kid not in {key.kid for key in await keys.list_keys(world)}:
            fail("not_found", say("refused.key", kid=kid), as_json=as_json)

    if not yes:
        run(look, as_json=as_json)
        confirm(say("ask.compromise", kid=kid), as_json)
    _tell(run(work, as_json=as_json), "done.compromised", as_json, kid_of_active="active", kid=kid)


def _tell(found: list[SigningKey], text: str, as_json: bool, *, kid_of_active: str, **values: str) -> None:
    if as_json:
        print_json({"keys": [key_view(key) for key in found]})
        return
    active = next(key.kid for key in found if key.state is KeyState.ACTIVE)
    print(say(text, **{kid_of_active: active}, **values))

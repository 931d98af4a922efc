"""`sekisho guard-key …`: keys with which protected APIs read the feed of revocations."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sekisho.admin import guard_keys
from sekisho.admin.guard_keys import NameTaken, NewGuardKey
from sekisho.admin.world import OperatorWorld
from sekisho.cli.failures import fail
from sekisho.cli.output import print_json, print_table, time_json, time_text
from sekisho.cli.surroundings import TAKES_IDS, AsJson, run
from sekisho.cli.texts import say
from sekisho.errors import NotFound
from sekisho.model import GuardKey

app = typer.Typer(help=say("help.guard_key"), no_args_is_help=True)


def guard_key_view(key: GuardKey) -> dict[str, Any]:
    """The JSON form of a guard's key; its text is known to the guard alone."""
    return {"id": key.id, "name": key.name, "created_at": time_json(key.created_at)}


@app.command("add", help=say("help.guard_key_add"))
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help=say("argument.guard_key_name"))], as_json: AsJson = False
) -> None:
    async def work(world: OperatorWorld) -> NewGuardKey:
        try:
            return await guard_keys.add_guard_key(name, world)
        except NameTaken:
            fail("name_taken", say("refused.guard_key_name", name=name), as_json=as_json)

    made = run(work, as_json=as_json)
    if as_json:
        print_json({"guard_key": guard_key_view(made.key), "text": made.text})
    else:
        print(say("done.guard_key_added", name=name))
        print(made.text)


@app.command("list", help=say("help.guard_key_list"))
def show_list(as_json: AsJson = False) -> None:
    found = run(guard_keys.list_guard_keys, as_json=as_json)
    if as_json:
        print_json({"guard_keys": [guard_key_view(key) for key in found]})
    elif not found:
        print(say("empty.guard_keys"))
    else:
        print_table(("id", "name", "created"), ((each.id, each.name, time_text(each.created_at)) for each in found))


@app.command("remove", help=say("help.guard_key_remove"), context_settings=TAKES_IDS)
def remove(
    who: Annotated[str, typer.Argument(metavar="NAME|ID", help=say("argument.guard_key"))], as_json: AsJson = False
) -> None:
    async def work(world: OperatorWorld) -> GuardKey:
        try:
            return await guard_keys.remove_guard_key(who, world)
        except NotFound as error:
            fail(error.code, say("refused.guard_key", who=who), as_json=as_json)

    removed = run(work, as_json=as_json)
    if as_json:
        print_json({"guard_key": guard_key_view(removed)})
    else:
        print(say("done.guard_key_removed", name=removed.name))

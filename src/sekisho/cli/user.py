"""`sekisho user …`: accounts, and whether somebody may sign in to them."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from sekisho.admin import accounts
from sekisho.admin.accounts import NewAccount
from sekisho.admin.world import OperatorWorld
from sekisho.cli.accounts import Who, account_view, no_account, tell
from sekisho.cli.asking import ask_password, confirm
from sekisho.cli.failures import fail
from sekisho.cli.output import print_json, print_table, time_text
from sekisho.cli.surroundings import TAKES_IDS, AsJson, run
from sekisho.cli.texts import say
from sekisho.errors import EmailAlreadyExists, NotFound
from sekisho.model import Account

app = typer.Typer(help=say("help.user"), no_args_is_help=True)
role = typer.Typer(help=say("help.role"), no_args_is_help=True)
app.add_typer(role, name="role")

Roles = Annotated[list[str], typer.Argument(metavar="ROLE...", help=say("argument.roles"))]


@app.command("add", help=say("help.user_add"))
def add(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help=say("argument.email"))],
    roles: Annotated[list[str] | None, typer.Option("--role", metavar="ROLE", help=say("option.role"))] = None,
    locale: Annotated[str, typer.Option(metavar="LOCALE", help=say("option.locale"))] = "en",
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help=say("option.password_stdin"))] = False,
    no_password: Annotated[bool, typer.Option("--no-password", help=say("option.no_password"))] = False,
    as_json: AsJson = False,
) -> None:
    password = ask_password(from_stdin=password_stdin, without=no_password)
    request = NewAccount(email=email, password=password, roles=tuple(roles or ()), locale=locale)

    async def work(world: OperatorWorld) -> Account:
        try:
            return await accounts.add_account(request, world)
        except EmailAlreadyExists as error:
            fail(error.code, say("refused.email_taken", email=email, quoted=shlex.quote(email)), as_json=as_json)

    account = run(work, as_json=as_json)
    tell(account, say("done.user_added", email=account.email, id=account.id), as_json)


@app.command("list", help=say("help.user_list"))
def show_list(
    after: Annotated[str, typer.Option(metavar="ID", help=say("option.after"))] = "",
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help=say("option.limit"))] = 100,
    as_json: AsJson = False,
) -> None:
    found = run(lambda world: accounts.list_accounts(world, after_id=after, limit=limit), as_json=as_json)
    following = found[-1].id if len(found) == limit else None
    if as_json:
        print_json({"accounts": [account_view(account) for account in found], "next": following})
    elif not found:
        print(say("empty.accounts"))
    else:
        print_table(
            ("id", "email", "status", "roles", "created"),
            (
                (each.id, each.email, each.status.value, ", ".join(each.roles), time_text(each.created_at))
                for each in found
            ),
        )
        if following:
            print(say("more", option=f"--after {following}"))


@app.command("disable", help=say("help.user_disable"), context_settings=TAKES_IDS)
def disable(who: Who, as_json: AsJson = False) -> None:
    async def work(world: OperatorWorld) -> accounts.StandingChanged:
        try:
            return await accounts.disable_account(who, world)
        except NotFound as error:
            no_account(error, who, as_json)

    done = run(work, as_json=as_json)
    tell(done.account, say("done.user_disabled", email=done.account.email, ended=done.ended), as_json, done.ended)


@app.command("enable", help=say("help.user_enable"), context_settings=TAKES_IDS)
def enable(who: Who, as_json: AsJson = False) -> None:
    async def work(world: OperatorWorld) -> accounts.StandingChanged:
        try:
            return await accounts.enable_account(who, world)
        except NotFound as error:
            no_account(error, who, as_json)

    done = run(work, as_json=as_json)
    tell(done.account, say("done.user_enabled", email=done.account.email), as_json)


@app.command("withdraw", help=say("help.user_withdraw"), context_settings=TAKES_IDS)
def withdraw(
    who: Who, yes: Annotated[bool, typer.Option("--yes", help=say("option.yes"))] = False, as_json: AsJson = False
) -> None:
    async def look(world: OperatorWorld) -> Account:
        try:
            return await accounts.find_account(who, world)
        except NotFound as error:
            no_account(error, who, as_json)

    async def work(world: OperatorWorld) -> accounts.StandingChanged:
        try:
            return await accounts.withdraw_account(account.id, world)
        except NotFound as error:
            no_account(error, who, as_json)

    account = run(look, as_json=as_json)
    if not yes:
        confirm(say("ask.withdraw", email=account.email, id=account.id), as_json)
    done = run(work, as_json=as_json)
    tell(done.account, say("done.user_withdrawn", id=account.id, ended=done.ended), as_json, done.ended)


@role.command("add", help=say("help.role_add"), context_settings=TAKES_IDS)
def role_add(who: Who, roles: Roles, as_json: AsJson = False) -> None:
    _change_roles(who, as_json, add=tuple(roles))


@role.command("remove", help=say("help.role_remove"), context_settings=TAKES_IDS)
def role_remove(who: Who, roles: Roles, as_json: AsJson = False) -> None:
    _change_roles(who, as_json, remove=tuple(roles))


def _change_roles(who: str, as_json: bool, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> None:
    async def work(world: OperatorWorld) -> Account:
        try:
            return await accounts.change_roles(who, world, add=add, remove=remove)
        except NotFound as error:
            no_account(error, who, as_json)

    account = run(work, as_json=as_json)
    roles = ", ".join(account.roles) or say("none")
    tell(account, say("done.roles", email=account.email, roles=roles), as_json)

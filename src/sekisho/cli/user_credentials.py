"""`sekisho user …`: what opens an account, for who has lost it or may share it with somebody."""

from __future__ import annotations

from typing import Annotated

import typer

from sekisho.admin import accounts, recovery_email
from sekisho.admin.world import OperatorWorld
from sekisho.cli.accounts import Who, account_view, no_account, tell
from sekisho.cli.failures import fail
from sekisho.cli.output import print_json
from sekisho.cli.surroundings import AsJson, run
from sekisho.cli.texts import say
from sekisho.errors import NotFound
from sekisho.model import Account, RecoveryEmail


def reset_factors(who: Who, as_json: AsJson = False) -> None:
    async def work(world: OperatorWorld) -> accounts.StandingChanged:
        try:
            return await accounts.reset_factors(who, world)
        except NotFound as error:
            no_account(error, who, as_json)

    done = run(work, as_json=as_json)
    tell(done.account, say("done.user_factors_reset", email=done.account.email, ended=done.ended), as_json, done.ended)


def remove_recovery_email(who: Who, as_json: AsJson = False) -> None:
    async def work(world: OperatorWorld) -> tuple[Account, RecoveryEmail]:
        try:
            return await recovery_email.remove_recovery_email(who, world)
        except NotFound as error:
            if error.details:
                no_account(error, who, as_json)
            fail(error.code, say("refused.recovery_email", who=who), as_json=as_json)

    account, before = run(work, as_json=as_json)
    if as_json:
        print_json({"account": account_view(account), "removed": before.email})
    else:
        print(say("done.user_recovery_email_removed", email=account.email, recovery_email=before.email))


def forget_devices(who: Who, as_json: AsJson = False) -> None:
    async def work(world: OperatorWorld) -> accounts.DevicesForgotten:
        try:
            return await accounts.forget_devices(who, world)
        except NotFound as error:
            no_account(error, who, as_json)

    done = run(work, as_json=as_json)
    if as_json:
        print_json({"account": account_view(done.account), "devices": done.devices})
    else:
        print(say("done.user_devices_forgotten", email=done.account.email, devices=done.devices))


def force_password_change(who: Who, as_json: AsJson = False) -> None:
    async def work(world: OperatorWorld) -> accounts.StandingChanged:
        try:
            return await accounts.force_password_change(who, world)
        except NotFound as error:
            no_account(error, who, as_json)

    done = run(work, as_json=as_json)
    said = say("done.user_password_forced", email=done.account.email, ended=done.ended)
    tell(done.account, said, as_json, done.ended)


def unlock(
    who: Who,
    ip: Annotated[str, typer.Option("--ip", metavar="ADDRESS", help=say("option.unlock_ip"))] = "",
    as_json: AsJson = False,
) -> None:
    async def work(world: OperatorWorld) -> Account | None:
        try:
            return await accounts.unlock(who, world, ip=ip)
        except NotFound as error:
            no_account(error, who, as_json)

    account = run(work, as_json=as_json)
    if as_json:
        print_json({"account": account_view(account) if account else None})
    else:
        print(say("done.user_unlocked", who=account.email if account else who))

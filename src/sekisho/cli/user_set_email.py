"""`sekisho user set-email`: an account goes back to its owner under an address that the operator vouches for."""

from __future__ import annotations

import shlex
from typing import Annotated, Any, NoReturn

import typer

from sekisho.admin import set_email as flow
from sekisho.admin.accounts import present_account
from sekisho.admin.set_email import GivenBack, HasItAlready, Overtaken
from sekisho.admin.set_email_plan import Case, Openers, SetEmail
from sekisho.admin.world import OperatorWorld
from sekisho.cli.accounts import Who, account_view, no_account
from sekisho.cli.asking import confirm
from sekisho.cli.failures import fail
from sekisho.cli.output import print_json
from sekisho.cli.surroundings import AsJson, run
from sekisho.cli.texts import say
from sekisho.errors import EmailAlreadyExists, NotFound
from sekisho.model import Account, AccountStatus

Done = GivenBack | HasItAlready | Overtaken


def set_email(
    who: Who,
    email: Annotated[str, typer.Argument(metavar="NEW_EMAIL", help=say("argument.new_email"))],
    taken_over: Annotated[bool, typer.Option("--taken-over", help=say("option.taken_over"))] = False,
    keep_password: Annotated[bool, typer.Option("--keep-password", help=say("option.keep_password"))] = False,
    keep_second: Annotated[bool, typer.Option("--keep-recovery-email", help=say("option.keep_recovery_email"))] = False,
    yes: Annotated[bool, typer.Option("--yes", help=say("option.yes"))] = False,
    as_json: AsJson = False,
) -> None:
    if taken_over and (keep_password or keep_second):
        raise typer.BadParameter(say("usage.taken_over_keeps_nothing"))
    account = run(lambda world: _look(who, world, as_json), as_json=as_json)
    if not yes:
        confirm(say("ask.set_email", email=account.email, id=account.id, new_email=email), as_json)
    request = SetEmail(
        who=account.id,
        email=email,
        case=Case.TAKEN_OVER if taken_over else Case.LOST_MAILBOX,
        keeps_password=keep_password,
        keeps_recovery_email=keep_second,
    )
    _tell(run(lambda world: _give(request, world, as_json), as_json=as_json), taken_over, as_json)


async def _look(who: str, world: OperatorWorld, as_json: bool) -> Account:
    try:
        return await present_account(who, world)
    except NotFound as error:
        no_account(error, who, as_json)


async def _give(request: SetEmail, world: OperatorWorld, as_json: bool) -> Done:
    try:
        return await flow.set_email(request, world)
    except NotFound as error:
        no_account(error, request.who, as_json)
    except EmailAlreadyExists as error:
        quoted = shlex.quote(request.email)
        fail(error.code, say("refused.address_of_another", email=request.email, quoted=quoted), as_json=as_json)


def _tell(done: Done, taken_over: bool, as_json: bool) -> None:
    match done:
        case Overtaken(account):
            _overtaken(account, as_json)
        case HasItAlready(account):
            if as_json:
                print_json({"account": account_view(account), "changed": False})
            else:
                print(say("done.user_email_same", email=account.email, id=account.id))
        case GivenBack():
            if as_json:
                print_json(_view(done))
            else:
                print("\n".join(_sentences(done, taken_over)))


def _overtaken(account: Account, as_json: bool) -> NoReturn:
    fail("overtaken", say("refused.overtaken", email=account.email, id=account.id), as_json=as_json)


def _view(done: GivenBack) -> dict[str, Any]:
    return {
        "account": account_view(done.account),
        "changed": True,
        "former_email": done.former_email,
        "ended": done.ended,
        "removed": _openers_view(done.removed),
        "kept": _openers_view(done.kept),
    }


def _openers_view(openers: Openers) -> dict[str, Any]:
    return {
        "password": openers.password,
        "recovery_email": openers.recovery_email.email if openers.recovery_email else None,
        "second_factors": list(openers.second_factors),
        "recovery_codes": openers.recovery_codes,
        "trusted_devices": openers.trusted_devices,
    }


def _sentences(done: GivenBack, taken_over: bool) -> list[str]:
    """What was done, a line each, and what is left to do."""
    account, removed, kept = done.account, done.removed, done.kept
    told = [say("done.user_email_set", id=account.id, email=account.email, former=done.former_email or say("none"))]
    told.append(say("done.sessions_ended", ended=done.ended))
    told.append(_of_password(removed, kept))
    if second := removed.recovery_email:
        told.append(say("given.recovery_removed", recovery_email=second.email))
    elif second := kept.recovery_email:
        told.append(say("given.recovery_kept", recovery_email=second.email))
    if removed.second_factors or removed.recovery_codes:
        factors = ", ".join(removed.second_factors) or say("none")
        told.append(say("given.factors_removed", factors=factors, codes=removed.recovery_codes))
    elif kept.second_factors:
        told.append(say("given.factors_kept", factors=", ".join(kept.second_factors), id=account.id))
    if removed.trusted_devices:
        told.append(say("given.devices_forgotten", devices=removed.trusted_devices))
    if account.status is not AccountStatus.ACTIVE:
        told.append(say("given.still_disabled", id=account.id))
    return told


def _of_password(removed: Openers, kept: Openers) -> str:
    if removed.password:
        return say("given.password_removed")
    return say("given.password_kept") if kept.password else say("given.password_none")

"""An account in the commands: how it is named, and what is told of it."""

from __future__ import annotations

from typing import Annotated, Any, NoReturn

import typer

from sekisho.cli.failures import fail
from sekisho.cli.output import print_json
from sekisho.cli.texts import say
from sekisho.errors import NotFound
from sekisho.model import Account
from sekisho.times import iso_time

Who = Annotated[str, typer.Argument(metavar="EMAIL|ID", help=say("argument.who"))]


def account_view(account: Account) -> dict[str, Any]:
    """The JSON form of an account."""
    return {
        "id": account.id,
        "email": account.email,
        "is_verified": account.is_verified,
        "name": account.name,
        "locale": account.locale,
        "roles": list(account.roles),
        "status": account.status.value,
        "has_password": account.password_hash is not None,
        "created_at": iso_time(account.created_at),
    }


def no_account(error: NotFound, who: str, as_json: bool) -> NoReturn:
    """Tell that nobody has this address or id, and who had the address until lately."""
    if error.details:
        had = dict(error.details)
        said = say("refused.former_address", who=who, id=had["account_id"], until=had["until"])
        fail(error.code, said, as_json=as_json, details=had)
    fail(error.code, say("refused.account", who=who), as_json=as_json)


def tell(account: Account, sentence: str, as_json: bool, ended: int | None = None) -> None:
    if as_json:
        print_json({"account": account_view(account), **({} if ended is None else {"ended": ended})})
    else:
        print(sentence)

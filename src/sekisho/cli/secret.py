"""`sekisho secret replace`: another master secret for the data that are there."""

from __future__ import annotations

import secrets
import shlex
from pathlib import Path
from typing import Annotated

import typer
from msgspec import structs

from sekisho.cli.asking import confirm
from sekisho.cli.failures import fail, told
from sekisho.cli.output import print_json
from sekisho.cli.surroundings import AsJson, run, settings_for_command
from sekisho.cli.texts import LANGUAGE, say
from sekisho.settings import STATE_FOLDER

app = typer.Typer(help=say("help.secret"), no_args_is_help=True)


@app.callback()
def settle() -> None:
    """Keep `replace` a command of its own."""


@app.command("replace", help=say("help.secret_replace"))
def replace(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help=say("option.secret_out"))
    ] = None,
    source: Annotated[Path | None, typer.Option("--from", metavar="FILE", help=say("option.secret_from"))] = None,
    yes: Annotated[bool, typer.Option("--yes", help=say("option.yes"))] = False,
    as_json: AsJson = False,
) -> None:
    from sekisho.admin.master_secret import NotAnother, Replaced, ReplacedMeanwhile, replace_master_secret
    from sekisho.admin.world import OperatorWorld

    path = source or output
    if path is None or (source and output):
        fail("usage", say("usage.secret"), as_json=as_json)
    if not yes:
        confirm(say("ask.secret"), as_json)
    _refuse_beside_a_server(as_json)
    # Written before it takes effect: a secret that is in force and nowhere written down would lose everything.
    secret = _read(path, as_json) if source else _written(path, as_json)

    async def work(world: OperatorWorld) -> Replaced:
        try:
            return await replace_master_secret(secret.encode(), world)
        except NotAnother:
            fail("not_another", say("refused.not_another_secret"), as_json=as_json)
        except ReplacedMeanwhile:
            fail("replaced_meanwhile", say("refused.secret_moved"), as_json=as_json)

    done = run(work, as_json=as_json)
    path = path.absolute()
    if as_json:
        print_json({"secret_file": str(path), **structs.asdict(done)})
        return
    print(
        say("done.secret", keys=done.signing_keys, factors=done.factors, letters=done.letters, marks=done.audit_marks)
    )
    if done.unreadable:
        print(say("done.secret_unreadable", count=done.unreadable))
    in_state_folder = settings_for_command().origin_of("secret") == f"file {STATE_FOLDER}/secret"
    key = "done.secret_next_dev" if in_state_folder else "done.secret_next"
    print(say(key, path=path, quoted=shlex.quote(str(path)), kept=f"{STATE_FOLDER}/secret"))


def _refuse_beside_a_server(as_json: bool) -> None:
    """One that goes on with the old secret seals audit records that look forged ever after. A file knows who has it
    open; of PostgreSQL the operator has to."""
    settings = settings_for_command(as_json=as_json)
    if settings.is_postgres or not settings.database_path.exists():
        return
    from sekisho.storage.sqlite.backup import refuse_if_open

    with told(settings, as_json=as_json):
        refuse_if_open(settings.database_path)


def _read(path: Path, as_json: bool) -> str:
    from sekisho.cli.private_file import NotOneLine, read_line
    from sekisho.settings.rules.secrets import secret_faults

    try:
        secret = read_line(path)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "UTF-8"
        fail("cannot_read", say("refused.secret_unreadable", path=path, why=why), as_json=as_json)
    except NotOneLine:
        fail("bad_secret", say("refused.secret_not_one_line", path=path), as_json=as_json)
    fault = next(secret_faults("secret", secret), None)
    if fault is not None:
        why = fault.ja if LANGUAGE == "ja" else fault.en
        fail("bad_secret", say("refused.bad_secret", path=path, why=why), as_json=as_json)
    return secret


def _written(path: Path, as_json: bool) -> str:
    from sekisho.cli.private_file import write_new

    secret = secrets.token_urlsafe(32)
    try:
        write_new(path, secret + "\n")
    except FileExistsError:
        fail("exists", say("refused.secret_exists", path=path), as_json=as_json)
    except OSError as error:
        fail("cannot_write", say("refused.secret_unwritable", path=path, why=error.strerror), as_json=as_json)
    return secret

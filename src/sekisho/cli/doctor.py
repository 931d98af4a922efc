"""`sekisho doctor`: look at everything that tends to go wrong; each problem comes with its fix."""

from __future__ import annotations

import asyncio

import typer

from sekisho.cli.checks import Check, checks_around, checks_of_database, problem
from sekisho.cli.failures import FAILED, store_failure
from sekisho.cli.output import padded, print_json
from sekisho.cli.surroundings import AsJson, chosen_mode, mode_hint
from sekisho.cli.texts import LANGUAGE, say
from sekisho.settings import Settings, SettingsError, load


def doctor(as_json: AsJson = False) -> None:
    found = asyncio.run(_examine())
    problems = sum(check.state == "problem" for check in found)
    if as_json:
        print_json({"healthy": problems == 0, "checks": found})
    else:
        for check in found:
            _print(check)
        print()
        print(say("doctor.found", count=problems) if problems else say("doctor.all_well"))
    if problems:
        raise typer.Exit(FAILED)


async def _examine() -> list[Check]:
    mode = chosen_mode()
    try:
        settings = load(mode)
    except SettingsError as error:
        hint = mode_hint(mode)
        return [
            problem(
                "settings",
                f"{mistake.variable}: {mistake.ja if LANGUAGE == 'ja' else mistake.en}",
                mistake.example or hint or mistake.variable,
            )
            for mistake in error.mistakes
        ]
    found = [Check(name="settings", text=say("doctor.settings", mode=mode))]
    found += await _examine_database(settings)
    found += [check async for check in checks_around(settings)]
    return found


async def _examine_database(settings: Settings) -> list[Check]:
    from sekisho.assemble import operator

    try:
        async with operator(settings) as world:
            return [check async for check in checks_of_database(world, settings)]
    except Exception as error:
        message = store_failure(error)
        if message is None:
            raise
        # The sentence says what to do as well.
        return [problem("database", message, "")]


def _print(check: Check) -> None:
    print(f"{padded(say(f'doctor.{check.state}'), 8)} {check.name}: {check.text}")
    if check.fix:
        print(f"{'':8} -> {check.fix}")

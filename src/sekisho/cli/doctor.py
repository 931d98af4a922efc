"""`sekisho doctor`: look at everything that tends to go wrong; each problem comes with its fix."""

from __future__ import annotations

import asyncio

import typer
from msgspec import Struct

from sekisho.cli.checks import Check, checks_around, checks_of_database, problem
from sekisho.cli.failures import FAILED, store_failure
from sekisho.cli.output import padded, print_json
from sekisho.cli.surroundings import AsJson, chosen_mode, mode_hint
from sekisho.cli.texts import LANGUAGE, say
from sekisho.settings import Settings, SettingsError, load


def doctor(as_json: AsJson = False) -> None:
    report = asyncio.run(_examine())
    problems = sum(check.state == "problem" for check in report.checks)
    if as_json:
        hint = {"hint": report.hint} if report.hint else {}
        print_json({"healthy": problems == 0, "checks": report.checks, **hint})
    else:
        for check in report.checks:
            _print(check)
        print()
        print(say("doctor.found", count=problems) if problems else say("doctor.all_well"))
        if report.hint:
            print(f"\n{report.hint}")
    if problems:
        raise typer.Exit(FAILED)


class _Report(Struct, frozen=True):
    """hint: what to add when the settings are wrong that nobody asked for by name."""

    checks: list[Check]
    hint: str = ""


async def _examine() -> _Report:
    mode = chosen_mode()
    try:
        settings = load(mode, may_create=False)
    except SettingsError as error:
        mistakes = [
            problem(
                "settings", f"{mistake.variable}: {mistake.ja if LANGUAGE == 'ja' else mistake.en}", mistake.example
            )
            for mistake in error.mistakes
        ]
        return _Report(mistakes, mode_hint(mode))
    found = [Check(name="settings", text=say("doctor.settings", mode=mode))]
    found += await _examine_database(settings)
    found.append(await _examine_redis(settings))
    found += [check async for check in checks_around(settings)]
    return _Report(found)


async def _examine_database(settings: Settings) -> list[Check]:
    from sekisho.assemble import operator

    try:
        async with operator(settings) as world:
            return [check async for check in checks_of_database(world, settings)]
    except Exception as error:
        message = store_failure(error, settings)
        if message is None:
            raise
        # The sentence says what to do as well.
        return [problem("database", message, "")]


async def _examine_redis(settings: Settings) -> Check:
    from sekisho.assemble import examine_redis

    try:
        found = await examine_redis(settings)
    except Exception as error:
        message = store_failure(error, settings)
        if message is None:
            raise
        return problem("redis", message, "")
    if found is None:
        return Check(name="redis", state="skipped", text=say("doctor.redis_none"))
    sessions = "true" if settings.redis.sessions else "false"
    return Check(name="redis", text=say("doctor.redis", found=found, sessions=sessions))


def _print(check: Check) -> None:
    print(f"{padded(say(f'doctor.{check.state}'), 8)} {check.name}: {check.text}")
    if check.fix:
        print(f"{'':8} -> {check.fix}")

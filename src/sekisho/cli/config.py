"""`sekisho config` and `sekisho openapi`: what is in force, and what is offered."""

from __future__ import annotations

from sekisho.cli.output import print_json, print_table
from sekisho.cli.surroundings import AsJson, settings_for_command
from sekisho.settings import describe


def config(as_json: AsJson = False) -> None:
    settings = settings_for_command(as_json=as_json)
    rows = describe(settings)
    if as_json:
        print_json({"mode": settings.mode, "settings": rows})
    else:
        print_table(("variable", "value", "origin"), ((row.variable, row.value, row.origin) for row in rows))


def openapi() -> None:
    from sekisho.http.openapi import document
    from sekisho.http.routes import ROUTES

    print_json(document(ROUTES))

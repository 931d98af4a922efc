"""Who may import whom: one table, held by import-linter, and complete by test.

A new top-level module fails here until it has a layer: choosing one is the decision to make.
"""

from __future__ import annotations

from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

import sekisho

SOURCE = Path(sekisho.__file__).parent

LAYERS = {
    "nouns": {"model", "errors", "times"},
    "rfc": {"rfc"},
    "ports": {"ports"},
    "catalogue": {"catalogue"},
    "capabilities": {
        "alerts",
        "anomalies",
        "audit",
        "devices",
        "factor_owner",
        "guard_keys",
        "identifiers",
        "ids",
        "long_codes",
        "master_secret",
        "mfa",
        "not_me_codes",
        "notices",
        "one_time_codes",
        "outbox",
        "passwords",
        "phone_numbers",
        "places",
        "revocation_feed",
        "revocations",
        "sessions",
        "throttle",
        "tokens",
    },
    "flows": {"flows"},
    "admin": {"admin"},
    "upkeep": {"upkeep"},
    "storage": {"storage"},
    "delivery": {"delivery"},
    "http": {"http"},
    "ui": {"ui"},
    "sockets": {"sockets"},
    "guard": {"guard"},
    "settings": {"settings"},
    "logs": {"logs"},
    "assemble": {"assemble"},
    "cli": {"cli", "__main__"},
}

_INSIDE = {"nouns", "rfc", "ports", "catalogue", "capabilities"}
MAY_IMPORT = {
    "nouns": set[str](),
    "rfc": set[str](),
    "ports": {"nouns"},
    "catalogue": {"nouns"},
    "capabilities": _INSIDE - {"catalogue"},
    "flows": _INSIDE - {"catalogue"},
    "admin": _INSIDE - {"catalogue"},
    "upkeep": _INSIDE - {"catalogue"},
    "storage": {"nouns", "ports"},
    "delivery": {"nouns", "ports"},
    "http": _INSIDE | {"flows", "admin"},
    "ui": _INSIDE | {"flows", "http"},
    "sockets": {"http"},
    "guard": {"nouns", "rfc"},
    "settings": {"nouns"},
    "logs": set[str](),
    "assemble": set(LAYERS) - {"cli", "sockets", "guard"},
    "cli": set(LAYERS) - {"guard"},
}

# What the world offers, and the layers that may touch it.
ASGI_SERVERS = {"uvicorn", "httptools", "uvloop"}
HTTP_LIBRARIES = {"starlette"} | ASGI_SERVERS
STORES = {"apsw", "sqlalchemy", "alembic", "sqlite3", "redis", "hiredis"}
MAIL = {"aiosmtplib", "smtplib"}
SETTINGS_LIBRARIES = {"pydantic", "pydantic_settings", "dotenv"}
COMMAND_LINE = {"typer", "rich", "argparse"}
SOCKETS_FILES_CLOCKS = {
    "asyncio",
    "datetime",
    "io",
    "os",
    "pathlib",
    "select",
    "shutil",
    "socket",
    "ssl",
    "tempfile",
    "time",
}

OUTSIDE = {layer: HTTP_LIBRARIES | STORES | MAIL | SETTINGS_LIBRARIES | COMMAND_LINE for layer in LAYERS} | {
    "rfc": HTTP_LIBRARIES | STORES | MAIL | SETTINGS_LIBRARIES | COMMAND_LINE | SOCKETS_FILES_CLOCKS,
    "storage": HTTP_LIBRARIES | MAIL | SETTINGS_LIBRARIES | COMMAND_LINE,
    "delivery": HTTP_LIBRARIES | STORES | SETTINGS_LIBRARIES | COMMAND_LINE,
    # It mounts in another application as well, under whatever server that one has.
    "http": ASGI_SERVERS | STORES | MAIL | SETTINGS_LIBRARIES | COMMAND_LINE,
    "ui": HTTP_LIBRARIES | STORES | MAIL | SETTINGS_LIBRARIES | COMMAND_LINE,
    "sockets": {"starlette"} | STORES | MAIL | SETTINGS_LIBRARIES | COMMAND_LINE,
    "settings": HTTP_LIBRARIES | STORES | MAIL | COMMAND_LINE,
    "assemble": SETTINGS_LIBRARIES | COMMAND_LINE,
    "cli": set[str](),
}


# A guard's integration stands on its framework; the rest of the guard on none.
INTEGRATIONS = {"guard": ("ignore_imports =", "    sekisho.guard.starlette -> starlette")}
FRAMEWORKS = {"django", "rest_framework", "fastapi", "flask", "werkzeug", "asgiref", "pytest"}
STANDS_ON = {
    "django.py": {"django", "asgiref"},
    "drf.py": {"rest_framework"},
    "fastapi.py": {"fastapi"},
    "flask.py": {"flask", "werkzeug"},
    "pytest_plugin.py": {"pytest"},
}


def top_level_modules() -> set[str]:
    """Return what stands directly under `src/sekisho`, folders with code in them and single files."""
    folders = {path.parent.name for path in SOURCE.glob("*/*.py")}
    return folders | {path.stem for path in SOURCE.glob("*.py")} - {"__init__"}


def present(layers: set[str]) -> list[str]:
    modules = set().union(*(LAYERS[layer] for layer in layers)) & top_level_modules()
    return sorted(f"sekisho.{module}" for module in modules)


def contract(name: str, kind: str, *options: str, **fields: list[str]) -> str:
    lines = [f"[importlinter:contract:{name}]", f"name = {name}", f"type = {kind}", *options]
    for field, values in fields.items():
        lines += [f"{field} =", *(f"    {value}" for value in values)]
    return "\n".join(lines) + "\n"


def contracts() -> str:
    """Return the configuration of import-linter for the modules that exist today."""
    parts = ["[importlinter]\nroot_package = sekisho\ninclude_external_packages = True\n"]
    for layer in LAYERS:
        sources = present({layer})
        forbidden = present(set(LAYERS) - MAY_IMPORT[layer] - {layer}) + sorted(OUTSIDE[layer])
        if sources and forbidden:
            parts.append(
                contract(
                    f"{layer} stays below",
                    "forbidden",
                    "allow_indirect_imports = True",
                    *INTEGRATIONS.get(layer, ()),
                    source_modules=sources,
                    forbidden_modules=forbidden,
                )
            )
    flows = sorted(f"sekisho.flows.{path.stem}" for path in SOURCE.glob("flows/*.py") if path.stem != "__init__")
    if len(flows) > 1:
        parts.append(contract("flows never meet", "independence", modules=flows))
    return "\n".join(parts)


def test_every_module_has_exactly_one_layer() -> None:
    placed = [module for modules in LAYERS.values() for module in modules]
    assert len(placed) == len(set(placed))
    assert top_level_modules() - set(placed) == set(), "give the new module a layer in LAYERS"
    assert set(MAY_IMPORT) == set(OUTSIDE) == set(LAYERS)


def test_no_import_crosses_the_house_the_wrong_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / ".importlinter"
    config.write_text(contracts())
    status = lint_imports(config_filename=str(config), no_cache=True)
    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_no_two_modules_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("sekisho", cache_dir=None)
    for module in present(set(LAYERS)):
        graph.squash_module(module)
    imports = {module: graph.find_modules_directly_imported_by(module) - {module} for module in graph.modules}
    TopologicalSorter(imports).prepare()


def test_only_a_guards_integration_imports_its_framework() -> None:
    graph = grimp.build_graph("sekisho", include_external_packages=True, cache_dir=None)
    found = {
        (f"{module.removeprefix('sekisho.guard.')}.py", package)
        for package in FRAMEWORKS & graph.modules
        for module in graph.find_modules_that_directly_import(package)
    }
    assert found == {(file, package) for file, packages in STANDS_ON.items() for package in packages}

"""The commands' texts: both languages whole, nothing unused, nothing missing."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import sekisho.cli
from live_server import sekisho as sekisho_in
from sekisho.cli.texts import LANGUAGES, say, table

SOURCES = "\n".join(path.read_text() for path in Path(sekisho.cli.__file__).parent.glob("*.py"))
# Keys that are put together: their beginnings.
MADE = ("import.row.", "column.", "found.", "store.", "start.", "doctor.", "reason.roles.")


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{([a-z_]+)\}", text))


def test_both_languages_have_the_same_keys() -> None:
    english, japanese = (table(language) for language in LANGUAGES)
    assert english.keys() == japanese.keys()


def test_a_sentence_asks_for_the_same_values_in_both_languages() -> None:
    english, japanese = (table(language) for language in LANGUAGES)
    differing = {
        key
        for key in english
        # The store's English sentences come whole from the store itself.
        if not key.startswith("store.") and placeholders(english[key]) != placeholders(japanese[key])
    }
    assert differing == set()


def test_every_text_is_used_and_every_text_used_exists() -> None:
    known = set(table("en"))
    groups = {key.partition(".")[0] for key in known}
    literal = {
        word for word in re.findall(r"""["']([a-z]+\.[a-zA-Z_.]+)["']""", SOURCES) if word.partition(".")[0] in groups
    }
    assert literal - known == set()
    assert {key for key in known - literal if "." in key and not key.startswith(MADE)} == set()


def columns_of_tables() -> set[str]:
    """Return the names under which the commands print columns: the first argument of each table, word by word."""
    calls = [node for node in ast.walk(ast.parse(SOURCES)) if isinstance(node, ast.Call)]
    tables = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print_table"]
    return {name for call in tables for name in ast.literal_eval(call.args[0])}


def test_every_column_of_a_table_has_a_name_and_every_name_a_column() -> None:
    named = {key.removeprefix("column.") for key in table("en") if key.startswith("column.")}
    facts = set(re.findall(r"""["']column\.([a-z_]+)["']""", SOURCES))
    assert columns_of_tables() | facts == named


def test_a_value_that_looks_like_a_placeholder_stays_as_it_is() -> None:
    assert "{ended}" in say("done.user_disabled", email="{ended}", ended=3)


def test_a_missing_value_is_a_programming_mistake() -> None:
    with pytest.raises(KeyError):
        say("done.user_disabled", email="x")


@pytest.mark.parametrize(
    "group", ["", "user", "user role", "session", "key", "secret", "guard-key", "audit", "passwords", "import"]
)
def test_every_command_in_a_list_says_what_it_does_in_japanese_too(group: str, tmp_path: Path) -> None:
    # A list cuts at spaces. Japanese has none, so a sentence that is too long would vanish whole.
    listed = sekisho_in(*group.split(), "--help", folder=tmp_path, LANG="ja_JP.UTF-8", COLUMNS="80").stdout
    commands = listed.partition("Commands:")[2].splitlines()[1:]
    assert commands
    assert [line for line in commands if re.fullmatch(r"\s+[a-z-]+\s+\.\.\.|\s+[a-z-]+\s*", line)] == []


def test_every_reason_of_a_refused_row_has_its_sentence() -> None:
    source = Path(sekisho.cli.__file__).parents[1] / "admin" / "import_users.py"
    patterns = (
        r'RowRefused\([^()]*"([a-z_]+)"\)',
        r'_refuse_unless\(.*"([a-z_]+)"\)',
        r'details={"[a-z_]+": "([a-z_]+)"}',
    )
    reasons = {found for pattern in patterns for found in re.findall(pattern, source.read_text())}
    assert {"unusable_hash", "twice_in_file", "invalid_json"} <= reasons
    assert {reason for reason in reasons if f"import.row.{reason}" not in table("en")} == set()

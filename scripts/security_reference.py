"""Write docs/reference/security.md: every row of the security checklist, its state, and the tests that prove it.

    python scripts/security_reference.py           write the pages
    python scripts/security_reference.py --check   say what is wrong or stale, and fail if anything is

The rows stand in scripts/reference_texts/security_rows.toml. A test belongs to the rows whose ids are in its name
(`test_V7_4_1_…`, `test_KA_020_…`), an attempt of tests/attacks/corpus to the row that is its `source`, a test of the
npm package to the rows at the end of its name (`… (R-01, V14.3.3)`).
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

ROOT = Path(__file__).parent.parent
TEXTS = ROOT / "scripts" / "reference_texts"
ROWS = TEXTS / "security_rows.toml"
FOLDER = ROOT / "docs" / "reference"
MADE_BY = (
    "<!-- Made by scripts/security_reference.py from its rows and the names of the tests. Run it; do not edit. -->\n\n"
)

_TEST = re.compile(r"^\s*(?:async )?def (test_\w+)", re.MULTILINE)
_ID = re.compile(r"(?:(?<=_)|^)(?:V(\d+)_(\d+)_(\d+)|(KA)_(\d{3})|(FS|N|P|R)_(\d{2}))(?![0-9])")
_ROW_ID = r"(?:V\d+\.\d+\.\d+|KA-\d{3}|(?:FS|N|P|R)-\d{2})"
_NPM_IDS = re.compile(rf"\(({_ROW_ID}(?:, {_ROW_ID})*)\)[\"'`]")
_KINDS = ("see", "document", "not applicable", "open")


class Row(Struct, frozen=True):
    """kind: one of `_KINDS`, or "" where tests of its own must prove the row. note: what the kind needs."""

    id: str
    words: str
    kind: str = ""
    note: str = ""


class WrongRows(ValueError):
    """Rows and tests do not fit together; one line for each mistake."""


def read_rows(text: str) -> list[Row]:
    """Return the rows of the file, ranges spelled out, in the order of the file."""
    found = []
    for section, entries in tomllib.loads(text).items():
        for key, value in entries.items():
            words, kind, note = (value, "", "") if isinstance(value, str) else value
            found += [Row(row_id, words, kind, note) for row_id in _spelled_out(section, key)]
    return found


def _spelled_out(section: str, key: str) -> Iterator[str]:
    """Yield the ids that a key stands for: `3.1` in V7 is V7.3.1, `050..059` in KA is ten rows."""
    first, _, last = key.partition("..")
    separator = "." if section.startswith("V") else "-"
    head, dot, low = first.rpartition(".")
    for number in range(int(low), int(last or low) + 1):
        yield f"{section}{separator}{head}{dot}{number:0{len(low)}}"


def ids_in(name: str) -> list[str]:
    """Return the ids that the name of a test carries."""
    return [
        f"V{found[1]}.{found[2]}.{found[3]}" if found[1] else f"{found[4] or found[6]}-{found[5] or found[7]}"
        for found in _ID.finditer(name)
    ]


def find_proofs(tests: Path) -> dict[str, list[str]]:
    """Return for each id the files whose tests carry it, with the number of tests; beside `tests`, those of the npm
    package."""
    counts: dict[str, dict[str, int]] = {}
    for path in sorted(tests.rglob("*.py")):
        for name in _TEST.findall(path.read_text(encoding="utf-8")):
            _count(counts, ids_in(name), path, tests)
    for path in sorted(tests.glob("attacks/corpus/*.json")):
        for attempt in json.loads(path.read_text(encoding="utf-8")):
            _count(counts, [attempt["source"]], path, tests)
    for path in sorted((tests.parent / "sdk" / "test").rglob("*.test.ts")):
        for found in _NPM_IDS.findall(path.read_text(encoding="utf-8")):
            _count(counts, found.split(", "), path, tests)
    return {
        row_id: [f"`{path}`" + (f" ({number})" if number > 1 else "") for path, number in files.items()]
        for row_id, files in counts.items()
    }


def _count(counts: dict[str, dict[str, int]], row_ids: list[str], path: Path, tests: Path) -> None:
    for row_id in dict.fromkeys(row_ids):
        files = counts.setdefault(row_id, {})
        name = path.relative_to(tests.parent).as_posix()
        files[name] = files.get(name, 0) + 1


def mistakes(rows: list[Row], proofs: dict[str, list[str]]) -> Iterator[str]:
    """Yield what keeps the page from being true."""
    by_id = {row.id: row for row in rows}
    if len(by_id) != len(rows):
        yield f"rows that stand twice: {sorted({row.id for row in rows if rows.count(row) > 1})}"
    for row_id in sorted(proofs.keys() - by_id.keys()):
        yield f"{row_id}: in the name of a test ({proofs[row_id][0]}), but no row has this id"
    for row in rows:
        if row.kind not in ("", *_KINDS):
            yield f"{row.id}: no such state: {row.kind}"
        elif not row.kind and row.id not in proofs:
            yield f"{row.id}: no test carries this id and the row says nothing else"
        elif row.kind == "see" and not all(other in proofs for other in row.note.split()):
            yield f"{row.id}: proven by {row.note}, which has no test"
        elif row.kind == "document" and not (ROOT / row.note).is_file():
            yield f"{row.id}: no such document: {row.note}"
        elif row.kind == "not applicable" and row.id in proofs:
            yield f"{row.id}: called not applicable, but {proofs[row.id][0]} tests it"


def state(row: Row, proofs: dict[str, list[str]]) -> tuple[str, str]:
    """Return the state of a row and what stands behind it."""
    own = ", ".join(proofs.get(row.id, []))
    match row.kind:
        case "":
            return "done", own
        case "see":
            return "done", f"by the tests of {', '.join(row.note.split())}"
        case "document":
            return "done", f"[{row.note}](../../{row.note})" + (f", {own}" if own else "")
        case "open":
            return ("begun", f"{own}; rest: {row.note}") if own else ("open", row.note)
        case _:
            return row.kind, row.note


HEADINGS = {
    "V": "OWASP ASVS 5.0, chapter",
    "N": "NIST SP 800-63B-4",
    "P": "Protocols",
    "KA": "Known attacks",
    "FS": "Faults",
    "R": "Reliability of clients",
}
HEADS = {"en": ("row", "what", "state", "where"), "ja": ("項目", "内容", "状態", "裏付け")}


def page(language: str, rows: list[Row], proofs: dict[str, list[str]]) -> str:
    """Return the page.

    Raises:
        WrongRows: it would not be true.
    """
    if wrong := list(mistakes(rows, proofs)):
        raise WrongRows("\n".join(wrong))
    states = {row.id: state(row, proofs) for row in rows}
    text = MADE_BY + _introduction(language) + _summary([found for found, _ in states.values()])
    for section in dict.fromkeys(_section(row.id) for row in rows):
        lines = [
            (row.id, row.words, states[row.id][0], states[row.id][1]) for row in rows if _section(row.id) == section
        ]
        text += f"\n## {section}\n\n" + _table(HEADS[language], lines)
    return text


def _introduction(language: str) -> str:
    """Return what the page says before its tables; written by hand."""
    return (TEXTS / f"security.{language}.md").read_text(encoding="utf-8") + "\n"


def _section(row_id: str) -> str:
    kind = re.match(r"[A-Z]+", row_id)
    assert kind is not None
    heading = HEADINGS[kind[0]]
    return f"{heading} {row_id.partition('.')[0]}" if kind[0] == "V" else heading


def _summary(states: list[str]) -> str:
    names = ("done", "begun", "open", "not applicable")
    return _table(("", *names), [("rows", *(str(states.count(name)) for name in names))])


def _table(heads: tuple[str, ...], lines: list[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (heads, tuple("---" for _ in heads), *lines))


def pages() -> dict[str, str]:
    """Return both pages by their file names. Raises `WrongRows`."""
    rows, proofs = read_rows(ROWS.read_text(encoding="utf-8")), find_proofs(ROOT / "tests")
    return {"security.md": page("en", rows, proofs), "security.ja.md": page("ja", rows, proofs)}


def main(arguments: list[str]) -> int:
    try:
        made = pages()
    except WrongRows as wrong:
        sys.stderr.write(f"{wrong}\n")
        return 1
    if arguments == ["--check"]:
        stale = [name for name, text in made.items() if not _is_current(FOLDER / name, text)]
        sys.stdout.write("".join(f"stale: docs/reference/{name}\n" for name in stale))
        return 1 if stale else 0
    for name, text in made.items():
        (FOLDER / name).write_bytes(text.encode())
    return 0


def _is_current(path: Path, text: str) -> bool:
    return path.exists() and path.read_bytes() == text.encode()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

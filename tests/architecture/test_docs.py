"""The documents hold: links lead somewhere, flow pages name files that are there, and the tour in both READMEs runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from live_server import LiveServer, live_server
from sekisho import audit
from sekisho.errors import all_refusals
from sekisho.http.routes import ROUTES
from sekisho.model import EndReason

ROOT = Path(__file__).parents[2]
TOP = ("README.md", "README.ja.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
DOCUMENTS = [ROOT / name for name in TOP] + sorted((ROOT / "docs").rglob("*.md"))
DOCUMENTS += sorted((ROOT / "examples").glob("*/README*.md"))
FLOWS = sorted(path.stem for path in (ROOT / "src" / "sekisho" / "flows").glob("*.py") if path.stem != "__init__")

LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FILE = re.compile(r"`((?:src|tests|docs|scripts)/[^`\s]+)`")
BLOCK = re.compile(r"^```(bash|json|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

BETWEEN = "=== end of block ==="


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, by GitHub's rule."""
    found = HEADING.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(path: Path) -> None:
    lost = []
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        if target.startswith(("http://", "https://")):
            continue
        file, _, anchor = target.partition("#")
        page = (path.parent / file).resolve() if file else path
        if not page.exists() or (anchor and anchor not in anchors(page.read_text(encoding="utf-8"))):
            lost.append(target)

    assert lost == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_file_that_a_document_names_is_there(path: Path) -> None:
    named = FILE.findall(path.read_text(encoding="utf-8"))

    assert [file for file in named if "NNNN" not in file and "<" not in file and not (ROOT / file).exists()] == []


@pytest.mark.parametrize("flow", FLOWS)
def test_a_flow_has_a_page_that_names_its_module_and_is_on_the_list(flow: str) -> None:
    page = (ROOT / "docs" / "flows" / f"{flow}.md").read_text(encoding="utf-8")

    assert f"`src/sekisho/flows/{flow}.py`" in page
    assert f"({flow}.md)" in (ROOT / "docs" / "flows" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "flows").glob("*.md")), ids=name_of)
def test_a_flow_page_names_each_file_once(path: Path) -> None:
    named = FILE.findall(path.read_text(encoding="utf-8"))

    assert sorted(named) == sorted(set(named))


@pytest.mark.parametrize("flow", FLOWS)
def test_a_flow_page_names_every_refusal_of_its_calls(flow: str) -> None:
    page = (ROOT / "docs" / "flows" / f"{flow}.md").read_text(encoding="utf-8")
    codes = {
        refusal.code
        for route in ROUTES
        if route.endpoint.__module__ == f"sekisho.http.{flow}"
        for refusal in route.refusals
    }

    assert [code for code in sorted(codes) if f"`{code}`" not in page] == []


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "flows").glob("[a-z]*.md")), ids=name_of)
def test_the_japanese_page_of_a_flow_names_the_same_files_codes_and_events(path: Path) -> None:
    twin = (ROOT / "docs" / "ja" / "flows" / path.name).read_text(encoding="utf-8")
    words = {refusal.code for refusal in all_refusals()} | set(audit.Event) | set(EndReason)

    def named(text: str) -> set[str]:
        said = {word for word in re.findall(r"`([a-z_]+)`", text) if word in words}
        return said | {file.replace(".ja.", ".en.") for file in FILE.findall(text)}

    assert named(twin) == named(path.read_text(encoding="utf-8"))


def test_every_decision_is_on_the_list_and_has_its_four_parts() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = (folder / "README.md").read_text(encoding="utf-8")
    records = sorted(folder.glob("[0-9]*.md"))
    parts = ("## Context", "## Choice", "## Consequences", "## What would change our mind")

    assert records
    assert [path.name for path in records if f"({path.name})" not in listed] == []
    assert [path.name for path in records for part in parts if part not in path.read_text(encoding="utf-8")] == []


def blocks(readme: str) -> list[tuple[str, str]]:
    """Return the tour: each block of commands with what the README says that it prints ("" for nothing)."""
    found = BLOCK.findall((ROOT / readme).read_text(encoding="utf-8"))
    following = [*found[1:], ("", "")]
    return [
        (text, shown if kind != "bash" else "")
        for (language, text), (kind, shown) in zip(found, following, strict=True)
        if language == "bash"
    ]


def is_like(printed: str, shown: str) -> bool:
    """Say whether the output is what the README shows, where `…` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in shown.strip().split("…"))
    return re.fullmatch(pattern, printed.strip()) is not None


@pytest.mark.parametrize("readme", ["README.md", "README.ja.md"])
def test_the_tour_prints_what_the_readme_shows(readme: str, tmp_path: Path) -> None:
    missing = [tool for tool in ("bash", "curl") if shutil.which(tool) is None]
    assert missing == [], f"the tour of {readme} needs {' and '.join(missing)}: install it and run again"
    tour = blocks(readme)

    with live_server(tmp_path) as server:
        script = f"\necho '{BETWEEN}'\n".join(commands for commands, _ in tour)
        script = script.replace(":8080", f":{urlsplit(server.url).port}")
        environment = {**os.environ, "TMPDIR": str(tmp_path)}
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            timeout=300,
        )

    assert done.returncode == 0, done.stderr + done.stdout
    printed = done.stdout.split(f"{BETWEEN}\n")
    wrong = [(text, shown) for text, (_, shown) in zip(printed, tour, strict=True) if not is_like(text, shown)]
    assert wrong == []


HOW_TO_VERIFY = ("docs/how-to/verify-tokens.md", "docs/ja/how-to/verify-tokens.md")
HS256_KEY = "ujT0CcPz4m6nZl1vQe8RbW9yKx2hDa5sFg7oLi3pNk4="


def token_of(server: LiveServer) -> str:
    """Sign somebody up and return the access token."""
    person = {"email": "hanako@mail.test", "client_id": "web"}
    sent = httpx2.post(
        f"{server.url}/api/v1/auth/signup/send-code", json={**person, "password": "eleven quiet lanterns"}
    )
    found = re.search(r"^ {4}(\d{6})$", httpx2.get(f"{server.url}/dev/mail.json").json()[0]["text"], re.MULTILINE)
    assert found
    pair = httpx2.post(
        f"{server.url}/api/v1/auth/signup/verify-code",
        json={**person, "code": found[1], "pending": sent.json()["pending"]},
    )
    return str(pair.json()["access_token"])


def verified(program: str, token: str, folder: Path) -> tuple[int, str]:
    """Run the page's program with a token; return its exit code and the claims that it prints."""
    ending = "\nimport sys\nprint(json.dumps(claims_of(sys.argv[1])))\n"
    done = subprocess.run(
        [sys.executable, "-c", program + ending, token],
        cwd=folder,
        env={**os.environ, "SEKISHO_JWT__SECRET_KEY": HS256_KEY},
        capture_output=True,
        encoding="utf-8",
        timeout=180,
    )
    return done.returncode, done.stdout or done.stderr


@pytest.mark.parametrize("page", HOW_TO_VERIFY)
@pytest.mark.parametrize("algorithm", ["ES256", "HS256"])
def test_the_example_takes_a_real_token_and_no_other(page: str, algorithm: str, tmp_path: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    program, with_hs256 = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    program += with_hs256 if algorithm == "HS256" else ""
    key = {"SEKISHO_JWT__SECRET_KEY": HS256_KEY} if algorithm == "HS256" else {}
    with live_server(tmp_path, **key) as server:
        issuer = f"http://localhost:{urlsplit(server.url).port}"
        program = program.replace("https://auth.example.com", issuer)
        token = token_of(server)
        code, said = verified(program, token, tmp_path)
        assert code == 0, said
        assert [claim for claim in json.loads(said) if f"`{claim}`" not in text] == []

        head, body, signature = token.split(".")
        assert verified(program, f"{head}.{body}.{signature[::-1]}", tmp_path)[0] == 1
        for_another = program.replace("ISSUER = AUDIENCE =", 'AUDIENCE = "https://other.example.com"\nISSUER =')
        assert "aud" in verified(for_another, token, tmp_path)[1].splitlines()[-1]


def test_both_readmes_run_the_same_tour() -> None:
    def commands(readme: str) -> list[str]:
        return [text.replace(" -H 'Accept-Language: ja'", "") for text, _ in blocks(readme)]

    assert len(commands("README.md")) > 5
    assert commands("README.ja.md") == commands("README.md")


@pytest.mark.parametrize(
    ("printed", "shown", "fits"),
    [
        ('{"a":1,"b":"x"}\n', '{"a":1,"b":"…"}', True),
        ('{"a":2,"b":"x"}\n', '{"a":1,"b":"…"}', False),
        ("one\n", "", False),
        ("\n", "", True),
        ("a.c\n", "abc", False),
    ],
)
def test_output_is_compared_letter_by_letter_but_for_the_dots(printed: str, shown: str, fits: bool) -> None:
    assert is_like(printed, shown) is fits

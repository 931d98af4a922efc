"""What a server refuses to start with, and what a fresh one has not got."""

from __future__ import annotations

import re
from pathlib import Path

import apsw
import pytest

from attacks.support import rows, told
from http_site import Site
from sekisho.settings import load
from sekisho.settings.mistakes import SettingsError

ROOT = Path(__file__).parents[2]
PRODUCTION = {
    "SEKISHO_SECRET": "uT4mXw9ZkQ2rB7sVe1LdYc6HnPj3GfAa8KiO5oRqWzE",
    "SEKISHO_PUBLIC_URL": "https://auth.example.com",
    "SEKISHO_DATABASE_URL": "sqlite:///sekisho.db",
    "SEKISHO_MAIL__HOST": "smtp.example.com",
    "SEKISHO_MAIL__FROM": "auth@example.com",
}
REFUSED = {
    "no_secret": {"SEKISHO_SECRET": ""},
    "short_secret": {"SEKISHO_SECRET": "uT4mXw9ZkQ2rB7sVe1LdYc6Hn"},
    "example_secret": {"SEKISHO_SECRET": "changeme-changeme-changeme-changeme-changeme-1"},
    "repeated_secret": {"SEKISHO_SECRET": "uT4mXw9ZkQ2r" * 4},
    "one_letter_secret": {"SEKISHO_SECRET": "a" * 64},
    "http_issuer": {"SEKISHO_PUBLIC_URL": "http://auth.example.com"},
    "any_origin": {"SEKISHO_ALLOWED_ORIGINS": "*"},
    "null_origin": {"SEKISHO_ALLOWED_ORIGINS": "null"},
    "trusts_everybody": {"SEKISHO_TRUSTED_PROXIES": "0.0.0.0/0"},
    "trusts_everybody_v6": {"SEKISHO_TRUSTED_PROXIES": "::/0"},
    "short_hs256_key": {"JWT_SECRET_KEY": "secret"},
    "example_hs256_key": {"JWT_SECRET_KEY": "your-secret-key-your-secret-key-your-secret-key"},
    "same_secret_twice": {"JWT_SECRET_KEY": PRODUCTION["SEKISHO_SECRET"]},
    "smtp_password_in_the_clear": {
        "SEKISHO_MAIL__USER": "a",
        "SEKISHO_MAIL__PASSWORD": "b",
        "SEKISHO_MAIL__TLS": "off",
    },
    "no_algorithm": {"SEKISHO_JWT__ALGORITHM": "none"},
    "weak_hash": {"SEKISHO_PASSWORD__HASH": "md5"},
    "no_limit": {"SEKISHO_LIMITS__LOGIN_FAILURES": "0"},
}


@pytest.mark.parametrize("change", REFUSED)
def test_V13_3_1_V12_2_1_V11_4_2_KA_009_production_refuses_to_start_unsafe(tmp_path: Path, change: str) -> None:
    load("serve", PRODUCTION, tmp_path)

    with pytest.raises(SettingsError) as refused:
        load("serve", PRODUCTION | REFUSED[change], tmp_path)

    said = str(refused.value)
    assert "is not a setting" not in said
    assert any(name in said for name in REFUSED[change])
    for value in (PRODUCTION["SEKISHO_SECRET"], *(REFUSED[change].get(name, "") for name in ("JWT_SECRET_KEY",))):
        assert len(value) < 10 or value not in said


def test_V4_1_3_KA_110_nobody_is_trusted_by_default(tmp_path: Path) -> None:
    assert load("serve", PRODUCTION, tmp_path).trusted_proxies == ()
    assert load("dev", {}, tmp_path).trusted_proxies == ()


@pytest.mark.anyio
async def test_V6_3_2_V13_2_3_a_fresh_server_has_no_account_and_no_way_to_become_an_operator(
    site: Site, tmp_path: Path
) -> None:
    before = rows(tmp_path, without=frozenset())

    for email, password in (("admin@example.com", "admin"), ("root@example.com", ""), ("admin@localhost", "password")):
        answer = await site.client().post("auth/login", {"email": email, "password": password, "client_id": "web"})
        assert told(answer)[1] in ("invalid_credentials", "validation_error")

    assert before["accounts"] == before["sessions"] == []


def test_V6_3_2_V13_3_1_no_source_file_holds_a_secret() -> None:
    looks_secret = re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----|AKIA[0-9A-Z]{16}|eyJ[A-Za-z0-9_-]{20,}\.eyJ|sk[rs]_[A-Za-z0-9_-]{60,}"
    )
    files = [path for folder in ("src", "scripts", "docs") for path in (ROOT / folder).rglob("*") if path.is_file()]
    found = [path for path in files if looks_secret.search(path.read_bytes().decode("latin-1"))]

    assert files
    assert found == []


def test_V13_3_2_the_files_of_a_new_state_folder_are_for_their_owner_alone(tmp_path: Path) -> None:
    settings = load("dev", {}, tmp_path)
    folder = settings.database_path.parent

    assert folder.stat().st_mode & 0o077 == 0
    assert [path.name for path in folder.iterdir() if path.stat().st_mode & 0o077] == []


def test_V13_4_2_there_is_no_debug_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        load("serve", PRODUCTION | {"SEKISHO_DEBUG": "true"}, tmp_path)


@pytest.mark.parametrize("lock", ["server.txt", "dev.txt"])
def test_KA_117_V15_2_1_every_dependency_is_pinned_with_hashes_and_installed_by_them(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    packages = re.split(r"\n(?=[A-Za-z0-9])", text.replace("\\\n", " ").strip())
    setup = (ROOT / "scripts" / "setup.sh").read_text(encoding="utf-8")

    for package in packages:
        if package.lstrip().startswith("#"):
            continue
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[^ ;]+", package), package[:60]
        assert "--hash=sha256:" in package, package[:60]
    assert "://" not in re.sub(r"#.*", "", text)
    assert "--require-hashes" in setup
    assert "--no-deps --no-build-isolation --no-index" in setup


def test_KA_114_FS_26_the_sqlite_in_use_has_no_reset_bug() -> None:
    assert tuple(int(part) for part in apsw.sqlite_lib_version().split(".")) >= (3, 51, 3)
    assert apsw.sqlite_lib_version() != "3.52.0"

"""Cryptography comes from few places and in few forms: what may be imported, called and compared, and where."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import sekisho

SOURCE = Path(sekisho.__file__).parent
TREES = {path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text("utf-8")) for path in SOURCE.rglob("*.py")}

LIBRARIES = {
    "cryptography",
    "argon2",
    "bcrypt",
    "hmac",
    "hashlib",
    "secrets",
    "ssl",
    "OpenSSL",
    "nacl",
    "Crypto",
    "jose",
}
# Verifies what other systems have hashed, once, and encrypts nothing: Firebase's hash is made with AES in counter mode.
FOREIGN = "passwords/foreign.py"
# The form in which lists of breached passwords are published is SHA-1. It protects nothing here.
BREACHED = "passwords/breached.py"
# Verifies what Linux has hashed.
SHA_CRYPT = "passwords/sha_crypt.py"
# Who may use which library. A new line here is a new place where cryptography can be got wrong: think first.
MAY_USE: dict[str, set[str]] = {
    "cryptography": {
        "master_secret.py",
        "rfc/hkdf.py",
        "rfc/jwk.py",
        "rfc/jwt.py",
        "rfc/keys.py",
        "tokens/signing_keys.py",
        FOREIGN,
    },
    "argon2": {"passwords/encoded.py"},
    "bcrypt": {"passwords/encoded.py", FOREIGN},
    # A move compares sums of hashes: that finds mistakes, no attacker.
    # Nor does the name of a stylesheet.
    "hashlib": {
        "guard/same_host.py",
        BREACHED,
        SHA_CRYPT,
        "rfc/keys.py",
        "tokens/session_values.py",
        "storage/moving/sides.py",
        "ui/assets.py",
        FOREIGN,
    },
    # The drivers of PostgreSQL and Redis make their own TLS; ours is only the name of its failure.
    # The guard fetches keys over https.
    "ssl": {
        "delivery/webhooks/https_post.py",
        "delivery/audit_syslog.py",
        "delivery/breached_ranges.py",
        "delivery/smtp.py",
        "guard/fetching.py",
        "storage/postgres/connections.py",
        "storage/redis/examining.py",
    },
}
EVERYWHERE = {"hmac", "secrets"}
OPAQUE_FORM = "tokens/opaque_form.py"
HASHES = {"sha256", "SHA256", "sha384", "SHA384", "sha512", "SHA512"}
PRIMITIVES = {"AES", "Cipher", "algorithms", "modes", "CBC", "ECB", "ChaCha20"}


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield (top package, name) for everything that is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.module.split(".")[0], alias.name) for alias in node.names)


def attributes_of(tree: ast.AST, module: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == module:
            yield node.attr


def test_V11_2_1_V11_1_3_cryptography_is_used_in_known_places_only() -> None:
    found = {
        (package, path)
        for path, tree in TREES.items()
        for package, _ in imports(tree)
        if package in LIBRARIES - EVERYWHERE and path not in MAY_USE.get(package, set())
    }

    assert found == set()


def test_V11_2_1_no_block_cipher_is_put_together_by_hand() -> None:
    found = {(path, name) for path, tree in TREES.items() for _, name in imports(tree) if name in PRIMITIVES}
    assert found == {(FOREIGN, name) for name in ("Cipher", "algorithms", "modes")}


def test_V11_3_1_V11_3_3_what_is_encrypted_is_authenticated() -> None:
    ciphers = {name for tree in TREES.values() for package, name in imports(tree) if package == "cryptography"}

    assert {name for name in ciphers if "AES" in name or "ChaCha" in name} == {"AESGCM"}


def test_P_25_nothing_is_decompressed() -> None:
    unpackers = {"zlib", "gzip", "bz2", "lzma", "zipfile", "tarfile", "brotli", "zstandard"}

    assert [
        (path, package) for path, tree in TREES.items() for package, _ in imports(tree) if package in unpackers
    ] == []


def test_V11_4_1_only_hashes_of_the_second_generation_are_used() -> None:
    named = {
        (path, name)
        for path, tree in TREES.items()
        for module in ("hashlib", "hashes", "hmac")
        for name in attributes_of(tree, module)
        if name not in {"digest", "compare_digest", "HashAlgorithm", "Hash"}
    }

    others = {(BREACHED, "sha1"), (SHA_CRYPT, "new"), (FOREIGN, "new"), (FOREIGN, "pbkdf2_hmac"), (FOREIGN, "scrypt")}
    assert {entry for entry in named if entry[1] not in HASHES} == others | {(OPAQUE_FORM, "new")}
    keyed = [ast.unparse(node) for node in ast.walk(TREES[OPAQUE_FORM]) if isinstance(node, ast.Call)]
    assert [call for call in keyed if call.startswith("hmac.new(")] == [
        "hmac.new(master.derive(purpose), digestmod='sha256')"
    ]


def test_V6_5_3_V11_5_1_nothing_guessable_makes_a_value() -> None:
    guessable = {"random", "uuid", "numpy"}

    assert [
        (path, package) for path, tree in TREES.items() for package, _ in imports(tree) if package in guessable
    ] == []
    assert [
        (path, name) for path, tree in TREES.items() for name in attributes_of(tree, "os") if name == "urandom"
    ] == []


def test_V11_5_1_every_random_value_has_at_least_128_bits_or_a_reason() -> None:
    short: list[tuple[str, int]] = []
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "secrets"):
                continue
            sizes = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            if node.func.attr.startswith("token_") and any(isinstance(size, int) and size < 16 for size in sizes):
                short.append((path, sizes[0]))

    # The number of an incident in a log, and the name of a draft file: neither opens anything.
    assert sorted(short) == [("http/app.py", 8), ("settings/dev.py", 8)]


@pytest.mark.parametrize(
    "word",
    [
        "jwt.decode",
        "verify=False",
        "verify_signature",
        "CERT_NONE",
        "check_hostname",
        "validate_certs",
        "_create_unverified_context",
    ],
)
def test_V9_1_1_V12_3_2_there_is_no_way_to_switch_a_check_off(word: str) -> None:
    assert [path for path in TREES if word in (SOURCE / path).read_text("utf-8")] == []


def test_V11_2_4_nothing_secret_meets_an_equals_sign() -> None:
    """Where bytes are compared, `hmac.compare_digest` does it; `==` of two names that end like a secret is a find."""
    words = ("mac", "secret", "signature", "digest", "hash", "password", "token", "cookie", "csrf")
    found = []
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Compare) or not any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
                continue
            sides = [node.left, *node.comparators]
            names = [getattr(side, "attr", getattr(side, "id", "")).lower() for side in sides]
            if not any(isinstance(side, ast.Constant) for side in sides) and any(
                name.endswith(words) for name in names
            ):
                found.append(f"{path}: {ast.unparse(node)}")

    # No side is ours to keep: a password typed twice at the terminal, a setting against another one, and the two
    # passwords of one request against each other.
    allowed = ["cli/asking.py", "flows/password_change.py", "settings/rules/secrets.py"]
    assert sorted(path_and_text.split(":")[0] for path_and_text in found) == allowed


def test_V1_2_5_V1_3_2_no_text_is_ever_run_as_code_or_as_a_shell_command() -> None:
    found = []
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("eval", "exec", "compile")
            ):
                found.append((path, node.func.id))
            if isinstance(node, ast.keyword) and node.arg == "shell":
                found.append((path, "shell"))
        found += [(path, name) for package, name in imports(tree) if package in ("pickle", "marshal", "shelve", "yaml")]

    assert found == []


def test_V13_2_4_V13_2_5_V1_3_6_V15_3_2_the_server_calls_nobody_but_whom_the_operator_named() -> None:
    clients = {
        "httpx",
        "httpx2",
        "requests",
        "urllib3",
        "aiohttp",
        "http",
        "ftplib",
        "telnetlib",
        "smtplib",
        "aiosmtplib",
        "h11",
    }
    used = {(package, path) for path, tree in TREES.items() for package, _ in imports(tree) if package in clients}

    # The guard is no part of the server: it runs in the APIs, and calls the server that it is given.
    used.discard(("http", "guard/fetching.py"))
    # Who is called stands in a setting of the operator, never in what somebody sends.
    assert used <= {
        ("aiosmtplib", "delivery/smtp.py"),
        ("aiosmtplib", "cli/checks.py"),
        ("http", "delivery/breached_ranges.py"),
        ("h11", "delivery/webhooks/https_post.py"),
    }
    assert not any(
        name == "urlopen" or name == "urllib.request" for tree in TREES.values() for _, name in imports(tree)
    )

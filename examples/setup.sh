#!/bin/sh
# Set up the example in the current folder: api/.venv from its lock, web/node_modules from its lock, web/dist.
# What is there and not older than what it was made from is left alone; the page is built each time.
set -eu

ROOT=$(cd "$(dirname "$0")/.." && pwd)
HERE=$(pwd -P)

say() { printf '\n==> %s\n' "$*"; }

fail() {
    printf '\nsetup: %s\n' "$*" >&2
    exit 1
}

command -v npm >/dev/null 2>&1 && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' ||
    fail "Node 20 or newer with npm is needed and was not found"

# A virtual environment belongs to the folder that it was made in, and to its lock.
MADE=api/.venv/.made-in
if [ ! -f "$MADE" ] || [ "$(cat "$MADE")" != "$HERE" ] || [ api/requirements.txt -nt "$MADE" ]; then
    say "Installing the locked packages of api/requirements.txt"
    rm -rf api/.venv
    "${PYTHON:-python3}" -m venv api/.venv || fail "a virtual environment could not be made; PYTHON names another Python (3.11 or newer)"
    api/.venv/bin/python -m pip install --disable-pip-version-check --no-input --quiet \
        --require-hashes -r api/requirements.txt || fail "the packages could not be installed; pip's message stands above"
    # The guard comes from this checkout, for the examples whose lock has what builds it.
    ! grep -q '^hatchling==' api/requirements.txt || api/.venv/bin/python -m pip install --disable-pip-version-check \
        --no-input --quiet --no-deps --no-build-isolation --no-index --editable "$ROOT" ||
        fail "sekisho could not be installed from $ROOT; pip's message stands above"
    printf '%s' "$HERE" >"$MADE"
fi

# The npm package comes from this checkout, so it is built first.
[ -f "$ROOT/sdk/dist/styles.css" ] || (cd "$ROOT" && sh scripts/sdk.sh build)

MADE=web/node_modules/.made
if [ ! -f "$MADE" ] || [ web/package-lock.json -nt "$MADE" ] || [ "$ROOT/sdk/dist/styles.css" -nt "$MADE" ]; then
    say "Installing the locked packages of web/package-lock.json"
    (cd web && npm ci --no-progress --loglevel=error) || fail "npm could not install; its message stands above"
    touch "$MADE"
fi

say "Building the page"
(cd web && npm run --silent build) || fail "the page could not be built; the message stands above"

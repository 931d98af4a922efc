#!/bin/sh
# Make .venv from one of the locks. Run from the project's folder by the Makefile:
#
#   setup.sh server|dev STAMP   make or repair .venv, install the lock and this checkout, write STAMP
#   setup.sh --usable           succeed if .venv is one that was made here and still starts
set -eu

MARK=.venv/.made-in
HERE=$(pwd -P)

usable() {
    [ -x .venv/bin/python ] && [ -f "$MARK" ] && [ "$(cat "$MARK")" = "$HERE" ] &&
        .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

say() { printf '\n==> %s\n' "$*"; }

fail() {
    printf '\nsetup: %s\n' "$*" >&2
    exit 1
}

find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11 python; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    fail "Python 3.11 or newer is needed and was not found. On Debian or Ubuntu: apt install python3 python3-venv"
}

make_venv() {
    python=$(find_python)
    say "Making .venv with $("$python" --version)"
    rm -rf .venv
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        fail "this Python cannot make virtual environments. On Debian or Ubuntu: apt install python3-venv"
    fi
    "$python" -m venv .venv || fail "'$python -m venv .venv' failed; its message stands above"
    printf '%s' "$HERE" >"$MARK"
}

install() {
    say "Installing the locked packages of requirements/$1.txt"
    .venv/bin/python -m pip install --disable-pip-version-check --no-input --quiet \
        --require-hashes -r "requirements/$1.txt" ||
        fail "the packages could not be installed; pip's message stands above. 'make clean' starts over"
    say "Installing this checkout"
    .venv/bin/python -m pip install --disable-pip-version-check --no-input --quiet \
        --no-deps --no-build-isolation --no-index --editable . ||
        fail "this checkout could not be installed; pip's message stands above"
}

if [ "${1:-}" = --usable ]; then
    usable
    exit
fi

usable && .venv/bin/python -m pip --version >/dev/null 2>&1 || make_venv
install "$1"
touch "$2"
say "Ready: .venv/bin/sekisho"

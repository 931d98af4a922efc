#!/bin/sh
# Resolve pyproject.toml into the two locks: every platform, every supported Python, with hashes.
# No index address is written, so that the locks say nothing about whoever made them.
set -eu

.venv/bin/python -m uv --version >/dev/null 2>&1 ||
    .venv/bin/python -m pip install --disable-pip-version-check --no-input --quiet uv

compile() {
    out=$1
    shift
    echo "==> $out"
    .venv/bin/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-annotate --no-header "$@" -o "$out"
    if grep -nE '^(--|-[if])|://' "$out"; then
        echo "lock: $out names an address" >&2
        exit 1
    fi
}

lock() {
    out=$1
    shift
    compile "$out" --extra server "$@" pyproject.toml requirements/build.in
}

lock requirements/server.txt
lock requirements/dev.txt --group dev --constraint requirements/server.txt
for folder in examples/*/api; do
    compile "$folder/requirements.txt" "$folder/requirements.in"
done

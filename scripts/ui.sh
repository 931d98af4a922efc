#!/bin/sh
# What the hosted pages load beside their own script: the SDK's account page, built into src/sekisho/ui/assets.
# Run from the project's folder by the Makefile:
#
#   ui.sh build    build it, unless no source has changed since
#   ui.sh serve    the same for `make serve`: where it cannot be built, say so in one line and go on
#   ui.sh check    format, style and types (with the tools of sdk/)
#
# Without it the account page is the one that the server renders, which works everywhere.
set -eu

MANIFEST=src/sekisho/ui/assets/manifest.json
STAMP=ui/node_modules/.installed

say() { printf '\n==> %s\n' "$*"; }

is_fresh() {
    [ -f "$MANIFEST" ] && [ -z "$(find ui sdk/src scripts/ui.sh -path ui/node_modules -prune -o -newer "$MANIFEST" -print | head -n 1)" ]
}

has_node() {
    command -v npm >/dev/null 2>&1 && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null
}

build() {
    if [ ! -f "$STAMP" ] || [ ui/package-lock.json -nt "$STAMP" ] || [ ui/package.json -nt "$STAMP" ]; then
        say "Installing the locked packages of ui/package-lock.json"
        (cd ui && npm ci --no-progress --loglevel=error) || return 1
        touch "$STAMP"
    fi
    say "Building what the pages load"
    (cd ui && npm run --silent build)
}

case "$1" in
build)
    is_fresh && exit
    if ! has_node; then
        say "SKIPPED ui: Node 20 or newer with npm was not found" >&2
        [ -z "${CI:-}" ]
        exit
    fi
    build
    ;;
serve)
    is_fresh && exit
    if ! has_node; then
        say "Node 20 or newer was not found: the account page is the plain one" >&2
    elif ! build; then
        say "What the pages load could not be built (see above): the account page is the plain one" >&2
    fi
    ;;
check)
    if ! has_node; then
        say "SKIPPED ui check: Node 20 or newer with npm was not found" >&2
        [ -z "${CI:-}" ]
        exit
    fi
    build
    sdk/node_modules/.bin/biome ci --colors=off --error-on-warnings --config-path=sdk ui
    sdk/node_modules/.bin/tsc -p ui
    ;;
*)
    say "ui.sh: unknown word: $1" >&2
    exit 2
    ;;
esac

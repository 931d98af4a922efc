#!/bin/sh
# The browser half, where Node is there. Run from the project's folder by the Makefile:
#
#   sdk.sh build    install what the lock names, build sdk/dist
#   sdk.sh pack     the same, and the package as npm would publish it: sdk/sekisho.tgz
#   sdk.sh check    format, style, types and the package
#   sdk.sh test     its tests, against the server of .venv too
#
# Without Node 20 or newer it says so and succeeds; with CI set it fails.
set -eu

STAMP=sdk/node_modules/.installed
BUILT=sdk/node_modules/.built

say() { printf '\n==> %s\n' "$*"; }

if ! command -v npm >/dev/null 2>&1 || ! node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null; then
    say "SKIPPED sdk $1: Node 20 or newer with npm was not found" >&2
    [ -z "${CI:-}" ]
    exit
fi

install() {
    if [ ! -f "$STAMP" ] || [ sdk/package-lock.json -nt "$STAMP" ] || [ sdk/package.json -nt "$STAMP" ]; then
        say "Installing the locked packages of sdk/package-lock.json"
        (cd sdk && npm ci --no-progress --loglevel=error)
        touch "$STAMP"
    fi
}

is_built() {
    [ -f "$BUILT" ] && [ -d sdk/dist ] && [ -f sdk/LICENSE ] &&
        [ -z "$(find LICENSE sdk/src sdk/scripts sdk/package.json sdk/tsconfig*.json "$STAMP" sdk/dist -newer "$BUILT" | head -n 1)" ]
}

# Nothing, where neither a source nor what was built of it has changed since.
build() {
    install
    is_built && return
    (cd sdk && npm run --silent build)
    touch "$BUILT"
}

# A name without the version, so that an app's `npm install` of it does not go stale.
pack() {
    build
    (cd sdk && rm -f sekisho*.tgz && npm pack --silent >/dev/null && mv sekisho-*.tgz sekisho.tgz)
    say "Packed: npm install $(pwd)/sdk/sekisho.tgz"
}

case "$1" in
build) build ;;
pack) pack ;;
check) build && (cd sdk && npm run --silent check) ;;
test) build && (cd sdk && npm test --silent) ;;
*)
    say "sdk.sh: unknown word: $1" >&2
    exit 2
    ;;
esac

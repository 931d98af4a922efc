#!/bin/sh
# Set up what is missing and start the example. It wants the server: `make serve` in the project's folder.
#
#   PORT             where the example listens (8001)
#   AUTH_URL         where the server is (http://localhost:8080)
#   AUTH_FOLDER      where the server was started, so that a key for this API can be made there (the project's folder)
#   GUARD_KEY        or such a key, from `sekisho guard-key add`
#   NOTES_FILE       where the notes are kept (api/notes.db)
set -eu
cd "$(dirname "$0")"
ROOT=$(cd ../.. && pwd)

export AUTH_URL="${AUTH_URL:-http://localhost:8080}"
VITE_AUTH_URL=$AUTH_URL sh ../setup.sh

# With the key the API hears of ended sessions. It is shown once, so each start makes a new one.
if [ -z "${GUARD_KEY:-}" ]; then
    cd "${AUTH_FOLDER:-$ROOT}"
    "$ROOT/.venv/bin/sekisho" guard-key remove notes-example >/dev/null 2>&1 || true
    GUARD_KEY=$("$ROOT/.venv/bin/sekisho" guard-key add notes-example | tail -n 1)
    cd "$ROOT/examples/fastapi-react"
fi
case $GUARD_KEY in
skg_*) export GUARD_KEY ;;
*)
    printf '\nNo key for this API could be made. Start the server first: `make serve` in %s\n' "$ROOT" >&2
    exit 1
    ;;
esac

PORT=${PORT:-8001}
printf '\n==> The example is at http://localhost:%s, the mailbox for codes at %s/dev/mail\n\n' "$PORT" "$AUTH_URL"
cd api
exec .venv/bin/python -m uvicorn app:app --host 127.0.0.1 --port "$PORT" --log-level warning

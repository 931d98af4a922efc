#!/bin/sh
# Set up what is missing and start the example. It wants the server: `make serve` in the project's folder.
#
#   PORT          where the example listens (8001)
#   SEKISHO_URL   where the server is (http://localhost:8080)
#   NOTES_FILE    where the notes are kept (api/notes.db)
set -eu
cd "$(dirname "$0")"

export SEKISHO_URL="${SEKISHO_URL:-http://localhost:8080}"
VITE_SEKISHO_URL=$SEKISHO_URL sh ../setup.sh

PORT=${PORT:-8001}
printf '\n==> The example is at http://localhost:%s, the mailbox for codes at %s/dev/mail\n\n' "$PORT" "$SEKISHO_URL"
cd api
exec .venv/bin/python -m uvicorn app:app --host 127.0.0.1 --port "$PORT" --log-level warning

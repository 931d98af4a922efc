#!/bin/sh
# Set up what is missing and start the example. It wants the server: `make serve` in the project's folder.
#
#   PORT          where the example listens (8002)
#   AUTH_URL   where the server is (http://localhost:8080)
#   TASKS_FILE    where the tasks are kept (api/tasks.db)
set -eu
cd "$(dirname "$0")"

export AUTH_URL="${AUTH_URL:-http://localhost:8080}" DJANGO_DEBUG=1
sh ../setup.sh

PORT=${PORT:-8002}
cd api
.venv/bin/python manage.py migrate --verbosity 0
printf '\n==> The example is at http://localhost:%s, the mailbox for codes at %s/dev/mail\n\n' "$PORT" "$AUTH_URL"
exec .venv/bin/python manage.py runserver --noreload "127.0.0.1:$PORT"

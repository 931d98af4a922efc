#!/bin/sh
# Look for the servers and the browser that tests start, and install what is missing where that is allowed.
#
# Allowed means: we are root and the distribution has apt-get. What is missing in the end is named on standard error;
# where CI is set that is a failure, elsewhere the tests that need it are skipped by name.
#
# Valkey is no such case: where the distribution has it the contract of Redis runs on it too, elsewhere on Redis alone.
set -u

found() {
    case "$1" in
        postgres) command -v postgres || ls /usr/lib/postgresql/*/bin/postgres ;;
        *) command -v "$1" || ls "/usr/sbin/$1" ;;
    esac >/dev/null 2>&1
}

package_of() {
    case "$1" in
        postgres) echo postgresql ;;
        *) echo "$1" ;;
    esac
}

missing() {
    for server in postgres redis-server pgbouncer nginx chromium; do
        found "$server" || echo "$server"
    done
}

wishes_valkey() {
    ! found valkey-server && apt-cache show valkey-server >/dev/null 2>&1
}

install_missing() {
    packages=$(for server in $(missing); do package_of "$server"; done)
    wishes_valkey && packages="$packages valkey-server"
    # A package starts its server on the usual port unless this file forbids it; the tests start their own.
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
        chmod +x /usr/sbin/policy-rc.d
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    # shellcheck disable=SC2086 - a list of words
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages; } \
        >/dev/null 2>&1 || apt_failed=yes
}

apt_failed=no
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && { [ -n "$(missing)" ] || wishes_valkey; }; then
    install_missing
fi

left=$(missing)
[ -z "$left" ] && exit 0
for server in $left; do
    echo "MISSING: $server (package $(package_of "$server")). Its tests do not run." >&2
done
[ "$apt_failed" = yes ] && echo "apt-get could not install it." >&2
[ -n "${CI:-}" ] && exit 1
exit 0

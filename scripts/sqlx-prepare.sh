#!/bin/sh
# Renews .sqlx, the database's answers to the store's SQL: starts a private Postgres, applies the migrations, compiles the store
# against it. With --check, changes nothing and fails when .sqlx is not what it should be.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
check=false
[ "${1:-}" = "--check" ] && check=true

# Debian keeps the server's programs off the PATH; a link on it leads to their folder.
initdb=$(command -v initdb || ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1)
bin=$(dirname "$(readlink -f "${initdb:-/nowhere/initdb}")")
[ -x "$bin/initdb" ] || { echo "no PostgreSQL found: install the postgresql package, or put initdb on the PATH" >&2; exit 2; }

work=$(mktemp -d /tmp/millrace-sqlx.XXXXXX)
# Postgres refuses to run as root: it gets a user of its own then.
as=""
if [ "$(id -u)" = 0 ]; then
    user=$(id -un postgres 2>/dev/null || echo nobody)
    as="setpriv --reuid=$(id -u "$user") --regid=$(id -g "$user") --clear-groups --inh-caps=-all"
    chown "$user" "$work"
fi
stop() {
    $as "$bin/pg_ctl" -D "$work/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM

$as "$bin/initdb" -D "$work/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >/dev/null
# Only a socket in the private folder: no port that somebody else may have.
$as "$bin/pg_ctl" -w -D "$work/data" -l "$work/log" \
    -o "-c listen_addresses= -c unix_socket_directories=$work -c fsync=off" start >/dev/null || { cat "$work/log" >&2; exit 1; }
for migration in "$root"/migrations/*.sql; do
    "$bin/psql" -q -X -v ON_ERROR_STOP=1 -h "$work" -U postgres -d postgres -f "$migration"
done

fresh="$work/sqlx"
mkdir -p "$fresh"
# The macros run only when the crate is compiled.
touch "$root/shared/store/src/lib.rs"
socket=$(printf %s "$work" | sed 's|/|%2F|g')
(cd "$root" && SQLX_OFFLINE=false SQLX_OFFLINE_DIR="$fresh" DATABASE_URL="postgres://postgres@$socket/postgres" \
    cargo check --quiet -p millrace-store)

if $check; then
    diff -r "$fresh" "$root/.sqlx" >/dev/null || { echo ".sqlx is out of date: run scripts/sqlx-prepare.sh" >&2; exit 1; }
    echo ".sqlx is up to date"
else
    rm -rf "$root/.sqlx"
    mkdir "$root/.sqlx"
    cp "$fresh"/*.json "$root/.sqlx/"
    echo "$(ls "$root/.sqlx" | wc -l) statements in .sqlx"
fi

#!/usr/bin/env bash
# Builds Millrace, starts it with a private Redis and Postgres in .demo/, runs a detection workflow on a picture, and
# leaves the api running until Ctrl-C. CI=1 ends by itself. MILLRACE_DEMO_PROFILE=dev builds without optimisation.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

data="${MILLRACE_DEMO_DIR:-$ROOT/.demo}"
profile="${MILLRACE_DEMO_PROFILE:-release}"

scripts/setup.sh
scripts/console.sh
say "building Millrace (the first time takes some minutes; later ones seconds)"
cargo build --locked --profile "$profile" -p millrace
[ "$profile" = dev ] && folder=debug || folder="$profile"
millrace="$CARGO_TARGET_DIR/$folder/millrace"

mkdir -p "$data"
# Where the README finds it.
ln -sfn "$millrace" "$data/millrace"
# The address of all examples, unless somebody else serves there.
listen="${MILLRACE_DEMO_LISTEN:-127.0.0.1:8080}"
if [ -z "${MILLRACE_DEMO_LISTEN:-}" ] && (exec 3<>/dev/tcp/127.0.0.1/8080) 2>/dev/null; then
    listen=127.0.0.1:0
fi
say "starting Redis, Postgres, the api, the orchestrator, the writer and a worker in ${data#"$ROOT"/}/"
"$millrace" up --data-dir "$data" --listen "$listen" --models "$ROOT/models" \
    >"$data/up.out" 2>"$data/up.log" &
up=$!
stop() {
    trap - EXIT INT TERM
    if kill -0 "$up" 2>/dev/null; then
        say "stopping"
        kill -TERM "$up" 2>/dev/null || true
        wait "$up" || true
    fi
}
trap stop EXIT
trap 'stop; exit 0' INT TERM

api=
for _ in $(seq 1 600); do
    api="$(sed -n 's/^ready on //p' "$data/up.out")"
    [ -z "$api" ] || break
    kill -0 "$up" 2>/dev/null || { tail -n 30 "$data/up.log" >&2; fail "Millrace did not start; the log is $data/up.log"; }
    sleep 0.1
done
[ -n "$api" ] || { tail -n 30 "$data/up.log" >&2; fail "Millrace was not ready within a minute; the log is $data/up.log"; }

say "running examples/detect-shapes.json on examples/scene.jpg"
"$millrace" run examples/detect-shapes.json --input photo=@examples/scene.jpg --url "$api" --out "$data/out"

say "the annotated picture is in ${data#"$ROOT"/}/out/"
if [ -n "${CI:-}" ]; then
    exit 0
fi
say "the api stays up at $api (try: curl $api/api/v1/blocks), and the command line is ${data#"$ROOT"/}/millrace"
say "Ctrl-C stops everything"
wait "$up"

#!/usr/bin/env bash
# Schemathesis against a real server: what the OpenAPI document promises, asked for in every way it allows. Fails on an answer that
# is a fault of the server's own, or that the document does not describe. Event streams, which do not end, and what would lock the
# caller out (keys, sessions) are left out.
#
#     scripts/api-fuzz.sh [EXAMPLES]      examples per operation, 20 when none are named
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

# Newer versions of hypothesis break this one of schemathesis.
packages=(schemathesis==4.4.4 hypothesis==6.140.3)
environment="$MILLRACE_CACHE/schemathesis"
stamp="$environment/$(printf '%s\n' "${packages[@]}" | sha256sum | cut -c1-16)"
if [ ! -e "$stamp" ]; then
    rm -rf "$environment"
    python3 -m venv "$environment" || fail "schemathesis needs Python 3.10 with venv (apt-get install python3-venv)"
    "$environment/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}"
    touch "$stamp"
fi
if [ -z "${MILLRACE_BIN:-}" ]; then
    scripts/setup.sh
    cargo build --locked -p millrace
    MILLRACE_BIN="$CARGO_TARGET_DIR/debug/millrace"
fi
folder="$(mktemp -d)"
# Postgres, which does not run as root, must get in.
chmod 711 "$folder"
"$MILLRACE_BIN" up --workers 0 --listen 127.0.0.1:0 --data-dir "$folder/data" >"$folder/log" 2>&1 &
server=$!
trap 'kill -INT $server 2>/dev/null || true; wait $server 2>/dev/null || true; rm -rf "$folder"' EXIT
until [ -e "$folder/data/endpoints.json" ]; do
    kill -0 $server 2>/dev/null || { cat "$folder/log" >&2; fail "millrace up did not start"; }
    sleep 0.1
done
api="$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["api"])' "$folder/data/endpoints.json")"
cd "$folder"
# Not the phase `coverage`: it sends bodies of types that are refused unread, and then reuses the connection that was closed for it.
"$environment/bin/schemathesis" run "$api/api/v1/openapi.json" --url "$api" \
    --mode positive --generation-codec ascii --generation-with-security-parameters false \
    --phases examples,fuzzing --max-examples "${1:-20}" --generation-deterministic --suppress-health-check all \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
    --exclude-path-regex '/(events|keys|session)' --request-timeout 30

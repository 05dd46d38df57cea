#!/usr/bin/env bash
# Builds the web console into services/console/dist/app, from where the api takes it in when it is built. Does nothing when
# nothing changed; says so and does nothing where there is no Node.js: the api then serves a plain page.
# `scripts/console.sh check` runs its checks and unit tests as well; `types` writes the types of the api's document anew; `browser`
# runs the tests in a real Chromium.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT/services/console"

what="${1:-build}"
# Vite asks for as much.
if ! have node || ! have npm || ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'; then
    say "skipped: the web console needs Node.js 20.19 or newer; without it the api serves a plain page"
    exit 0
fi

digest() { cat "$@" | sha256sum | cut -d ' ' -f 1; }
packages() {
    local wanted
    wanted="$(digest package-lock.json)"
    [ "$(cat node_modules/.millrace 2>/dev/null)" = "$wanted" ] && return
    say "installing the console's packages"
    npm ci --no-audit --no-fund --loglevel=error --prefer-offline --cache "$MILLRACE_CACHE/npm" || {
        say "skipped: the console's packages could not be fetched; the api serves a plain page"
        exit 0
    }
    echo "$wanted" >node_modules/.millrace
}

sources="$({ git ls-files --cached --others --exclude-standard -- . ../../examples 2>/dev/null || find . ../../examples -type f \
    -not -path './node_modules/*' -not -path './dist/*'; } | sort | while read -r file; do [ -f "$file" ] && sha256sum "$file"; done | sha256sum)"
build() {
    [ -f dist/app/index.html ] && [ "$(cat dist/.sources 2>/dev/null)" = "$sources" ] && return
    packages
    say "building the web console"
    npm run --silent build
    echo "$sources" >dist/.sources
}

case "$what" in
build) build ;;
check)
    packages
    npm run --silent format-check
    npm run --silent lint
    npm run --silent types-check || fail "src/api/schema.gen.ts is not what docs/openapi.json says: run npm run types in services/console, and commit what changed"
    npm run --silent check
    npm run --silent test
    ;;
types)
    packages
    npm run --silent types
    ;;
browser)
    browser="${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}"
    if [ -z "$browser" ]; then
        say "skipped: the console's tests in a browser need Chromium (apt-get install chromium, or CHROMIUM=/path/to/it)"
        exit 0
    fi
    packages
    build
    CHROMIUM="$browser" npm run --silent browser
    ;;
*) fail "usage: scripts/console.sh [build|check|types|browser]" ;;
esac

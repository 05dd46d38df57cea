#!/usr/bin/env bash
# The tests of the Python client against a real server. Its packages go into an environment of their own, which is made once;
# where there is no Python for that, or they cannot be fetched, the tests are left out and it says so.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT/clients/python"

environment="$MILLRACE_CACHE/python"
stamp="$environment/$(sha256sum pyproject.toml | cut -c1-16)"
if ! python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    say "skipped: the Python client's tests need Python 3.11 with venv (apt-get install python3-venv)"
    exit 0
fi
if [ ! -e "$stamp" ]; then
    rm -rf "$environment"
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check --editable '.[test]' || {
        say "skipped: the packages for the Python client's tests cannot be fetched"
        exit 0
    }
    touch "$stamp"
fi
export MILLRACE_BIN="${MILLRACE_BIN:-$CARGO_TARGET_DIR/debug/millrace}"
# Another checkout may have made the environment: this one's sources are meant.
export PYTHONPATH="$ROOT/clients/python/src"
"$environment/bin/mypy"
"$environment/bin/pytest" --quiet "$@"

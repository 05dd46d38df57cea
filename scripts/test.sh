#!/usr/bin/env bash
# All tests. By cargo-nextest where it is installed, which runs each test in a process of its own; by `cargo test`
# otherwise: building nextest would take a newcomer longer than all tests together.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

scripts/setup.sh
scripts/console.sh
export ORT_DYLIB_PATH="${ORT_DYLIB_PATH:-$ORT_LIBRARY}"
# Built first: end-to-end tests start it as their users would.
cargo build --locked -p millrace
if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --locked --workspace "$@"
    cargo test --locked --workspace --doc --quiet
else
    say "cargo-nextest is not installed; using cargo test"
    cargo test --locked --workspace "$@"
fi
# With arguments, only those tests are wanted.
if [ $# = 0 ]; then
    scripts/console.sh browser
    scripts/test-python.sh
fi

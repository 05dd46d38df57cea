# The one door. Each target does its own set-up; CI calls these and nothing else.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# Shared by every checkout of this user; the scripts choose the same.
MILLRACE_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/millrace
CARGO_TARGET_DIR ?= $(or $(MILLRACE_TARGET_DIR),$(MILLRACE_CACHE)/target)
export MILLRACE_CACHE CARGO_TARGET_DIR CI

.PHONY: help setup console demo test api-fuzz python lint fmt fmt-check docs openapi metrics-page bench deny console-check console-browser size-guard

help: ## What there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## Redis, PostgreSQL, ONNX Runtime: found or installed
	@scripts/setup.sh

console: ## The web console, where Node.js is: built into services/console/dist for the api to take in
	@scripts/console.sh

demo: ## Detect shapes in a picture, through the real services (CI=1 ends by itself)
	@scripts/demo.sh

test: ## All tests
	@scripts/test.sh

api-fuzz: ## Schemathesis against a real server: two minutes; not part of `make test`
	@scripts/api-fuzz.sh

python: ## The tests of the Python client
	@scripts/setup.sh
	cargo build --locked -p millrace
	@scripts/test-python.sh

lint: ## Clippy, warnings denied
	cargo clippy --locked --workspace --all-targets -- -D warnings

fmt: ## Format the sources
	cargo fmt --all

fmt-check: ## Are the sources formatted?
	cargo fmt --all --check

docs: ## The crates' documentation, warnings denied
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps

openapi: ## docs/openapi.json, written anew from the code, and the console's types from it
	MILLRACE_REFRESH_OPENAPI=1 cargo test --locked -p millrace-api --test it openapi::the_committed_document
	@scripts/console.sh types

metrics-page: ## docs/metrics.md, written anew from the catalogue of metrics
	MILLRACE_REFRESH_METRICS=1 cargo test --locked -p millrace-telemetry --test catalogue the_page

bench: ## The benchmarks
	cargo bench --locked --workspace

deny: ## Licences, advisories and sources of the dependencies, where cargo-deny is installed
	@if cargo deny --version >/dev/null 2>&1; then \
		cargo deny --offline check bans licenses sources; \
	else \
		echo "skipped: cargo-deny is not installed (cargo install cargo-deny --locked)"; \
	fi

console-check: ## The console's own checks: format, lint, types, unit tests
	@scripts/console.sh check

console-browser: ## The console in a real Chromium against a real server
	@scripts/console.sh browser

size-guard: ## No file grows past what one can read
	@scripts/size-guard.sh

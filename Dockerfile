# syntax=docker/dockerfile:1
# One image for every role: the command is the role. The worker needs ONNX Runtime, the others only the binary.

FROM node:22-bookworm-slim AS console
WORKDIR /src
COPY services/console services/console
COPY examples examples
RUN --mount=type=cache,target=/root/.npm cd services/console && npm ci --no-audit --no-fund && npm run build

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
COPY --from=console /src/services/console/dist/app services/console/dist/app
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/target \
    CARGO_TARGET_DIR=/target cargo build --locked --release -p millrace \
    && install -D /target/release/millrace /out/millrace

FROM debian:bookworm AS onnxruntime
RUN apt-get update && apt-get install -y --no-install-recommends python3-pip && rm -rf /var/lib/apt/lists/*
WORKDIR /ort
# The same pins as scripts/lib.sh; a test keeps them equal.
RUN pip download --no-deps --only-binary=:all: --python-version 311 --platform manylinux_2_28_x86_64 onnxruntime==1.31.1 \
    && echo "5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f  onnxruntime-1.31.1-cp311-cp311-manylinux_2_28_x86_64.whl" | sha256sum --check \
    && python3 -m zipfile -e onnxruntime-1.31.1-*.whl wheel \
    && install -D wheel/onnxruntime/capi/libonnxruntime.so.1.31.1 /out/libonnxruntime.so.1.31.1

FROM debian:bookworm-slim AS millrace
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libstdc++6 && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home --home-dir /var/lib/millrace millrace \
    # A new volume that is mounted here takes its owner from this folder; it would be root's, and nobody could write.
    && install -d -o millrace -g millrace /var/lib/millrace/blobs
COPY --from=build /out/millrace /usr/local/bin/millrace
COPY --from=onnxruntime /out/libonnxruntime.so.1.31.1 /opt/onnxruntime/libonnxruntime.so.1.31.1
COPY models /var/lib/millrace/models
ENV ORT_DYLIB_PATH=/opt/onnxruntime/libonnxruntime.so.1.31.1 \
    MILLRACE__MODELS__DIR=/var/lib/millrace/models \
    MILLRACE__BLOBS__URL=/var/lib/millrace/blobs \
    MILLRACE__TELEMETRY__JSON=true
USER millrace
WORKDIR /var/lib/millrace
ENTRYPOINT ["millrace"]
CMD ["--help"]

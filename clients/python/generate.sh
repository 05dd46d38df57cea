#!/usr/bin/env bash
# Makes src/millrace/schema.py from docs/openapi.json: what the server answers, as TypedDicts. Needs
# `pip install datamodel-code-generator==0.89.0 black isort`. tests/test_wire.py says when it is due.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

python3 -m datamodel_code_generator \
    --input ../../docs/openapi.json --input-file-type openapi \
    --output-model-type typing.TypedDict --target-python-version 3.11 \
    --use-standard-collections --use-union-operator --use-schema-description --use-field-description \
    --formatters black isort --disable-timestamp \
    --custom-file-header '"""What the server answers, as TypedDicts. Made by generate.sh from docs/openapi.json; do not edit."""' \
    --output src/millrace/schema.py

#!/bin/sh
# Fills the collection `pictures`, which visual-search.json searches, with the pictures of this folder: each goes through
# index-picture.json, whose answer is the point to put. Doing it again replaces them.
# Usage: sh examples/fill-collection.sh [ADDRESS]; without one it asks where the command line does: MILLRACE_URL, else the
# `millrace up` of .millrace, else 127.0.0.1:8080. MILLRACE_API_KEY is sent where the server asks for a key.
set -eu
url=${1:-${MILLRACE_URL:-}}
if [ -z "$url" ] && [ -r .millrace/endpoints.json ]; then
    url=$(sed -n 's/.*"api": *"\([^"]*\)".*/\1/p' .millrace/endpoints.json)
fi
url=${url:-http://127.0.0.1:8080}
api="${url%/}/api/v1"
here=$(dirname "$0")

ask() {
    curl --silent --show-error --fail-with-body \
        ${MILLRACE_API_KEY:+--header "Authorization: Bearer $MILLRACE_API_KEY"} "$@"
}

ask --json '{"name": "pictures", "dimension": 48}' "$api/collections"
echo
for picture in "$here"/*.jpg "$here"/expected/*.jpg; do
    case $picture in "$here"/expected/*) kind=result ;; *) kind=photo ;; esac
    printf '{"workflow": %s}' "$(cat "$here/index-picture.json")" |
        ask --form 'request=<-' --form "name=$(basename "$picture" .jpg)" --form "kind=$kind" --form "photo=@$picture" \
            "$api/executions?wait=60s" |
        ask --request PUT --json @- "$api/collections/pictures/points"
    echo " $picture"
done

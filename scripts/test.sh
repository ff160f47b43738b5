#!/usr/bin/env bash
# The whole suite: lint, the console's own tests, then pytest. Each part says how long it took.
set -euo pipefail
cd "$(dirname "$0")/.."
took() { echo "== $1 … $((SECONDS - begun)) s"; begun=$SECONDS; }
begun=$SECONDS
echo "== lint"
scripts/lint.sh
took lint
if [ -d console/node_modules ]; then
  echo "== console"
  PATH="$PWD/.tools/bin:$PATH"
  command -v npm >/dev/null && (cd console && npm run --silent check && npm run --silent test)
  took console
fi
echo "== pytest"
status=0
.venv/bin/pytest -n 2 --dist loadfile ${GUARDIAN_PYTEST:-} -ra || status=$?
took pytest
exit "$status"

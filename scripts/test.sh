#!/usr/bin/env bash
# The whole suite: lint, the console's own tests, then pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
echo "== lint"
scripts/lint.sh
if [ -d console/node_modules ]; then
  echo "== console"
  PATH="$PWD/.tools/bin:$PATH"
  command -v npm >/dev/null && (cd console && npm run --silent check && npm run --silent test)
fi
echo "== pytest"
exec .venv/bin/pytest -n 2 --dist loadfile ${GUARDIAN_PYTEST:-} -ra

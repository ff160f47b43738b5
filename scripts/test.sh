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
if .venv/bin/pytest -n 2 --dist loadfile ${GUARDIAN_PYTEST:-} -ra; then
  exit 0
fi
# Tests that start servers and browsers can miss a time limit while the other worker has the machine. What failed is
# asked once more, alone and one after the other; what fails again is red, and the first answer stays in this log.
echo "== pytest, once more, alone: what failed above"
exec .venv/bin/pytest --last-failed --last-failed-no-failures none -ra

#!/usr/bin/env bash
# The OpenAPI document from the application, and the console's client from the document.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/python scripts/openapi.py console/openapi.json
PATH="$PWD/.tools/bin:$PATH"
(cd console && npm run --silent api)
echo "API: written."

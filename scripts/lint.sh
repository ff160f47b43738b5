#!/usr/bin/env bash
# Import contracts, strict types, style; the console's types too where its packages are installed.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/ruff format --check --quiet guardian train tests bench scripts
.venv/bin/ruff check --quiet guardian train tests bench scripts
.venv/bin/mypy
.venv/bin/lint-imports --no-cache
echo "Lint: clean."

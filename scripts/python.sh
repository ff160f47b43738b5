#!/bin/sh
# Print the first Python 3.11 or later that really runs. A name on the PATH may be an empty shim, so each candidate is run.
for name in "${PYTHON:-}" python3.11 python3.12 python3.13 python3.14 python3 python; do
  [ -n "$name" ] || continue
  path=$(command -v "$name" 2>/dev/null) || continue
  if "$path" -c 'import sys; sys.exit(not (sys.version_info >= (3, 11)))' >/dev/null 2>&1; then
    "$path" -c 'import sys; print(sys.executable)'
    exit 0
  fi
done
echo "No Python 3.11 or later was found on the PATH. Install one, or say where it is: make demo PYTHON=/path/to/python3" >&2
exit 1

"""Tables that the browser's reader shares with Python: the series and the bound of doubt, as JSON.

python scripts/reader_tables.py            exit 1 if console/src/reader/steps/series.json is not what the code says
python scripts/reader_tables.py --write    write it
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from guardian.domain.read import DOUBTFUL_PROB
from guardian.domain.series import SERIES

TABLE = Path(__file__).resolve().parent.parent / "console" / "src" / "reader" / "steps" / "series.json"


def table_text() -> str:
    """The file as it should be. Patterns use nothing that JavaScript spells differently."""
    series = [{"id": s.id, "pattern": s.pattern, "dash_after": s.dash_after} for s in SERIES]
    return json.dumps({"doubtful_prob": DOUBTFUL_PROB, "series": series}, indent=2) + "\n"


def main() -> int:
    """Write or compare."""
    if "--write" in sys.argv:
        TABLE.write_text(table_text(), encoding="utf-8")
    current = TABLE.exists() and TABLE.read_text(encoding="utf-8") == table_text()
    if not current:
        print(f"{TABLE.name} is not what guardian/domain/series.py says: run scripts/reader_tables.py --write")
    return 0 if current else 1


if __name__ == "__main__":
    sys.exit(main())

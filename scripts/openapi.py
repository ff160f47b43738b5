"""Write the application's OpenAPI document for the console's client: `python scripts/openapi.py OUT` (`--check` compares)."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

import msgspec

from guardian.serve.app import build_app
from guardian.serve.run import BASEMAP, now_ms
from guardian.serve.wiring import open_cloud
from guardian.stores import StoreSettings


async def render() -> str:
    """The document, with stable order."""
    with tempfile.TemporaryDirectory() as folder:
        cloud = await open_cloud(StoreSettings(data=folder), now_ms, archive_url="memory:")
        try:
            app = build_app(cloud, console=Path(folder), basemap=BASEMAP)
            schema = msgspec.to_builtins(app.openapi_schema.to_schema(), str_keys=True)
            return json.dumps(schema, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        finally:
            await cloud.close()


def main() -> int:
    out = Path(sys.argv[1])
    text = asyncio.run(render())
    if "--check" in sys.argv:
        if out.read_text(encoding="utf-8") == text:
            return 0
        print(f"{out} is not what the application says now. Run make api.", file=sys.stderr)
        return 1
    out.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The files that the cloud hands to browsers: the console's build and the base map.

Unknown addresses get the console's one page (it has its own routes), unknown files a 404. Nothing here leaves the folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter

from guardian.domain.errors import NotFoundError
from guardian.roads.basemap import DISTRICTS
from guardian.serve.ranges import answer_file
from guardian.vision.weights import FOLDER as WEIGHTS

MEDIA = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css",
    ".json": "application/json", ".geojson": "application/geo+json", ".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg",
    ".woff2": "font/woff2", ".woff": "font/woff", ".ico": "image/x-icon", ".webmanifest": "application/manifest+json",
    ".pmtiles": "application/vnd.pmtiles", ".txt": "text/plain; charset=utf-8", ".wasm": "application/wasm",
}  # fmt: skip
NO_CONSOLE = (
    "<!doctype html><meta charset=utf-8><title>警政安全守護雲</title><p>主控台尚未建置：執行 <code>make setup</code>。"
    "<p lang=en>The console has not been built: run <code>make setup</code>."
)


class PageFolders:
    """Where the console's build lies, the base map (its PMTiles file), and the models that the reader's page runs."""

    def __init__(self, console: Path, basemap: Path, weights: Path = WEIGHTS) -> None:
        self.console = console.resolve()
        self.weights = weights.resolve()
        # Only these names: what else lies beside the map is not for browsers.
        self.basemap = {
            "guardian.pmtiles": basemap,
            "labels.json": basemap.with_suffix(".json"),
            "areas.geojson": DISTRICTS,
        }


def inside(folder: Path, name: str) -> Path | None:
    """The file of that name in a folder; None where there is none, or it would lie outside."""
    try:
        path = (folder / name.lstrip("/")).resolve()
        return path if path.is_relative_to(folder) and path.is_file() else None
    except (OSError, ValueError):  # no file has such a name: too long, or with a zero in it
        return None


@get("/basemap/{name:str}", opt={"action": "basemap.view"}, include_in_schema=True)
async def get_basemap_file(
    name: FromPath[str],
    page_folders: NamedDependency[PageFolders],
    range_header: Annotated[str, HeaderParameter(name="range")] = "",
    if_range: Annotated[str, HeaderParameter(name="if-range")] = "",
    if_none_match: Annotated[str, HeaderParameter(name="if-none-match")] = "",
) -> Response[bytes]:
    """A file of the base map; PMTiles by byte range."""
    path = page_folders.basemap.get(name)
    if path is None or not path.is_file():
        raise NotFoundError("There is no such map file.", hint="Build one: guardian basemap build.")
    return answer_file(
        path,
        media_type=MEDIA.get(path.suffix, "application/octet-stream"),
        range_header=range_header,
        if_range=if_range,
        if_none_match=if_none_match,
    )


@get(["/", "/{path:path}"], opt={"action": "console.load"}, include_in_schema=False)
async def get_console(
    request: Request[Any, Any, Any], page_folders: NamedDependency[PageFolders], path: FromPath[str] = ""
) -> Response[bytes]:
    """The console: a file of its build, or its one page for every other address."""
    name = path.lstrip("/")
    if name.startswith(("api/", "device/")):
        raise NotFoundError("There is no such address.")
    found = inside(page_folders.console, name) if name else None
    if found is None and "." in name.rsplit("/", 1)[-1]:
        raise NotFoundError("There is no such file.")
    page = found or page_folders.console / "index.html"
    if not page.is_file():
        return Response(NO_CONSOLE.encode(), media_type="text/html; charset=utf-8", status_code=503)
    hashed = name.startswith("assets/")
    return answer_file(
        page,
        media_type=MEDIA.get(page.suffix, "application/octet-stream"),
        if_none_match=request.headers.get("if-none-match", ""),
        cache="public, max-age=31536000, immutable" if hashed else "no-cache",
    )

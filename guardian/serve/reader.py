"""The plate reader's page, its program and its models, as files for a browser.

The page reads plates with the browser's own means (docs/decisions/0010-reader-in-a-browser.md); nothing of what it sees comes
here. It needs three things that no other page of ours is given, so these answers alone carry them:

- the camera, for the page;
- compiling WebAssembly, for what runs in the page's worker: a worker has the rules that its own file came with, so the page
  itself goes without;
- to be alone in its process (COEP): only then a browser lets threads share memory.
"""

from __future__ import annotations

import re
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from guardian.access.origin import SECURITY_HEADERS
from guardian.domain.errors import NotFoundError
from guardian.serve.pages import MEDIA, NO_CONSOLE, PageFolders, inside
from guardian.serve.ranges import answer_file
from guardian.vision.weights import LIST_NAME

_ALONE = {"cross-origin-embedder-policy": "require-corp"}
_POLICY = SECURITY_HEADERS["content-security-policy"]
PAGE_HEADERS = {
    **_ALONE,
    "permissions-policy": SECURITY_HEADERS["permissions-policy"].replace("camera=()", "camera=(self)"),
    # A film that the person chooses is played from the browser's own memory.
    "content-security-policy": _POLICY.replace("media-src 'self'", "media-src 'self' blob:"),
}
PROGRAM_HEADERS = {
    **_ALONE,
    "content-security-policy": _POLICY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'"),
}
_MODEL = re.compile(r"[a-z0-9._-]{1,80}\.onnx")


def _with(answer: Response[bytes], headers: dict[str, str]) -> Response[bytes]:
    for name, value in headers.items():
        answer.headers[name] = value
    return answer


@get(["/reader", "/reader.html"], opt={"action": "console.load"}, include_in_schema=False)
async def get_reader_page(
    request: Request[Any, Any, Any], page_folders: NamedDependency[PageFolders]
) -> Response[bytes]:
    """The page; like the console's it says nothing about anybody, so it comes before anybody has signed in."""
    page = page_folders.console / "reader.html"
    if not page.is_file():
        return Response(NO_CONSOLE.encode(), media_type=MEDIA[".html"], status_code=503)
    etag = request.headers.get("if-none-match", "")
    return _with(answer_file(page, media_type=MEDIA[".html"], if_none_match=etag, cache="no-cache"), PAGE_HEADERS)


@get("/reader/{name:str}", opt={"action": "console.load"}, include_in_schema=False)
async def get_reader_program(
    request: Request[Any, Any, Any], page_folders: NamedDependency[PageFolders], name: FromPath[str]
) -> Response[bytes]:
    """A file of the program that the page's worker is made of; each has its hash in its name."""
    path = inside(page_folders.console / "reader", name)
    if path is None:
        raise NotFoundError("There is no such file.")
    squeezed = path.with_name(f"{path.name}.br")
    takes = {part.split(";")[0].strip() for part in request.headers.get("accept-encoding", "").split(",")}
    with_squeezed = "br" in takes and squeezed.is_file()
    answer = answer_file(
        squeezed if with_squeezed else path,
        media_type=MEDIA.get(path.suffix, "application/octet-stream"),
        if_none_match=request.headers.get("if-none-match", ""),
        cache="public, max-age=31536000, immutable",
    )
    return _with(
        answer, PROGRAM_HEADERS | {"vary": "accept-encoding"} | ({"content-encoding": "br"} if with_squeezed else {})
    )


@get("/reader/weights/{name:str}", opt={"action": "reader.use"}, include_in_schema=False)
async def get_reader_model(
    request: Request[Any, Any, Any], page_folders: NamedDependency[PageFolders], name: FromPath[str]
) -> Response[bytes]:
    """A model, or the list of their SHA-256. The page checks one against the other before it uses anything."""
    path = inside(page_folders.weights, name) if name == LIST_NAME or _MODEL.fullmatch(name) else None
    if path is None:
        raise NotFoundError("There is no such model.", hint="The server's installation is not complete.")
    return answer_file(
        path,
        media_type=MEDIA.get(path.suffix, "application/octet-stream"),
        if_none_match=request.headers.get("if-none-match", ""),
        cache="private, no-cache",
    )

"""The reader's page as the cloud hands it out: which of its files may do what, who gets the models, and that nothing else may."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient

from guardian.access.seam import COOKIE
from guardian.domain.subject import Role
from guardian.serve.app import build_app
from guardian.stores import StoreSettings
from tests.unit.access_app import ORIGIN

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import reader_tables

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncClient]:
    """A cloud whose console has been built, in small; signed in as an operator."""
    from guardian.serve import app as serving
    from guardian.serve.pages import PageFolders
    from guardian.serve.wiring import open_cloud

    console, weights = tmp_path / "dist", tmp_path / "weights"
    (console / "reader").mkdir(parents=True)
    weights.mkdir()
    (console / "index.html").write_text("<p>console")
    (console / "reader.html").write_text("<p>reader")
    (console / "reader" / "worker-a1.js").write_text("onmessage = 1")
    (console / "reader" / "ort-b2.wasm").write_bytes(b"\0asm" + bytes(100))
    (console / "reader" / "ort-b2.wasm.br").write_bytes(b"squeezed")
    (weights / "weights.json").write_text("{}")
    (weights / "reader.onnx").write_bytes(b"model")
    (weights / "notes.txt").write_text("not for browsers")
    monkeypatch.setattr(serving, "PageFolders", lambda *places: PageFolders(*places, weights=weights))
    cloud = await open_cloud(
        StoreSettings(data=str(tmp_path / "data")), lambda: 1_795_600_000_000, archive_url="memory:"
    )
    app = build_app(cloud, console=console, basemap=tmp_path / "map.pmtiles")
    link = await cloud.access.sessions.make_link("林佳穎", Role.OPERATOR, made_by="test")
    cookie = f"{COOKIE}={(await cloud.access.sessions.open(link.token))[0]}"
    async with AsyncClient(transport=ASGITransport(app), base_url=ORIGIN, headers={"cookie": cookie}) as it:
        yield it
    await cloud.close()


def rules(answer: Any) -> dict[str, str]:
    """The content policy by its directives."""
    return dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))


async def test_only_the_readers_page_may_use_the_camera(client: AsyncClient) -> None:
    for path in ("/reader", "/reader.html"):
        page = await client.get(path)
        assert page.status_code == 200 and "reader" in page.text
        assert "camera=(self)" in page.headers["permissions-policy"]
        assert "microphone=()" in page.headers["permissions-policy"]
        assert page.headers["cross-origin-embedder-policy"] == "require-corp"
        assert page.headers["cross-origin-opener-policy"] == "same-origin"
        assert page.headers["cache-control"].startswith("no-cache")
    for path in ("/", "/live", "/index.html", "/reader/worker-a1.js"):
        assert "camera=()" in (await client.get(path)).headers["permissions-policy"], path


async def test_only_what_runs_in_the_worker_may_compile_webassembly(client: AsyncClient) -> None:
    worker = await client.get("/reader/worker-a1.js")
    assert worker.headers["content-type"].startswith("text/javascript")
    assert rules(worker)["script-src"] == "'self' 'wasm-unsafe-eval'"
    assert "immutable" in worker.headers["cache-control"]
    for path in ("/", "/reader", "/api/health"):
        answer = await client.get(path)
        assert "wasm" not in answer.headers["content-security-policy"], path
        assert rules(answer)["script-src"] == "'self'"
    for answer in (worker, await client.get("/reader")):
        assert not any("http" in value or "*" in value for value in rules(answer).values()), "nothing from elsewhere"
        assert rules(answer)["connect-src"] == "'self'"


async def test_the_runtime_comes_squeezed_to_who_takes_it(client: AsyncClient) -> None:
    squeezed = await client.get("/reader/ort-b2.wasm", headers={"accept-encoding": "gzip, br;q=0.9"})
    assert squeezed.headers["content-type"] == "application/wasm"
    assert squeezed.headers["content-encoding"] == "br" and squeezed.headers["vary"] == "accept-encoding"
    plain = await client.get("/reader/ort-b2.wasm", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers and plain.content.startswith(b"\0asm")
    assert plain.headers["etag"] != squeezed.headers["etag"]


async def test_models_go_to_who_may_read_plates_and_nothing_else_of_their_folder_to_anybody(
    client: AsyncClient,
) -> None:
    assert (await client.get("/reader/weights/weights.json")).json() == {}
    model = await client.get("/reader/weights/reader.onnx")
    assert model.content == b"model" and model.headers["cache-control"].startswith("private")
    for name in ("notes.txt", "nothing.onnx", "..%2fdist%2findex.html", "..%2f..%2fsecret.onnx"):
        assert (await client.get(f"/reader/weights/{name}")).status_code == 404, name
    for name in ("nothing.js", "..%2findex.html"):
        assert (await client.get(f"/reader/{name}")).status_code == 404, name
    assert (await client.get("/reader/weights/reader.onnx", headers={"cookie": ""})).status_code == 401
    assert (await client.get("/reader", headers={"cookie": ""})).status_code == 200


def test_what_the_browser_shares_with_python_is_what_python_says() -> None:
    assert reader_tables.stale() == [], "run scripts/reader_tables.py --write"

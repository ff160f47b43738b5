"""The seam behind a real server on a real socket: targets with their query, bodies in pieces, clients that hang up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.response import Stream

from guardian.domain.subject import LookupRecorder, Role, Subject
from tests.unit.access_app import ROUTES, Ask, House, SignedDevice, house

pytestmark = pytest.mark.anyio

ASK = {"purpose": "證據保全", "case_number": "115-0832", "plate": "ABC-1235"}


@asynccontextmanager
async def served(it: House) -> AsyncIterator[str]:
    """The house's application on a loopback port."""
    server = uvicorn.Server(uvicorn.Config(it.app, host="127.0.0.1", port=0, log_config=None, lifespan="off"))
    running = asyncio.ensure_future(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


async def test_a_signed_target_with_its_query_and_a_body_in_pieces_hold(tmp_path: Path) -> None:
    async with house(tmp_path) as it, served(it) as url, httpx.AsyncClient(base_url=url) as client:
        device = SignedDevice("car-1")
        await it.access.device_keys.enrol(device.id, device.public_key)
        target = "/device/v1/watchlist?have=7"
        assert (await client.get(target, headers=device.headers("GET", target))).json() == {"have": 7}
        body = b"x" * 700_000

        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, len(body), 100_000):
                yield body[start : start + 100_000]

        target = f"/device/v1/photos/{'a' * 64}"
        sent = await client.put(target, content=pieces(), headers=device.headers("PUT", target, body))
        assert (sent.status_code, sent.json()) == (200, {"bytes": 700_000})


async def test_a_client_that_hangs_up_ends_the_search_or_the_stream_and_both_are_on_record(tmp_path: Path) -> None:
    stopped = asyncio.Event()

    @post("/api/slow", opt={"action": "reads.search", "lookup": True})
    async def slow(
        data: JSONBody[Ask], subject: NamedDependency[Subject], lookups: NamedDependency[LookupRecorder]
    ) -> dict[str, Any]:
        await lookups.begin(subject, "reads.search", data.purpose, data.case_number, {"plate": data.plate})
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return {}

    @post("/api/endless", opt={"action": "reads.export", "lookup": True})
    async def endless(
        data: JSONBody[Ask], subject: NamedDependency[Subject], lookups: NamedDependency[LookupRecorder]
    ) -> Stream:
        lookup_id = await lookups.begin(subject, "reads.export", data.purpose, data.case_number, {"plate": data.plate})

        async def rows() -> AsyncIterator[str]:
            left = 0
            try:
                while True:
                    yield "row\n" * 1000
                    left += 1000
            finally:
                await lookups.deliver(lookup_id, left, note="cancelled")

        return Stream(rows(), media_type="text/csv")

    async with house(tmp_path, routes=(*ROUTES, slow, endless)) as it, served(it) as url:
        browser = await it.sign_in(Role.DETECTIVE)
        headers = browser | {"origin": url}
        async with httpx.AsyncClient(base_url=url) as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.post("/api/slow", json=ASK, headers=headers, timeout=0.5)
            await asyncio.wait_for(stopped.wait(), 60)
            async with client.stream("POST", "/api/endless", json=ASK, headers=headers) as answer:
                assert answer.status_code == 201
                async for _ in answer.aiter_bytes():
                    break
        for _ in range(200):
            rows = [row async for row in it.access.audit.rows() if row.kind == "delivered"]
            if len(rows) == 2:
                break
            await asyncio.sleep(0.05)
        assert [(row.action, row.elements["note"]) for row in rows] == [
            ("reads.search", "cancelled"), ("reads.export", "cancelled"),
        ]  # fmt: skip
        assert rows[0].count == 0 and (rows[1].count or 0) > 0

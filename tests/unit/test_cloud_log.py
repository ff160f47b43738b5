"""The log says kinds and places of errors, never their texts: those quote what was being worked on, plates too (G-privacy)."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog

from guardian.domain.errors import NeighbourUnreachableError
from guardian.serve.log import configure_log, quieten_loop
from guardian.stores import open_records

PLATE = "ABC1235"


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    out = io.StringIO()
    before, handlers, level = structlog.get_config(), logging.root.handlers[:], logging.root.level
    configure_log(json=True, out=out)
    yield out
    structlog.configure(**before)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def broken() -> None:
    try:
        raise ValueError(f"near: SELECT plate IN ('{PLATE}')")
    except ValueError as error:
        raise NeighbourUnreachableError(f"no answer about {PLATE}") from error


def test_an_exception_is_logged_by_kind_and_place(said: io.StringIO) -> None:
    try:
        broken()
    except NeighbourUnreachableError:
        structlog.get_logger("x").exception("live.event_failed", topic="hits.changed")
    line = json.loads(said.getvalue())
    assert line["error"] == "neighbour-unreachable < ValueError"
    assert any("broken" in frame for frame in line["frames"])
    assert PLATE not in said.getvalue()


def test_the_web_server_prints_no_traceback_with_texts(said: io.StringIO) -> None:
    try:
        broken()
    except NeighbourUnreachableError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
    text = said.getvalue()
    assert "neighbour-unreachable < ValueError at " in text and "broken" in text
    assert PLATE not in text and "Traceback" not in text


def test_a_task_that_nobody_waited_for_is_told_without_its_text(said: io.StringIO) -> None:
    async def run() -> None:
        quieten_loop()

        async def fail() -> None:
            broken()

        task = asyncio.ensure_future(fail())
        await asyncio.wait([task])
        del task
        await asyncio.sleep(0)

    asyncio.run(run())
    assert "loop.exception" in said.getvalue() and PLATE not in said.getvalue()


def open_to_all(folder: Path) -> Path:
    folder.chmod(0o755)
    return folder


def modes_in(folder: Path) -> list[int]:
    return [path.stat().st_mode & 0o777 for path in folder.iterdir()]


@pytest.mark.anyio
async def test_the_records_are_for_us_alone_whatever_folder_they_lie_in(tmp_path: Path) -> None:
    folder = open_to_all(tmp_path)
    records = open_records(f"sqlite:///{folder}/records.sqlite")
    try:
        await records.write(lambda connection: connection.execute(sa.text("CREATE TABLE x (y)")))
        assert modes_in(folder) == [0o600] * 3, "the file, its log and its index"
    finally:
        await records.close()


@pytest.mark.anyio
async def test_an_error_of_the_records_quotes_no_values(tmp_path: Path) -> None:
    records = open_records(f"sqlite:///{tmp_path}/records.sqlite")
    try:
        with pytest.raises(sa.exc.OperationalError) as caught:
            await records.write(
                lambda connection: connection.execute(sa.text("INSERT INTO nowhere VALUES (:plate)"), {"plate": PLATE})
            )
        assert "nowhere" in str(caught.value) and PLATE not in str(caught.value)
    finally:
        await records.close()

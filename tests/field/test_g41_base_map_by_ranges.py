"""G41: the base map comes by exact byte ranges, never whole by mistake and never compressed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.serve.ranges import UnsatisfiableError, answer_file, etag_of, parse_ranges

BODY = bytes(range(256)) * 100
SIZE = len(BODY)


@pytest.fixture
def map_file(tmp_path: Path) -> Path:
    path = tmp_path / "guardian.pmtiles"
    path.write_bytes(BODY)
    return path


def ask(path: Path, **headers: str):  # type: ignore[no-untyped-def]
    return answer_file(path, media_type="application/vnd.pmtiles", **headers)


def test_a_range_gives_exactly_its_bytes(map_file: Path) -> None:
    response = ask(map_file, range_header="bytes=0-16383")
    assert response.status_code == 206
    assert response.content == BODY[:16384]
    assert response.headers["content-range"] == f"bytes 0-16383/{SIZE}"
    assert "content-encoding" not in response.headers


def test_a_suffix_range_gives_the_end(map_file: Path) -> None:
    assert ask(map_file, range_header="bytes=-100").content == BODY[-100:]


@pytest.mark.parametrize("header", ["bytes=5-4", f"bytes={SIZE}-", "bytes=-0"])
def test_a_range_outside_is_416(map_file: Path, header: str) -> None:
    response = ask(map_file, range_header=header)
    assert response.status_code == 416
    assert response.headers["content-range"] == f"bytes */{SIZE}"


def test_two_ranges_come_as_parts(map_file: Path) -> None:
    response = ask(map_file, range_header="bytes=0-9,100-109")
    assert response.status_code == 206
    assert response.media_type.startswith("multipart/byteranges")
    assert BODY[:10] in response.content and BODY[100:110] in response.content


def test_a_changed_file_comes_whole(map_file: Path) -> None:
    assert ask(map_file, range_header="bytes=0-9", if_range='"old"').status_code == 200
    assert ask(map_file, range_header="bytes=0-9", if_range=etag_of(map_file)).status_code == 206


def test_an_unchanged_file_is_not_sent_again(map_file: Path) -> None:
    assert ask(map_file, if_none_match=etag_of(map_file)).status_code == 304


@given(st.integers(0, SIZE + 10), st.integers(0, SIZE + 10))
def test_any_pair_is_within_the_file_or_refused(first: int, last: int) -> None:
    try:
        pairs = parse_ranges(f"bytes={first}-{last}", SIZE)
    except UnsatisfiableError:
        assert first >= SIZE or last < first
        return
    assert pairs is not None
    assert pairs == [(first, min(last, SIZE - 1))]


@pytest.mark.parametrize("header", ["", "items=0-1", "bytes=", "bytes=a-b", "bytes=--1"])
def test_a_range_that_is_none_is_ignored(header: str) -> None:
    assert parse_ranges(header, SIZE) is None

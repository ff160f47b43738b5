"""G62: picture, film and event spoke of different moments, a cut of a text moved times by hours, pictures were of earlier events."""

from __future__ import annotations

import threading
from datetime import timedelta, timezone
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.device.follow import FilmFollower
from guardian.domain.moment import TAIPEI, format_instant, parse_instant
from guardian.domain.read import FrameVote, PhotoRef
from tests.archive.builders import NOW_MS as CLOUD_NOW_MS
from tests.archive.builders import make_read
from tests.archive.house import DETECTIVE, archive_house
from tests.device.rig import NOW_MS, ScriptedEngine, ScriptedSource, plate_seen
from tests.device.test_pipeline import pipeline

BEST_MS = CLOUD_NOW_MS - 60_000 + 1_200  # frame 9, 10:00:01.2
OVERVIEW_MS = CLOUD_NOW_MS - 60_000 + 400  # frame 4, 10:00:00.4
VOTE_MS = CLOUD_NOW_MS - 60_000 + 2_000  # 10:00:02.0


@pytest.mark.anyio
@pytest.mark.parametrize("content_type", ["application/msgpack", "application/json"])
async def test_one_capture_time_everywhere_and_each_picture_keeps_that_of_its_own_frame(
    tmp_path: Path, content_type: str
) -> None:
    """A foreign device whose overview is of another frame than its best crop."""
    read = make_read(
        1,
        captured_ms=BEST_MS,
        crop=PhotoRef("a" * 64, BEST_MS, 240, 80),
        overview=PhotoRef("b" * 64, OVERVIEW_MS, 960, 540),
        votes=(FrameVote("ABC1235", 0.99, BEST_MS), FrameVote("ABC1235", 0.9, VOTE_MS)),
    )
    async with archive_house(tmp_path) as house:
        assert (await house.send([read], content_type=content_type)).stored == 1
        (row,) = (await house.ask("ABC-1235")).rows
        assert row.captured_ms == BEST_MS, "the moment of the best frame, wherever the read is shown"
        detail = await house.desk.detail(DETECTIVE, row.id, "偵查", "A-1")
        assert detail.row.captured_ms == detail.read.captured_ms == BEST_MS
        assert detail.read.crop is not None and detail.read.crop.frame_ms == BEST_MS
        assert detail.read.overview is not None and detail.read.overview.frame_ms == OVERVIEW_MS
        assert [vote.frame_ms for vote in detail.read.votes] == [BEST_MS, VOTE_MS]
        assert (await house.ask("ABC-1235", from_ms=BEST_MS, until_ms=BEST_MS + 1)).count == 1
        assert (await house.ask("ABC-1235", from_ms=BEST_MS + 1)).count == 0, "asked by the same one time"


def test_the_device_dates_a_read_by_its_best_frame_and_its_pictures_by_theirs() -> None:
    # Frame 5 is the sharpest look: every other has a doubtful sign.
    script = [
        [plate_seen("BKD8869", x=100 + 8 * i, prob=0.99 if i == 5 else 0.86)] for i in range(12)
    ]  # fmt: skip
    moments = [1_000_000 + 400 * i for i in range(12)]
    line, kept, _, _ = pipeline(ScriptedEngine(script), ScriptedSource(moments), FilmFollower(), every_frame=True)
    line.run(threading.Event())
    (read,) = kept.reads
    looks = {NOW_MS + moment - 1_000_000 for moment in moments}
    assert read.captured_ms in looks, "the moment of a frame, not of the decision after the last one"
    assert read.crop is not None and read.overview is not None
    assert read.crop.frame_ms == read.overview.frame_ms == read.captured_ms
    best = next(vote for vote in read.votes if vote.frame_ms == read.captured_ms)
    assert best.confidence_prob == max(vote.confidence_prob for vote in read.votes)
    assert {vote.frame_ms for vote in read.votes} <= looks


def test_vehicles_one_after_the_other_never_share_a_picture() -> None:
    texts = ["BKD8869", "ABC1235", "BKD8869", "MHD0012"]  # one of them comes again
    script, moments = [], []
    for number, text in enumerate(texts):
        script += [[plate_seen(text, x=100 + 8 * i)] for i in range(6)] + [[]] * 2
        moments += [1_000_000 + 30_000 * number + 80 * i for i in range(6)]
        moments += [1_000_000 + 30_000 * number + 5_000 + 80 * i for i in range(2)]
    line, kept, _, _ = pipeline(ScriptedEngine(script), ScriptedSource(moments), FilmFollower(), every_frame=True)
    line.run(threading.Event())
    assert [read.text for read in kept.reads] == texts
    pictures = [(read.crop, read.overview) for read in kept.reads]
    for one, next_one in pairwise(pictures):
        assert all(p is not None for p in (*one, *next_one))
        assert not {p.sha256 for p in one if p} & {p.sha256 for p in next_one if p}
    for read, number in zip(kept.reads, range(len(texts)), strict=True):
        begun = NOW_MS + 30_000 * number
        for picture in (read.crop, read.overview):
            assert picture is not None and begun <= picture.frame_ms <= begun + 500, "a picture of its own passing"


def test_the_crop_and_overview_bytes_are_those_that_the_read_names() -> None:
    import hashlib

    script = [[plate_seen("BKD8869", x=100 + 8 * i)] for i in range(6)]
    moments = [1_000_000 + 80 * i for i in range(6)]
    line, kept, _, _ = pipeline(ScriptedEngine(script), ScriptedSource(moments), FilmFollower(), every_frame=True)
    line.run(threading.Event())
    (read,) = kept.reads
    for picture, body in ((read.crop, kept.crops[0]), (read.overview, kept.overviews[0])):
        assert picture is not None and body is not None
        assert hashlib.sha256(body).hexdigest() == picture.sha256


@pytest.mark.parametrize("decimals", ["", ".2", ".200", ".200000", ".200000000"])
@pytest.mark.parametrize(
    "spelling",
    [
        "2026-11-25T10:00:01{}+08:00",
        "2026-11-25T02:00:01{}Z",
        "2026-11-25T10:00:01{}+0800",
        "2026-11-25 10:00:01{} +08:00",
    ],
)
def test_all_spellings_of_a_time_are_one_instant(spelling: str, decimals: str) -> None:
    expected = 1_795_572_001_200 if decimals else 1_795_572_001_000
    assert parse_instant(spelling.format(decimals)) == expected


@given(
    ms=st.integers(0, 4_102_444_800_000),
    minutes=st.integers(-14 * 60, 14 * 60),
    decimals=st.integers(3, 9),
    colon=st.booleans(),
)
def test_writing_an_instant_in_any_zone_and_reading_it_gives_it_back(
    ms: int, minutes: int, decimals: int, colon: bool
) -> None:
    text = format_instant(ms, zone=timezone(timedelta(minutes=minutes)))
    cut = -1 if text.endswith("Z") else -6
    whole, zone = text[:cut], text[cut:]
    text = whole + "0" * (decimals - 3) + (zone if colon else zone.replace(":", ""))
    assert parse_instant(text) == ms
    assert parse_instant(format_instant(ms)) == parse_instant(format_instant(ms, zone=TAIPEI)) == ms


def test_a_time_whose_zone_was_cut_off_is_refused_and_never_guessed() -> None:
    from guardian.domain.errors import InputRefusedError

    cut = "2026-11-25T10:00:01.2+08:00"[:19]
    with pytest.raises(InputRefusedError, match="zone"):
        parse_instant(cut)
    assert parse_instant(cut, zone=TAIPEI) == 1_795_572_001_000


def test_both_wire_forms_carry_the_times_as_one_integer() -> None:
    read = make_read(1, captured_ms=BEST_MS, overview=PhotoRef("b" * 64, OVERVIEW_MS))
    assert msgspec.json.decode(msgspec.json.encode(read), type=type(read)) == read
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(read), type=type(read)) == read
    assert msgspec.to_builtins(read)["captured_ms"] == BEST_MS

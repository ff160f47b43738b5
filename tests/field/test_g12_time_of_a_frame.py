"""G12: wild stamps and films without a steady rate: every read lies inside its film, near its frame."""

from __future__ import annotations

import itertools
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.device.frametime import FrameTimes
from guardian.device.source import open_source


def test_single_wild_stamps_take_their_neighbours_time_and_are_counted() -> None:
    times = FrameTimes()
    stamps = [0.00, 0.04, 0.08, 9800.12, 0.16, 0.20, -37600.0, 0.28]
    told = [round(times.time_s(s), 3) for s in stamps]
    assert times.wild == 2
    for got, right in zip(told, [0, 0.04, 0.08, 0.12, 0.16, 0.20, 0.24, 0.28], strict=True):
        assert abs(got - right) < 0.041


def test_a_wild_first_stamp_is_overcome_within_five_frames() -> None:
    times = FrameTimes()
    told = [times.time_s(s) for s in [9800.12, *(i * 0.04 for i in range(1, 50))]]
    assert told == sorted(told)
    assert told[-1] < 2.5
    assert times.wild <= 6


def test_a_cut_in_the_film_lets_time_run_on() -> None:
    times = FrameTimes()
    told = [times.time_s(s) for s in [*(i / 25 for i in range(50)), *(1000 + i / 25 for i in range(50))]]
    assert abs(told[-1] - 99 / 25) < 0.2
    assert times.wild == 5


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6, allow_nan=False)), max_size=80))
def test_time_never_goes_back_and_never_leaps_whatever_the_stamps(stamps: list[float | None]) -> None:
    times = FrameTimes()
    told = [times.time_s(s) for s in stamps]
    assert told == sorted(told)
    assert all(b - a <= 5.001 for a, b in itertools.pairwise(told))


def film(path: Path, stamps_s: list[float], *, rate: int = 90_000) -> None:
    """A film whose stamps are exactly these; the rate in its header is nonsense."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=Fraction(rate, 1))
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for number, stamp in enumerate(stamps_s):
            frame = av.VideoFrame.from_ndarray(np.full((120, 160, 3), number % 250, dtype=np.uint8), format="bgr24")
            frame.pts, frame.time_base = round(stamp * 1000), Fraction(1, 1000)
            for packet in stream.encode(frame):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)


def test_a_phone_film_of_varying_rate_yields_times_within_a_tenth_of_a_second_of_its_frames(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    stamps = list(np.cumsum(rng.uniform(1 / 30, 1 / 12, 200)) - 0.05)
    stamps = [round(s, 3) for s in stamps]
    film(tmp_path / "phone.mkv", stamps)
    source = open_source(str(tmp_path / "phone.mkv"), mono_ms=lambda: 1_000_000, speed="fast")
    told = [f.media_ms for f in source.frames(threading.Event())]
    assert len(told) == len(stamps)
    for got, right in zip(told, stamps, strict=True):
        assert got is not None
        assert abs(got - (right - stamps[0]) * 1000) <= 100
    assert source.health.wild_stamps == 0


def test_no_frame_of_a_film_played_fast_lies_in_the_future(tmp_path: Path) -> None:
    film(tmp_path / "a.mkv", [i / 20 for i in range(100)])
    source = open_source(str(tmp_path / "a.mkv"), mono_ms=lambda: 1_000_000, speed="fast")
    moments = [f.mono_ms for f in source.frames(threading.Event())]
    assert max(moments) <= 1_000_000
    assert max(moments) - min(moments) == 4950

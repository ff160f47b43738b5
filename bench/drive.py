"""The shipped drive by its truth: vehicles found, wrong reads, reads a vehicle; every frame, and in real time.

Real time is counted in processor time of one core, not by the wall: a frame is there at its moment in the film, and a look
lasts as long as the processor worked on it. So a busy machine gives the same figures as a quiet one, and the latency of a decision
(from the moment at which its frame was there) is that of a device whose vision has one core of this kind for itself.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import chain, pairwise

import cv2
import msgspec
import numpy as np

from bench.table import percentile, render_table
from guardian.device.follow import FilmFollower, Passing
from guardian.device.gaze import EveryLook, Gaze, Looking, Manner
from guardian.device.source import Frame, open_source
from guardian.device.stage import Stages
from guardian.footage.model import Pass
from guardian.footage.shipped import demo_drive, load_truth
from guardian.vision.engine import open_engine

FRAMES_PER_S = 12


class Outcome(msgspec.Struct):
    """What a drive came to. Times are ms of processor time."""

    manner: str
    frames: int = 0
    looked_at: int = 0
    texts: list[str] = []
    latency_ms: list[float] = []
    look_ms: list[float] = []
    gaze: Gaze | None = None


def frames_of(size: tuple[int, int] | None, seconds: float) -> Iterator[Frame]:
    """The shipped film, enlarged to `size` where that is given."""
    source = open_source(str(demo_drive().video), mono_ms=lambda: 0, speed="fast")
    for frame in source.frames(threading.Event()):
        media_ms = frame.media_ms or 0
        if media_ms > seconds * 1000:
            return
        image = frame.image
        if size is not None and (image.shape[1], image.shape[0]) != size:
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
        yield Frame(image, media_ms, frame.number, media_ms=media_ms)


def play(frames: Iterator[Frame], manner: Manner, outcome: Outcome, *, real_time: bool) -> Outcome:
    """Look at the frames that a device would look at, and note what it would read and when."""
    follower, stages = FilmFollower(), Stages()
    now_ms = 0.0
    for frame, following in pairwise(chain(frames, (None,))):
        assert frame is not None  # only the last `following` is
        outcome.frames += 1
        there_ms = float(frame.media_ms or 0)
        if real_time and following is not None and float(following.media_ms or 0) <= now_ms:
            continue  # a newer one is there already
        now_ms = max(now_ms, there_ms)
        outcome.looked_at += 1
        begun = time.thread_time()
        for passings in manner.see(frame, follower, stages):
            _note(passings, outcome)
            if passings:
                outcome.latency_ms += [now_ms - there_ms + (time.thread_time() - begun) * 1000] * len(passings)
        took = (time.thread_time() - begun) * 1000
        outcome.look_ms.append(took)
        now_ms += took
    _note(follower.finish(), outcome)
    return outcome


def _note(passings: list[Passing], outcome: Outcome) -> None:
    for passing in passings:
        passing.pictures()  # they are encoded before the alarm
        outcome.texts.append(passing.result.text)


def rows_of(outcome: Outcome, truth: list[Pass]) -> list[tuple[str, str]]:
    """The figures of one drive."""
    plates = {p.plate for p in truth}
    readable = {p.plate for p in truth if p.readable_frames > 0}
    counts = Counter(outcome.texts)
    found = plates & set(counts)
    wrong = sum(n for text, n in counts.items() if text not in plates)
    again = sum(counts[p] for p in found) / max(1, len(found))
    rows = [
        ("frames looked at / filmed", f"{outcome.looked_at} / {outcome.frames}"),
        (
            "vehicles found / readable",
            f"{len(found & readable)} / {len(readable)} ({len(found & readable) / len(readable):.0%})",
        ),
        ("found though never well readable", f"{len(found - readable)}"),
        ("wrong reads", f"{wrong}"),
        ("reads per vehicle found", f"{again:.2f}"),
        ("processor time a frame looked at, mean", f"{sum(outcome.look_ms) / max(1, len(outcome.look_ms)):.0f} ms"),
    ]
    if outcome.latency_ms:
        p50, p99 = percentile(outcome.latency_ms, 0.5), percentile(outcome.latency_ms, 0.99)
        rows.append(("deciding frame → decided, p50 / p99", f"{p50:.0f} / {p99:.0f} ms"))
    if outcome.gaze is not None:
        gaze = outcome.gaze
        rows.append(("looks: whole / narrow / saved", f"{gaze.whole} / {gaze.narrow} / {gaze.still}"))
    return rows


def drive(engine: Looking, *, real_time: bool, size: tuple[int, int] | None = None, seconds: float = 60.0) -> Outcome:
    """Play the shipped drive to an engine."""
    gaze = Gaze(engine) if real_time else None
    outcome = Outcome("real time" if real_time else "every frame", gaze=gaze)
    return play(frames_of(size, seconds), gaze or EveryLook(engine), outcome, real_time=real_time)


def main() -> int:
    """Print the tables."""
    cv2.setNumThreads(1)  # so that all of the work is counted
    parser = argparse.ArgumentParser()
    parser.add_argument("--manner", choices=("real", "every", "both"), default="both")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the film")
    parser.add_argument("--full-hd", action="store_true", help="enlarge the film to 1920 × 1080")
    parser.add_argument("--engine", default="", help="in place of the device's choice")
    args = parser.parse_args()
    truth = [p for p in load_truth(demo_drive().truth) if p.first_frame < args.seconds * FRAMES_PER_S]
    size = (1920, 1080) if args.full_hd else None
    for real_time in (True, False):
        if args.manner == ("every" if real_time else "real"):
            continue
        engine = open_engine(args.engine or ("guardian-fast" if real_time else "guardian-video"), 1)
        outcome = drive(engine, real_time=real_time, size=size, seconds=args.seconds)
        print(
            render_table(
                (f"{outcome.manner}, one core, {args.engine or 'our own models'}", "seen"), rows_of(outcome, truth)
            ),
            flush=True,
        )
        print()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

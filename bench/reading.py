"""How quick our own models are, against the limits of the issue: one core a frame, two cores for crops.

    .venv/bin/python -m bench reading

A frame is 1920 x 1080 with five plates in it; the time is that of `Engine.look` as a camera's pipeline calls it, by the
processor. Crops are straightened already; two engines of one thread each read them beside one another. The peer looks at
the same frame on the same core in the same run.
"""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from bench.table import render_table
from guardian.footage.plate_art import STYLES, draw_plate
from guardian.vision.engine import Engine, StageTimes, open_engine
from guardian.vision.plate_reader import HEIGHT_PX, WIDTH_PX, PlateReader

TEXTS = {
    "BKD8869": "car-2012",
    "AXK3912": "car-2012",
    "7023WJ": "car-1992",
    "MKQ7783": "moto",
    "EPB2256": "moto-electric",
}
FRAME_MS_MAX, PLATES_A_SECOND_MIN = 60.0, 500.0


def frame_with_plates() -> np.ndarray:
    """A grey street of 1080p with five plates, 24 to 60 px high."""
    rng = np.random.default_rng(5)
    frame = np.full((1080, 1920, 3), 96, np.uint8)
    frame[540:] = 70
    frame = cv2.GaussianBlur(np.clip(frame + rng.normal(0, 12, frame.shape), 0, 255).astype(np.uint8), (0, 0), 1.2)
    for i, (text, style) in enumerate(TEXTS.items()):
        plate = draw_plate(text, STYLES[style], rng)
        height = 24 + 9 * i
        plate = cv2.resize(
            plate, (round(plate.shape[1] * height / plate.shape[0]), height), interpolation=cv2.INTER_AREA
        )
        x, y = 140 + 350 * i, 520 + 60 * i
        frame[y - 30 : y + height + 50, x - 60 : x + plate.shape[1] + 60] = (60, 44, 38)
        frame[y : y + height, x : x + plate.shape[1]] = plate
    return frame


def cpu_ms(engine: Engine, frame: np.ndarray, times: int) -> tuple[float, StageTimes, int]:
    """Median processor time of a look, the stages of the last, and how many plates it saw."""
    stages = StageTimes()
    seen = engine.look(frame, stages)
    spent = []
    for _ in range(times):
        begun = time.process_time()
        seen = engine.look(frame, stages)
        spent.append((time.process_time() - begun) * 1000)
    return statistics.median(spent), stages, len(seen)


def plate_crops() -> list[np.ndarray]:
    """16 straightened plates, soft and grainy as at some distance."""
    crops = []
    for i in range(16):
        rng = np.random.default_rng(i)
        text, style = list(TEXTS.items())[i % len(TEXTS)]
        plate = draw_plate(text, STYLES[style], rng)
        small = cv2.resize(plate, (64 + 4 * i, 24 + i), interpolation=cv2.INTER_AREA)
        crop = cv2.resize(small, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_LINEAR)
        crops.append(np.clip(crop + rng.normal(0, 6, crop.shape), 0, 255).astype(np.uint8))
    return crops


def noise_crops() -> list[np.ndarray]:
    """16 crops that say nothing: the second reader is asked about each."""
    return [np.random.default_rng(i).integers(0, 256, (HEIGHT_PX, WIDTH_PX, 3), dtype=np.uint8) for i in range(16)]


def plates_a_second(crops: list[np.ndarray], count: int = 640) -> float:
    """Crops read by two readers of one thread each, side by side, by the wall."""
    readers = [PlateReader(threads=1), PlateReader(threads=1)]

    def work(reader: PlateReader) -> None:
        for _ in range(count // 16 // 2):
            reader.read(crops)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, readers))
        begun = time.perf_counter()
        list(pool.map(work, readers))
        return count / (time.perf_counter() - begun)


def main() -> int:
    """Print the table; 1 where a limit is missed."""
    cv2.setNumThreads(1)
    frame = frame_with_plates()
    rows = []
    worst = 0.0
    for name in ("guardian-fast", "guardian-video", "guardian"):
        ms, stages, plates = cpu_ms(open_engine(name, 1), frame, 15)
        worst = ms if name == "guardian-fast" else worst
        rows.append(
            (
                f"`{name}`, one 1080p frame, {plates} plates",
                f"{ms:.0f} ms of one core (find {stages.detect_ms:.0f}, straighten {stages.rectify_ms:.1f}, "
                f"read {stages.read_ms:.1f}, judge {stages.judge_ms:.1f})",
            )
        )
    peer, _, _ = cpu_ms(open_engine("day-one", 1), frame, 3)
    rows.append(("`day-one` on the same frame and core", f"{peer:.0f} ms"))
    rate = plates_a_second(plate_crops())
    rows.append(("straightened plates read on two cores", f"{rate:.0f} a second"))
    rows.append(("the same, where nothing can be read", f"{plates_a_second(noise_crops()):.0f} a second"))
    rows.append((f"frame against {FRAME_MS_MAX:.0f} ms", f"{worst / FRAME_MS_MAX:.2f} x"))
    rows.append((f"plates against {PLATES_A_SECOND_MIN:.0f} a second", f"{rate / PLATES_A_SECOND_MIN:.2f} x"))
    print(render_table(("reading with our own models", "seen"), rows))
    return int(worst > FRAME_MS_MAX or rate < PLATES_A_SECOND_MIN)


if __name__ == "__main__":
    raise SystemExit(main())

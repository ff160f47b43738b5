"""What the browser's reader shares with Python, as JSON: tables of series and sizes, and cases that both must answer alike.

    python scripts/reader_tables.py            exit 1 if a file is not what the code says
    python scripts/reader_tables.py --write    write them

`series.json` and `finder.json` in `console/src/reader/steps` are part of the page. `console/test/reader-cases.json` holds a drawn
picture and what `guardian.vision` makes of it; the console's tests hold the page's own steps against it
(`console/test/reader-steps.test.ts`). No model has a part in the cases: what one would answer is drawn as well.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.device import gaze
from guardian.domain.read import DOUBTFUL_PROB, Corners
from guardian.domain.series import SERIES, series_of
from guardian.vision import engine, finder, judge
from guardian.vision.crop import quad_size, straighten_to
from guardian.vision.ctc import runs_of
from guardian.vision.finder import apart, peaks_of, sides_for
from guardian.vision.plate_reader import HEIGHT_PX, MARGIN, SIGNS, WIDTH_PX, seen_corners
from guardian.vision.series import UNKNOWN_PROB_MIN

ROOT = Path(__file__).resolve().parent.parent
STEPS = ROOT / "console" / "src" / "reader" / "steps"
TABLE = STEPS / "series.json"
SIZES = STEPS / "finder.json"
CASES = ROOT / "console" / "test" / "reader-cases.json"
OFF_MAX = 2
"""Steps of grey by which another build of OpenCV may differ."""

QUADS: tuple[Corners, ...] = (
    ((40, 30), (100, 30), (100, 56), (40, 56)),  # upright, enlarged
    ((30.5, 40.2), (138.7, 20.1), (141.3, 66.4), (28.9, 90.8)),  # tilted
    ((70, 10), (110, 34), (104, 80), (66, 48)),  # from the side
    ((4, 4), (156, 2), (158, 116), (2, 118)),  # shrunk by more than half
    ((-12, -8), (50, -4), (52, 24), (-10, 20)),  # beyond the edge
)
TEXTS = ("ABC1235", "AB12", "3022JM", "6E8080", "CSN063", "366TBM", "MR2771", "687WB", "SS457", "AB12356", "0480580")
NO_TEXTS = ("ABC1234", "AIC1235", "ABCD123", "A1", "12345678", "ABC12350", "HELLO", "")


Cell = tuple[float, int, int, float]
"""Of a window's map: probability, row, column, half of the plate's width in px (it is half as high as wide)."""


def drawn() -> NDArray[np.uint8]:
    """(120, 160, 3) uint8, BGR: edges, a gradient, letters and grain."""
    rng = np.random.default_rng(9)
    y, x = np.mgrid[0:120, 0:160]
    picture = np.ascontiguousarray(np.stack([60 + x, 200 - y, 90 + (x + y) // 3], axis=2).astype(np.uint8))
    cv2.rectangle(picture, (20, 25), (140, 95), (235, 235, 230), -1)
    cv2.putText(picture, "AB-12", (26, 76), cv2.FONT_HERSHEY_DUPLEX, 1.3, (20, 20, 30), 3, cv2.LINE_AA)
    return np.clip(picture + rng.normal(0, 6, picture.shape), 0, 255).astype(np.uint8)


def _b64(values: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()


def _straightened(picture: NDArray[np.uint8]) -> list[dict[str, Any]]:
    out = []
    for quad in QUADS:
        seen = seen_corners(quad)
        crop = straighten_to(picture, seen, (WIDTH_PX, HEIGHT_PX))
        grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
        out.append({"quad": quad, "seen": seen, "size": quad_size(quad), "grey": _b64(grey)})
    return out


def _views(picture: NDArray[np.uint8]) -> list[dict[str, Any]]:
    """A picture at the sizes of looks, each with the look at half of it."""
    out = []
    for at, half in (
        ((96, 128), (64, 64)),  # less than twice; half of it is a little enlarged
        ((32, 64), (32, 32)),  # twice; half of it as high as it
        ((34, 46), (17, 23)),  # thrice, and px are left over; exactly half
        ((128, 192), (64, 96)),  # enlarged; exactly half
    ):
        first = finder.View(picture, 1.0, 1.0).at(*at)
        second = first.half(*half)
        out.append(
            {
                name: {
                    "width": view.picture.shape[1],
                    "height": view.picture.shape[0],
                    "across": view.across,
                    "down": view.down,
                    "green": _b64(view.picture[:, :, 1]),
                }
                for name, view in (("at", first), ("half", second))
            }
        )
    return out


def _peaks() -> dict[str, Any]:
    rng = np.random.default_rng(4)
    rows, columns = 12, 20
    heat = cv2.GaussianBlur(rng.random((rows, columns)).astype(np.float32), (0, 0), 1.0)
    heat = (heat - heat.min()) / np.ptp(heat)
    heat[0, 0] = heat[5, 19] = 0.97  # at the rim
    offsets = np.asarray((-20, -8, 20, -8, 20, 8, -20, 8), np.float32)[:, None, None]
    plates = np.concatenate([heat[None], offsets + rng.normal(0, 1, (8, rows, columns))]).astype(np.float32)
    peaks = peaks_of(plates, 0.5)
    kept = apart([(prob, quad, 1.0) for prob, quad in peaks])
    return {
        "rows": rows,
        "columns": columns,
        "prob_min": 0.5,
        "map": _b64(plates),
        "found": _found(peaks),
        "apart": _found(kept),
    }


def _found(plates: list[tuple[float, NDArray[np.float32]]]) -> list[dict[str, Any]]:
    return [{"prob": float(prob), "quad": quad.tolist()} for prob, quad in plates]


class _Answering(finder.PlateFinder):
    """A finder whose model answers with maps that were drawn beforehand."""

    def __init__(self, maps: NDArray[np.float32]) -> None:
        self.sizes = finder.Sizes()
        self._maps = maps
        self._session = self

    def run(self, _: None, feed: dict[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        if feed["frame"].shape != (len(self._maps), 3, finder.WINDOW[1], finder.WINDOW[0]):
            raise ValueError(f"asked for {feed['frame'].shape}")
        return [self._maps]


def _window_map(*cells: Cell) -> NDArray[np.float32]:
    """(9, 24, 48): some cells with a plate's centre; all else is nothing."""
    rows, columns = finder.WINDOW[1] // finder.STRIDE_PX, finder.WINDOW[0] // finder.STRIDE_PX
    drawn_map = np.zeros((9, rows, columns), np.float32)
    for prob, row, column, half in cells:
        drawn_map[0, row, column] = prob
        drawn_map[1:, row, column] = np.asarray((-1, -0.5, 1, -0.5, 1, 0.5, -1, 0.5), np.float32) * half
    return drawn_map


def _again(picture: NDArray[np.uint8]) -> dict[str, Any]:
    """Windows around plates, and what becomes of the plates by what the windows show."""
    quads = [np.asarray(quad, np.float32) for quad in (*QUADS, ((70, 50), (73, 50), (73, 52), (70, 52)))]
    windows = [finder.window_around(picture, quad) for quad in quads]
    found = list(zip((0.9, 0.8, 0.7, 0.6, 0.5, 0.45), quads, strict=True))
    cells: list[tuple[Cell, ...]] = [
        ((0.95, 12, 24, 58),),  # seen again, surer
        ((0.4, 13, 25, 60),),  # seen again, less sure: what was surer counts
        ((0.97, 2, 4, 14), (0.21, 12, 23, 55)),  # something else is surer; the plate itself just enough
        ((0.19, 12, 24, 58),),  # not enough
        (),  # nothing
        ((0.99, 2, 4, 14),),  # only something else
    ]
    maps = [_window_map(*one) for one in cells]
    answering = _Answering(np.stack(maps))
    beyond = [(0.3 + i / 1000, np.asarray(QUADS[0], np.float32) + 500 + 90 * i) for i in reversed(range(20))]
    many = [*found, *beyond]
    more = _Answering(np.stack([*maps, *[_window_map()] * (finder.WINDOWS_MAX - len(maps))]))
    return {
        "windows": [
            {
                "quad": quad.tolist(),
                "part": [w.left, w.top, finder.WINDOW[0] / w.scale_x, finder.WINDOW[1] / w.scale_y],
                "green": _b64(w.picture[:, :, 1]),
            }
            for quad, w in zip(quads, windows, strict=True)
        ],
        "found": _found(found),
        "cells": cells,
        "seen": _found(answering._looked_again(picture, found)),
        "many": _found(many),
        "many_seen": _found(more._looked_again(picture, many)),
    }


def _runs() -> dict[str, Any]:
    rng = np.random.default_rng(6)
    logits = rng.normal(0, 1, (40, len(SIGNS) + 1))
    path = "AA_A-_-11__2335"  # a doubled letter, two dashes, a run that follows another without a blank
    for step, sign in enumerate(path):
        logits[2 * step : 2 * step + 2, 0 if sign == "_" else SIGNS.index(sign) + 1] += 5
    logits[2 * len(path) :, 0] += 5
    probs = np.exp(logits)
    probs = (probs / probs.sum(axis=1, keepdims=True)).astype(np.float32)
    signs = [
        {"sign": SIGNS[index - 1], "prob": float(probs[surest, index]), "place": (start + end) / 2 / 40}
        for index, start, end, surest in runs_of(probs)
    ]
    return {"probs": _b64(probs), "signs": signs}


def table() -> dict[str, Any]:
    """Patterns use nothing that JavaScript spells differently."""
    return {
        "doubtful_prob": DOUBTFUL_PROB,
        "unknown_prob_min": UNKNOWN_PROB_MIN,
        "plate_prob_sure": judge.PLATE_PROB_SURE,
        "unsure_prob_min": judge.UNSURE_PROB_MIN,
        "series": [{"id": s.id, "pattern": s.pattern, "dash_after": s.dash_after} for s in SERIES],
    }


def _manner(sizes: finder.Sizes) -> dict[str, Any]:
    if not sizes.windows:
        raise ValueError("the page always looks again")
    return {
        "side_max_px": sizes.side_max_px,
        "side_min_px": sizes.side_min_px,
        "halves": sizes.halves,
        "far_px": sizes.far_px,
        "prob_min": sizes.prob_min,
    }


def sizes() -> dict[str, Any]:
    """How the finder and the reader see, and what the page saves where nothing moves."""
    by_engine = engine.own_sizes()
    return {
        "moving": _manner(by_engine["guardian-fast"]),
        "still": _manner(by_engine["guardian"]),
        "stride_px": finder.STRIDE_PX,
        "side_step_px": finder.SIDE_STEP_PX,
        "plates_max": finder.PLATES_MAX,
        "rest_min": finder.REST_MIN,
        "same_place_share": finder.SAME_PLACE_SHARE,
        "window": {
            "width": finder.WINDOW[0],
            "height": finder.WINDOW[1],
            "plate_px": finder.WINDOW_PLATE_PX,
            "share": finder.WINDOW_SHARE,
            "prob_min": finder.WINDOW_PROB_MIN,
            "most": finder.WINDOWS_MAX,
            "unseen_share": finder.UNSEEN_SHARE,
        },
        "ground": {"side_max_px": engine.CUT_OUT_SIDE_MAX_PX, "share": engine.CROP_MARGIN},
        "crop": {"width": WIDTH_PX, "height": HEIGHT_PX, "margin": MARGIN},
        "shape": {
            "height_min_px": judge.TEXT_HEIGHT_MIN_PX,
            "aspect_min": judge.PLATE_ASPECT_MIN,
            "aspect_max": judge.ASPECT_MAX,
        },
        "standing": {
            "cell_px": gaze.STILL_CELL_PX,
            "change_max": gaze.STILL_CHANGE_MAX,
            "ms": gaze.STILL_MS,
        },
    }


def cases() -> dict[str, Any]:
    """A picture, and what Python makes of it."""
    picture = drawn()
    height, width = picture.shape[:2]
    shapes = [(1920, 1080), (1280, 720), (640, 480), (480, 640), (4000, 3000), (100, 60), (333, 1000), (1684, 949)]
    resized = []
    for w, h in ((64, 32), (96, 96), (160, 96), (192, 128), (192, 96)):
        method = cv2.INTER_AREA if h < height else cv2.INTER_LINEAR
        small = cv2.resize(picture, (w, h), interpolation=method)
        resized.append({"width": w, "height": h, "green": _b64(small[:, :, 1])})
    return {
        "picture": {"width": width, "height": height, "rgb": _b64(picture[:, :, ::-1])},
        "resized": resized,
        "views": _views(picture),
        "straightened": _straightened(picture),
        "sides": [
            {"of": [w, h], "longest": side, "are": list(reversed(sides_for(h, w, side)))}
            for w, h in shapes
            for side in (208, 416, 832, 1280)
        ],
        "peaks": _peaks(),
        "again": _again(picture),
        "runs": _runs(),
        "series": [{"text": t, "ids": [s.id for s in series_of(t)]} for t in (*TEXTS, *NO_TEXTS)],
    }


def text_of(value: dict[str, Any]) -> str:
    """As it is written: one key a line, so that a change can be seen."""
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def differs(there: Any, here: Any) -> bool:
    """Whether two cases say something else; pictures in Base64 by more than `OFF_MAX`, figures beyond rounding."""
    if isinstance(here, dict):
        return (
            not isinstance(there, dict) or there.keys() != here.keys() or any(differs(there[k], here[k]) for k in here)
        )
    if isinstance(here, list | tuple):
        return len(there) != len(here) or any(differs(a, b) for a, b in zip(there, here, strict=True))
    if isinstance(here, str) and len(here) > 200:
        a, b = (np.frombuffer(base64.b64decode(text), np.uint8).astype(int) for text in (there, here))
        return a.shape != b.shape or int(np.abs(a - b).max()) > OFF_MAX
    if isinstance(here, float):
        return abs(there - here) > 1e-4
    return bool(there != here)


def stale() -> list[str]:
    """Names of files that are not what the code says."""
    made = {TABLE: table(), SIZES: sizes(), CASES: cases()}
    return [
        path.name
        for path, value in made.items()
        if not path.exists() or differs(json.loads(path.read_text(encoding="utf-8")), json.loads(text_of(value)))
    ]


def main() -> int:
    """Write or compare."""
    if "--write" in sys.argv:
        TABLE.write_text(text_of(table()), encoding="utf-8")
        SIZES.write_text(text_of(sizes()), encoding="utf-8")
        CASES.write_text(text_of(cases()), encoding="utf-8")
    old = stale()
    for name in old:
        print(f"{name} is not what guardian says: run scripts/reader_tables.py --write")
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main())

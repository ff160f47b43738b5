"""Corners for plates whose labels have none, or only rough ones: our own finder says where the plate's are.

The product's reader sees plates straightened by the finder, so that is what it should learn from. A loose crop gets the room
around it that the finder wants; what it does not find, or finds somewhere else, stays as it was labelled.

The finder itself does not learn from loose crops: its own corners there, even where our reader reads the label from within
them, are wrong by more than it errs on plates whose corners are labelled, and looking again at the plate set upright makes
them wander instead of settling.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from functools import cache
from typing import Any

import cv2
import msgspec
import numpy as np

from guardian.evaluation.geometry import iou
from guardian.vision.engine import CROP_MARGIN, with_ground
from guardian.vision.finder import PlateFinder, Sizes
from guardian.vision.weights import listed
from train.reader import Sample

PROB_MIN = 0.35
IOU_MIN = 0.4
"""A loose crop is the upright box around a plate: a tilted plate fills half of it."""


def finder_version() -> str:
    """SHA-256 of the finder that straightens; empty where there is none. It belongs to a run's settings."""
    try:
        return listed()["detector"].sha256
    except Exception:
        return ""


def straight(samples: Sequence[Sample], workers: int = 0) -> tuple[list[Sample], int]:
    """The samples, with the finder's corners where its own are not exact; and how many got them."""
    if workers > 1:
        with multiprocessing.get_context("fork").Pool(workers, _bounded) as pool:
            found = pool.map(_better, samples, chunksize=8)
    else:
        found = [_better(sample) for sample in samples]
    return [b or s for b, s in zip(found, samples, strict=True)], sum(b is not None for b in found)


def _bounded() -> None:
    cv2.setNumThreads(1)


@cache
def _finder() -> PlateFinder:
    return PlateFinder(sizes=Sizes(side_max_px=320, side_min_px=192, prob_min=PROB_MIN))


def _better(sample: Sample) -> Sample | None:
    return None if sample.exact else _found(_finder(), sample)


def _found(finder: PlateFinder, sample: Sample) -> Sample | None:
    picture, room = with_ground(np.asarray(sample.picture, np.uint8), CROP_MARGIN)
    labelled = tuple((float(x), float(y)) for x, y in sample.corners + room)
    best: Any = None
    for found in finder.detect(picture):
        share = iou(found.corners, labelled)  # type: ignore[arg-type]
        if share >= IOU_MIN and (best is None or share > best[0]):
            best = (share, found.corners)
    if best is None:
        return None
    return msgspec.structs.replace(sample, corners=np.asarray(best[1], np.float32) - room, exact=True)

"""A large picture in which nothing, or only something very small, is seen is looked at once more, larger."""

from __future__ import annotations

import numpy as np
import pytest

from guardian.vision.finder import PlateFinder, Sizes, View


class _Looked(PlateFinder):
    """Notes at which sides it looked; says that it sees one plate so high in the frame, or none."""

    def __init__(self, plate_px: float | None, sizes: Sizes) -> None:
        self.sizes = sizes
        self.plate_px = plate_px
        self.asked: list[int] = []

    def _look(self, view: View) -> list[tuple[float, np.ndarray]]:
        assert all(side % 32 == 0 for side in view.picture.shape[:2])
        self.asked.append(max(view.picture.shape[:2]))
        if self.plate_px is None:
            return []
        tall = self.plate_px
        quad = [(100, 100), (100 + 3 * tall, 100), (100 + 3 * tall, 100 + tall), (100, 100 + tall)]
        return [(0.9, np.asarray(quad, np.float32))]


@pytest.mark.parametrize(
    ("side", "plate_px", "asked"),
    [
        (1000, None, [992, 512]),
        (1280, None, [1280, 640]),
        (1600, None, [1280, 640, 1600]),
        (4000, None, [1280, 640, 2560]),
        (4000, 20.0, [1280, 640, 2560]),
        (4000, 60.0, [1280, 640]),
        (1600, 14.0, [1280, 640]),
    ],
)
def test_the_far_look(side: int, plate_px: float | None, asked: list[int]) -> None:
    finder = _Looked(plate_px, Sizes(side_max_px=1280, halves=1, far_px=10.0, windows=False))
    finder.detect(np.zeros((side // 2, side, 3), np.uint8))
    assert finder.asked == asked


def test_without_it_nothing_is_looked_at_again() -> None:
    finder = _Looked(None, Sizes(side_max_px=832, windows=False))
    finder.detect(np.zeros((1080, 1920, 3), np.uint8))
    assert finder.asked == [832]

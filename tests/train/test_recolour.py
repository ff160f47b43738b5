"""Real plates in other colours: only the plate changes, what stood on it stays readable, the light on it stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.real("torch")


def _plate(light: int = 230) -> np.ndarray:
    picture = np.full((80, 160, 3), 90, np.uint8)
    picture[20:60, 30:130] = light
    picture[30:50, 50:60] = picture[30:50, 80:90] = light // 6
    return picture


QUAD = np.asarray([(30, 20), (129, 20), (129, 59), (30, 59)], np.float32)


@given(st.integers(0, 10_000), st.integers(60, 255))
def test_only_the_plate_changes_and_its_signs_stay_apart(seed: int, light: int) -> None:
    import cv2

    from train.recolour import recoloured

    before = _plate(light)
    kept = before.copy()
    after = recoloured(np.random.default_rng(seed), before, QUAD)
    assert (before == kept).all(), "the picture that was given is left as it was"
    outside = np.ones((80, 160), bool)
    outside[19:61, 29:131] = False
    assert (after[outside] == before[outside]).all()
    changed = (after[20:60, 30:130] != before[20:60, 30:130]).any()
    if light - light // 6 < 60:
        return
    assert changed
    ink, face = after[31:49, 51:59].reshape(-1, 3).mean(axis=0), after[22:28, 35:125].reshape(-1, 3).mean(axis=0)
    assert np.abs(ink - face).max() > 0.25 * light
    assert cv2.cvtColor(after, cv2.COLOR_BGR2GRAY).max() <= 255


def test_over_many_plates_every_colour_stands_and_some_have_light_signs() -> None:
    from train.recolour import COLOURS, recoloured

    faces = []
    lighter = 0
    for seed in range(120):
        after = recoloured(np.random.default_rng(seed), _plate(), QUAD).astype(float)
        face, ink = after[22:28, 35:125].mean(axis=(0, 1)), after[31:49, 51:59].mean(axis=(0, 1))
        faces.append(face)
        lighter += ink.sum() > face.sum()
    wanted = sum(share for colour, ink, share in COLOURS if sum(ink) > sum(colour)) / sum(s for _, _, s in COLOURS)
    assert abs(lighter / 120 - wanted) < 0.15
    red = [f for f in faces if f[2] > 1.8 * max(f[0], f[1])]
    yellow = [f for f in faces if min(f[1], f[2]) > 1.8 * f[0]]
    assert len(red) > 20 and len(yellow) > 5


def test_a_plate_without_contrast_or_without_room_is_left_alone() -> None:
    from train.recolour import recoloured

    flat = np.full((40, 80, 3), 120, np.uint8)
    assert (recoloured(np.random.default_rng(1), flat) == flat).all()
    away = QUAD + 500
    assert (recoloured(np.random.default_rng(1), _plate(), away) == _plate()).all()

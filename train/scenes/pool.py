"""Art that many scenes share: plates and look-alikes are drawn once and shown often.

Drawing a plate takes longer than showing it. What is drawn depends on its number alone; which numbers a scene may take
depends on its `era`: the window of numbers moves on as training does.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from train.plates import RenderedPlate, draw_plate
from train.plates.lookalikes import lookalike
from train.scenes.model import Picture, Rng

_PLATES, _OTHERS = 160, 360
"""How many plates of each vehicle, and how many look-alikes, are open to a scene at a time."""


@lru_cache(maxsize=900)
def _plate(vehicle: str, number: int) -> RenderedPlate:
    return draw_plate(np.random.default_rng((907, number, len(vehicle))), vehicle=vehicle)


@lru_cache(maxsize=500)
def _other(number: int) -> tuple[Picture, str]:
    art, kind = lookalike(np.random.default_rng((911, number)))
    return np.asarray(art), kind


def plate_for(rng: Rng, vehicle: str, era: int = 0) -> RenderedPlate:
    """A plate as such a vehicle carries it."""
    return _plate(vehicle, era * 2 + int(rng.integers(_PLATES)))


def other_for(rng: Rng, era: int = 0) -> tuple[Picture, str]:
    """Something that is no plate, and its kind."""
    art, kind = _other(era * 2 + int(rng.integers(_OTHERS)))
    return art, kind


@lru_cache(maxsize=160)
def _decal(kind: str, number: int) -> Picture:
    return np.asarray(lookalike(np.random.default_rng((919, number, len(kind))), kind=kind)[0])


def decal_for(rng: Rng, *kinds: str) -> Picture:
    """A look-alike of one of these kinds, as vehicles carry them."""
    return _decal(kinds[int(rng.integers(len(kinds)))], int(rng.integers(16)))

"""Empty streets to put vehicles into: houses, signs and road of `guardian.footage`, by day, dusk and night."""

from __future__ import annotations

import math
from functools import lru_cache

import msgspec
import numpy as np

from guardian.footage.camera import Camera
from guardian.footage.light import RIGS, Light
from guardian.footage.path import Crossing, Way
from guardian.footage.street import Street
from train.scenes.model import Picture, Rng

WIDTH, HEIGHT = 1280, 720
_STREETS, _VIEWS = 6, 8
_LIGHTS = (Light.DAY, Light.DAY, Light.DUSK, Light.DAY, Light.NIGHT, Light.DAY)


class Backdrop(msgspec.Struct, frozen=True):
    """An empty street. A thing that stands `z` metres ahead is `focal_px / z` px a metre, and the ground there lies
    `height_m` times that below the horizon."""

    picture: Picture
    horizon_px: float
    focal_px: float
    height_m: float
    light: str

    def ground_px(self, ahead_m: float) -> float:
        """Row of the ground at a distance."""
        return self.horizon_px + self.focal_px * self.height_m / ahead_m


@lru_cache(maxsize=_STREETS)
def _street(number: int) -> tuple[Street, Light]:
    light = _LIGHTS[number % len(_LIGHTS)]
    rng = np.random.default_rng((941, number))
    way = Way([(121.5, 25.0), (121.5, 25.002)], ["x"])
    crossings = [Crossing(float(rng.uniform(50, 150)), 12.0, "y", True)]
    return Street(way, crossings, RIGS[light], rng, end_m=150.0, rain=number % 4 == 3, variety=9), light


@lru_cache(maxsize=_STREETS * _VIEWS)
def _backdrop(number: int) -> Backdrop:
    street, light = _street(number // _VIEWS)
    rng = np.random.default_rng((947, number))
    s = float(rng.uniform(0, 140))
    focal = float(rng.uniform(0.75, 1.5)) * WIDTH
    spot = street.way.world(s, float(rng.uniform(-0.6, 1.2)))
    high = float(rng.uniform(1.1, 1.6))
    pitch = float(rng.normal(-0.03, 0.04))
    angle = street.way.angle(s) + float(rng.normal(0, 0.06))
    camera = Camera(WIDTH, HEIGHT, focal, float(spot[0]), float(spot[1]), high, angle, pitch, 0.0)
    frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    street.draw_sky(frame, camera)
    street.draw_ground(frame, camera, s, {})
    street.draw_houses(frame, camera, s)
    glare: list[tuple[float, float, float, tuple[float, float, float]]] = []
    for _, kind, thing in sorted(street.furniture(s), key=lambda item: -item[0]):
        street.draw_furniture(frame, camera, kind, thing, {}, glare)
    name = {Light.DAY: "day", Light.DUSK: "dusk", Light.NIGHT: "dark"}[light]
    return Backdrop(frame, camera.cy + focal * math.tan(pitch), focal, high, name)


def backdrop_for(rng: Rng) -> Backdrop:
    """One of the kept streets."""
    return _backdrop(int(rng.integers(_STREETS * _VIEWS)))

"""Day, dusk and night: how bright things are, what shines of itself, what the sky looks like.

Figures were set by eye against real frames of car cameras; they are no photometry.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Light(StrEnum):
    """Time of day of a drive."""

    DAY = "day"
    DUSK = "dusk"
    NIGHT = "night"


BGR = tuple[float, float, float]


class LightRig(msgspec.Struct, frozen=True):
    """Factors on surfaces (1 is as painted) and colours of the sky, BGR 0-255."""

    ambient: BGR
    sun: BGR
    sun_from: tuple[float, float, float]
    wall: BGR
    glow: float  # how much of their own light signs and windows add
    lit_window_prob: float
    lamps: bool
    headlight: float  # of the camera's own car
    zenith: BGR
    horizon: BGR
    road: BGR
    shadow: float  # darkness under vehicles
    noise: float
    exposure_s: float
    bloom: float


RIGS: dict[Light, LightRig] = {
    Light.DAY: LightRig(
        ambient=(0.62, 0.60, 0.58), sun=(0.50, 0.53, 0.56), sun_from=(0.45, -0.35, 0.82), wall=(0.93, 0.94, 0.95),
        glow=0.0, lit_window_prob=0.0, lamps=False, headlight=0.0, zenith=(214, 190, 168), horizon=(238, 234, 228),
        road=(106, 105, 104), shadow=0.62, noise=2.2, exposure_s=1 / 240, bloom=0.10,
    ),
    Light.DUSK: LightRig(
        ambient=(0.47, 0.41, 0.39), sun=(0.06, 0.10, 0.17), sun_from=(-0.8, 0.3, 0.35), wall=(0.52, 0.46, 0.45),
        glow=0.75, lit_window_prob=0.30, lamps=True, headlight=0.30, zenith=(126, 84, 60), horizon=(140, 164, 226),
        road=(70, 64, 62), shadow=0.45, noise=3.4, exposure_s=1 / 140, bloom=0.38,
    ),
    Light.NIGHT: LightRig(
        ambient=(0.17, 0.16, 0.155), sun=(0.0, 0.0, 0.0), sun_from=(0.0, 0.0, 1.0), wall=(0.15, 0.16, 0.175),
        glow=0.92, lit_window_prob=0.42, lamps=True, headlight=0.78, zenith=(30, 22, 18), horizon=(58, 50, 52),
        road=(46, 46, 48), shadow=0.40, noise=5.0, exposure_s=1 / 90, bloom=0.60,
    ),
}  # fmt: skip

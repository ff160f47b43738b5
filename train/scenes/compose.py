"""One scene from ground to file: which arrangement, on what ground, in what light, through what camera."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from train.scenes import layouts, weather
from train.scenes.canvas import Canvas
from train.scenes.ground import Ground, plain_ground, plateless_part, real_canvas, size_for, street_ground
from train.scenes.model import GroundView, Rng, Scene
from train.scenes.place import put_others

_LAYOUTS = {"close-up": 0.22, "traffic": 0.26, "parked": 0.18, "rank": 0.18, "trailer": 0.05, "nothing": 0.11}
"""Shares of the arrangements on drawn ground."""
_REAL = 0.3
"""Share of scenes that are real pictures with other plates, where there are any."""


def _ground(rng: Rng, views: Sequence[GroundView], size: tuple[int, int], layout: str) -> Ground:
    if views and rng.random() < 0.45:
        found = plateless_part(rng, views, size)
        if found is not None:
            return found
    street = 0.85 if layout in ("traffic", "parked", "nothing") else 0.2 if layout == "close-up" else 0.4
    return street_ground(rng, size) if rng.random() < street else plain_ground(rng, size)


def draw_scene(
    rng: Rng, views: Sequence[GroundView] | None = None, *, layout: str | None = None, plates: bool = True, era: int = 0
) -> Scene:
    """Render one picture with plates.

    Args:
        rng: the only source of chance.
        views: real pictures, with their plates, that lend their ground; rendered ground alone where None or empty.
        layout: one of `close-up`, `traffic`, `parked`, `rank`, `trailer`, `nothing`, and `real` (needs views); drawn
            where None.
        plates: False draws the same scene with bare ground where each plate would be: to see what plates add.
        era: moves the windows of kept plates and look-alikes on, so that a long training sees new ones.

    Raises:
        KeyError: no such layout.
    """
    real = list(views) if views else []
    u = rng.random()
    if layout is None:
        if real and u < _REAL:
            layout = "real"
        else:
            names, shares = list(_LAYOUTS), np.asarray(list(_LAYOUTS.values()))
            layout = names[int(rng.choice(len(names), p=shares / shares.sum()))]
    size = size_for(rng)
    wet = float(rng.uniform(0.12, 0.4)) if rng.random() < 0.14 else 0.0
    if layout == "real":
        canvas, ground = real_canvas(rng, real, size, era, plates=plates)
        put_others(rng, canvas, int(rng.integers(0, 3)), ground.gain, era, tall=(7.0, 40.0))
    else:
        ground = _ground(rng, real, size, layout)
        canvas = Canvas(ground.picture, bare=not plates)
        put_others(rng, canvas, int(rng.integers(0, 6)), ground.gain, era)
        match layout:
            case "close-up":
                layouts.close_up(rng, canvas, ground, era)
            case "traffic":
                layouts.traffic(rng, canvas, ground, era, wet)
            case "parked":
                layouts.parked_row(rng, canvas, ground, era, wet)
            case "rank":
                layouts.rank(rng, canvas, ground, era, wet)
            case "trailer":
                layouts.trailer(rng, canvas, ground, era)
            case "nothing":
                canvas.bare = True  # vehicles without plates: empty recesses, lamps, grilles, badges
                if rng.random() < 0.65:
                    arrangements = (
                        layouts.close_up,
                        layouts.close_up,
                        layouts.traffic,
                        layouts.parked_row,
                        layouts.rank,
                    )
                    arrangements[int(rng.integers(5))](rng, canvas, ground, era)
                put_others(rng, canvas, int(rng.integers(1, 10)), ground.gain, era, tall=(8.0, 160.0))
            case _:
                raise KeyError(layout)
        if rng.random() < 0.1:
            put_others(rng, canvas, 1, ground.gain, era, tall=(20.0, 160.0))  # in front: it may hide a plate
    return _finish(rng, canvas, ground, layout, wet > 0)


def _finish(rng: Rng, canvas: Canvas, ground: Ground, layout: str, wet: bool) -> Scene:
    light = ground.light
    u = rng.random(6)
    picture: Any = canvas.picture
    if light == "dark":
        picture = weather.night(rng, canvas, float(rng.uniform(0.75, 1.1)))
    elif u[0] < 0.12:
        picture, light = weather.night(rng, canvas, float(rng.uniform(0.2, 0.6))), "dark"
    elif u[0] < 0.15:
        picture, light = weather.infra_red(rng, canvas), "infrared"
    elif u[1] < 0.3 and light == "day":
        picture = weather.sun_and_shade(rng, picture)
    if layout != "real" and light in ("day", "dusk"):
        picture = weather.exposed(rng, canvas, picture, float(rng.uniform(0.4, 1.0)) if light == "day" else 0.4)
    elif light in ("dark", "infrared") and u[5] < 0.5:
        picture = weather.exposed(rng, canvas, picture, float(rng.uniform(0.1, 0.4)))
    if u[2] < 0.28:
        picture = weather.dashcam(rng, picture)
    if wet or u[3] < 0.06:
        picture = weather.rain(rng, picture)
    if u[4] < 0.22:
        picture = np.ascontiguousarray(picture)
        weather.stamp(rng, picture, canvas)
    picture = weather.through_lens(rng, picture, light in ("dark", "infrared"))
    shown, hidden = canvas.truth()
    boxes = canvas.boxes()
    return Scene(
        picture=picture,
        corners=np.asarray([m.quad for m in shown], np.float32).reshape(-1, 4, 2),
        texts=tuple(m.text for m in shown),
        vehicles=tuple(m.vehicle for m in shown),
        hidden=np.asarray([m.quad for m in hidden], np.float32).reshape(-1, 4, 2),
        vehicle_boxes=np.asarray([b for b, _, _ in boxes], np.float32).reshape(-1, 4),
        vehicle_kinds=tuple(k for _, k, _ in boxes),
        vehicle_looks=tuple(look for _, _, look in boxes),
        complete=ground.complete,
        light=light,
        layout=layout,
    )

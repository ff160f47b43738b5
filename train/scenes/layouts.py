"""Arrangements of vehicles: one close up, traffic ahead, rows of parked cars from the side, ranks of scooters, a trailer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from guardian.footage.vehicles import Body
from train.scenes.canvas import Canvas
from train.scenes.cards import card_for
from train.scenes.ground import Ground
from train.scenes.model import Rng
from train.scenes.place import plane, put_card, put_sprite
from train.scenes.sprites import sprite_for

_CARS = (Body.SEDAN, Body.SEDAN, Body.HATCH, Body.SUV, Body.SUV, Body.VAN, Body.TAXI, Body.TRUCK, Body.BUS)


def _gain(rng: Rng, ground: Ground) -> Any:
    return ground.gain * rng.uniform(0.8, 1.12)


def _body(rng: Rng) -> Body:
    return _CARS[int(rng.integers(len(_CARS)))]


def close_up(rng: Rng, canvas: Canvas, ground: Ground, era: int) -> None:
    """One vehicle's end so near that it fills much of the picture."""
    sort = ("rear", "rear", "front", "scooter", "scooter", "tailboard")[int(rng.integers(6))]
    card = card_for(rng, sort)
    share = float(np.exp(rng.uniform(math.log(0.12), math.log(0.58))))
    plate_cm = 26.0 if card.kind == "motorcycle" else 38.0
    px = canvas.width * share / plate_cm
    at = (canvas.width * rng.uniform(0.2, 0.8), canvas.height * rng.uniform(0.25, 0.8))
    yaw = float(rng.normal(0, 10 if sort != "scooter" else 18))
    matrix = plane(px, card.plate_cm, at, yaw, float(rng.normal(-5, 7)), float(rng.normal(0, 3)), canvas.width * 1.1)
    put_card(rng, canvas, card, matrix, _gain(rng, ground), era)


def _stand_card(
    rng: Rng, canvas: Canvas, ground: Ground, sort: str, ahead: float, aside: float, era: int, wet: float
) -> None:
    card = card_for(rng, sort)
    px = ground.focal_px / ahead / 100
    foot = (canvas.width / 2 + aside * ground.focal_px / ahead, ground.foot_px(ahead))
    yaw = math.degrees(math.atan2(-aside, ahead)) * 0.7 + float(rng.normal(0, 4))
    anchor = (card.width_cm / 2, card.height_cm)
    matrix = plane(px, anchor, foot, float(np.clip(yaw, -28, 28)), 0.0, float(rng.normal(0, 1.0)), ground.focal_px)
    put_card(rng, canvas, card, matrix, _gain(rng, ground), era, wet=wet)


def _stand_sprite(
    rng: Rng,
    canvas: Canvas,
    ground: Ground,
    body: Body,
    ahead: float,
    aside: float,
    turn: float,
    era: int,
    wet: float,
    *,
    rider: bool | None = None,
) -> None:
    foot = (canvas.width / 2 + aside * ground.focal_px / ahead, ground.foot_px(ahead))
    px = ground.focal_px / ahead
    put_sprite(rng, canvas, sprite_for(rng, body, turn, px, rider=rider), foot, px, _gain(rng, ground), era, wet=wet)


def traffic(rng: Rng, canvas: Canvas, ground: Ground, era: int, wet: float = 0.0) -> None:
    """Vehicles ahead and coming, near ones before far ones."""
    places = [(float(rng.uniform(4, 14)), float(rng.normal(0, 0.8)))]
    for _ in range(int(rng.integers(1, 8))):
        ahead = float(np.exp(rng.uniform(math.log(3.0), math.log(34))))
        places.append((ahead, float(rng.choice((-6.2, -3.1, 0.0, 0.0, 2.9, 5.2)) + rng.normal(0, 0.5))))
    for ahead, aside in sorted(places, reverse=True):
        coming = aside < -1.6
        seen = math.degrees(math.atan2(aside, ahead))
        u = rng.random()
        if u < 0.3:
            sort = "scooter" if not coming and rng.random() < 0.4 else "front" if coming else "rear"
            _stand_card(rng, canvas, ground, sort, ahead, aside, era, wet)
        else:
            body = Body.SCOOTER if u > 0.8 else _body(rng)
            turn = (180.0 if coming else 0.0) - seen + float(rng.normal(0, 7))
            _stand_sprite(rng, canvas, ground, body, ahead, aside, turn, era, wet)


def parked_row(rng: Rng, canvas: Canvas, ground: Ground, era: int, wet: float = 0.0) -> None:
    """Cars along the kerb, seen steeply as one drives by: nose to tail, or nose in side by side."""
    side = 1.0 if rng.random() < 0.6 else -1.0
    nose_in = rng.random() < 0.5
    step = float(rng.uniform(2.3, 2.9) if nose_in else rng.uniform(5.0, 6.4))
    aside = side * float(rng.uniform(1.0, 3.6))
    first = float(rng.uniform(2.2, 5.0))
    base = float(rng.uniform(40, 95)) * side if nose_in else float(rng.normal(0, 3))
    fronts = rng.random() < 0.4
    for k in reversed(range(int(rng.integers(3, 8)))):
        ahead = first + k * step + float(rng.normal(0, 0.15))
        seen = math.degrees(math.atan2(aside, ahead))
        turn = (180.0 if fronts ^ (rng.random() < 0.1) else 0.0) + base - seen
        turn = (turn + 180) % 360 - 180
        body = _body(rng) if rng.random() < 0.8 else Body.SEDAN
        if body is Body.BUS:
            body = Body.VAN
        _stand_sprite(rng, canvas, ground, body, ahead, aside, turn, era, wet)


def rank(rng: Rng, canvas: Canvas, ground: Ground, era: int, wet: float = 0.0) -> None:
    """Scooters side by side, tails to us, often one before the other; seen from across or along the rank."""
    ahead = float(np.exp(rng.uniform(math.log(1.6), math.log(8.0))))
    slope = float(rng.normal(0, 0.5))
    gap = float(rng.uniform(0.5, 0.85))
    yaw = math.degrees(math.atan(slope)) + float(rng.normal(0, 8))
    count = int(rng.integers(3, 11))
    places = [((k - count / 2) * gap + float(rng.normal(0, 0.06)), k) for k in range(count)]
    stood = []
    for x, _ in places:
        z = ahead + x * slope + float(rng.normal(0, 0.12))
        if z > 0.9:
            stood.append((z, x))
    if rng.random() < 0.4:  # a second rank behind
        stood += [(z + float(rng.uniform(2.2, 3.0)), x * 1.2) for z, x in stood]
    for z, x in sorted(stood, reverse=True):
        if rng.random() < 0.75:
            card = card_for(rng, "scooter")
            px = ground.focal_px / z / 100
            foot = (canvas.width / 2 + x * ground.focal_px / z, ground.foot_px(z))
            turn = float(np.clip(yaw + rng.normal(0, 9), -40, 40))
            matrix = plane(
                px, (card.width_cm / 2, card.height_cm), foot, turn, 0.0, float(rng.normal(3, 3)), ground.focal_px
            )
            put_card(rng, canvas, card, matrix, _gain(rng, ground), era, wet=wet)
        else:
            _stand_sprite(
                rng, canvas, ground, Body.SCOOTER, z, x, yaw + float(rng.normal(0, 12)), era, wet, rider=False
            )


def trailer(rng: Rng, canvas: Canvas, ground: Ground, era: int) -> None:
    """A trailer with two plates side by side."""
    card = card_for(rng, "tailboard")
    px = canvas.width * float(np.exp(rng.uniform(math.log(0.06), math.log(0.3)))) / 38
    at = (canvas.width * rng.uniform(0.3, 0.7), canvas.height * rng.uniform(0.4, 0.8))
    matrix = plane(
        px,
        card.plate_cm,
        at,
        float(rng.normal(0, 12)),
        float(rng.normal(-2, 4)),
        float(rng.normal(0, 2)),
        canvas.width * 1.1,
    )
    put_card(rng, canvas, card, matrix, _gain(rng, ground), era, two=True, plates=1.0)

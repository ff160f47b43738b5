"""Putting vehicles and their plates onto a canvas: where, how large, in what light, and what of it is told."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from train.scenes.canvas import Canvas
from train.scenes.cards import Card
from train.scenes.model import Picture, Quad, Rng
from train.scenes.pool import decal_for, other_for, plate_for
from train.scenes.sprites import Sprite

Matrix = NDArray[Any]


@lru_cache(maxsize=8)
def _soft_box(share: int) -> Picture:
    """A black box with soft edges, as art: contact shadows and the rims of holders."""
    out = np.zeros((64, 128, 4), np.uint8)
    alpha = np.zeros((64, 128), np.float32)
    alpha[14:50, 20:108] = 1
    out[..., 3] = cv2.GaussianBlur(alpha, (0, 0), 7) * share * 2.55
    return out


def through(matrix: Matrix, points: Any) -> Quad:
    """Points (n, 2) through a homography."""
    flat = np.asarray(points, np.float64).reshape(1, -1, 2)
    return np.asarray(cv2.perspectiveTransform(flat, np.asarray(matrix, np.float64))[0], np.float32)


def corners_of(width: float, height: float, middle: tuple[float, float] = (0.0, 0.0), degrees: float = 0.0) -> Matrix:
    """A rectangle about a middle, turned."""
    w, h = width / 2, height / 2
    quad = np.asarray([(-w, -h), (w, -h), (w, h), (-w, h)])
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.asarray(quad @ np.asarray(((c, s), (-s, c))) + middle)


def plane(
    px_per_cm: float, anchor_cm: Any, at_px: Any, yaw: float, pitch: float, roll: float, focal_px: float
) -> Matrix:
    """Homography from centimetres on an upright plane to px: turned by yaw, pitch and roll (degrees) about an anchor
    that is seen at a place in the picture, `px_per_cm` large there."""
    y, p, r = (math.radians(v) for v in (yaw, pitch, roll))
    turn_y = np.asarray(((math.cos(y), 0, math.sin(y)), (0, 1, 0), (-math.sin(y), 0, math.cos(y))))
    turn_p = np.asarray(((1, 0, 0), (0, math.cos(p), -math.sin(p)), (0, math.sin(p), math.cos(p))))
    turn_r = np.asarray(((math.cos(r), -math.sin(r), 0), (math.sin(r), math.cos(r), 0), (0, 0, 1)))
    turn = turn_r @ turn_p @ turn_y
    away = focal_px / px_per_cm
    lens = np.asarray(((focal_px, 0, 0), (0, focal_px, 0), (0, 0, 1)))
    to = lens @ np.column_stack((turn[:, 0], turn[:, 1], (0, 0, away)))
    back = np.asarray(((1, 0, -anchor_cm[0]), (0, 1, -anchor_cm[1]), (0, 0, 1)))
    out = np.asarray(((1, 0, at_px[0]), (0, 1, at_px[1]), (0, 0, 1))) @ to @ back
    return np.asarray(out / out[2, 2])


def put_plate(
    rng: Rng, canvas: Canvas, matrix: Matrix, middle: tuple[float, float], kind: str, gain: Any, era: int,
    *, unit_cm: float = 1.0, mount: bool = True,
) -> None:  # fmt: skip
    """A plate on a plane.

    Args:
        matrix: homography from the plane to px.
        middle: of the plate, in the plane's units.
        unit_cm: length of a unit of the plane in centimetres.
    """
    plate = plate_for(rng, kind, era)
    tilt = float(rng.normal(0, 1.2 if rng.random() < 0.9 else 6.0))
    w, h = plate.width_cm / unit_cm, plate.height_cm / unit_cm
    quad = through(matrix, corners_of(w, h, middle, tilt))
    if mount and rng.random() < 0.75:
        grow = 1.0 + rng.uniform(0.04, 0.22)
        shade = corners_of(w * 1.42 * grow, h * 1.75 * grow, (middle[0], middle[1] + h * rng.uniform(0.0, 0.12)), tilt)
        canvas.lay(_soft_box(80), through(matrix, shade))
    canvas.plate(plate.picture, quad, plate.text, plate.vehicle, gain=np.asarray(gain) * rng.uniform(0.84, 1.1))


def put_no_plate(
    rng: Rng, canvas: Canvas, matrix: Matrix, middle: tuple[float, float], gain: Any, era: int, unit_cm: float
) -> None:
    """Where a plate would be there is none, or something else."""
    if rng.random() < 0.5:
        return
    art, _ = other_for(rng, era)
    h = 14.0 / unit_cm
    w = min(h * art.shape[1] / art.shape[0], 44.0 / unit_cm)
    canvas.lay(art, through(matrix, corners_of(w, h, middle)), gain=gain)


def shadow_under(canvas: Canvas, x0: float, x1: float, y: float, depth: float, share: int = 75) -> None:
    """The dark below a vehicle that stands between two columns."""
    w = (x1 - x0) * 1.4
    quad = np.asarray([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)], np.float32) * (w, depth * 2)
    quad += np.asarray(((x0 + x1) / 2, y - depth * 0.15), np.float32)
    canvas.lay(_soft_box(share), quad.astype(np.float32))


def _reflect(canvas: Canvas, x0: int, y0: int, x1: int, y1: int, share: float) -> None:
    """What stands on a wet road is seen in it upside down, longer and dimmer. Plates in it are no plates."""
    x0, x1, y0 = max(0, x0), min(canvas.width, x1), max(0, y0)
    y1 = min(y1, canvas.height - 1)
    tall = min(canvas.height - y1, y1 - y0)
    if tall < 6 or x1 - x0 < 6:
        return
    upside = cv2.blur(canvas.picture[y1 - tall : y1, x0:x1][::-1], (3, max(3, tall // 24 | 1)))
    view = canvas.picture[y1 : y1 + tall, x0:x1]
    view[:] = cv2.addWeighted(view, 1 - share, upside, share, 0)


def put_card(
    rng: Rng,
    canvas: Canvas,
    card: Card,
    matrix: Matrix,
    gain: Any,
    era: int,
    *,
    plates: float = 0.93,
    wet: float = 0.0,
    two: bool = False,
) -> None:
    """A vehicle's end; `matrix` maps centimetres of the card to px."""
    w, h = card.width_cm, card.height_cm
    outline = through(matrix, [(0, 0), (w, 0), (w, h), (0, h)])
    foot = float(outline[2:, 1].mean())
    shadow_under(
        canvas, float(outline[3, 0]), float(outline[2, 0]), foot, max(4.0, float(np.ptp(outline[:, 0])) * 0.08)
    )
    box = canvas.lay(card.picture, outline, gain=gain, vehicle=card.kind, look=card.look)
    if box is None:
        return
    for x, y, r in card.lamps_cm:
        at = through(matrix, [(x, y), (x + r, y)])
        colour = (40, 30, 235) if card.rear else (235, 245, 255)
        canvas.lamps.append((float(at[0, 0]), float(at[0, 1]), float(np.hypot(*(at[1] - at[0]))), colour))
    if rng.random() < plates:
        x, y = card.plate_cm
        if two:
            apart = rng.uniform(18, 24)
            put_plate(rng, canvas, matrix, (x - apart, y), card.kind, gain, era)
            put_plate(rng, canvas, matrix, (x + apart, y + rng.uniform(-3, 3)), card.kind, gain, era)
        else:
            put_plate(rng, canvas, matrix, (x, y), card.kind, gain, era)
    else:
        put_no_plate(rng, canvas, matrix, card.plate_cm, gain, era, 1.0)
    if wet:
        _reflect(canvas, box[0], box[1], box[2], round(foot), wet)


def _decals(rng: Rng, canvas: Canvas, plane_m: Matrix, sprite: Sprite, gain: Any) -> None:
    """What else is written on a vehicle's end: route boards, telephone numbers, badges. Metres from the plate's middle."""
    where: tuple[tuple[tuple[str, ...], float, float, float], ...]
    match sprite.kind:
        case "bus":
            where = ((("bus-route",), 0.0, -2.1, 1.3), (("shop-sign", "notice", "telephone"), 0.0, -0.55, 0.9))
        case "truck" if sprite.rear:
            where = ((("telephone", "shop-sign", "badge", "notice"), float(rng.uniform(-0.5, 0.5)), -1.2, 0.8),) * 2
        case "car" if sprite.rear:
            side = 1 if rng.random() < 0.5 else -1
            where = ((("badge",), side * 0.48, -0.16, 0.22), (("sticker", "telephone"), -side * 0.35, -0.45, 0.24))
        case _:
            return
    for kinds, x, y, wide in where:
        if rng.random() < 0.6:
            art = decal_for(rng, *kinds)
            wide *= float(rng.uniform(0.7, 1.3))
            tall = min(wide * art.shape[0] / art.shape[1], 0.6)
            spot = (
                x + float(rng.normal(0, 0.04)),
                y + float(rng.normal(0, 0.04)) * (6 if sprite.kind == "truck" else 1),
            )
            canvas.lay(art, through(plane_m, corners_of(wide, tall, spot)), gain=np.asarray(gain) * 0.9)


def put_sprite(
    rng: Rng, canvas: Canvas, sprite: Sprite, foot: tuple[float, float], px_per_m: float, gain: Any, era: int,
    *, plates: float = 0.93, wet: float = 0.0,
) -> None:  # fmt: skip
    """A vehicle in the round, its lower edge in the middle at `foot`, `px_per_m` large at the end that we see."""
    scale = px_per_m / sprite.px_per_m
    h, w = sprite.picture.shape[:2]
    left, top = foot[0] - w * scale / 2, foot[1] - h * scale
    if left > canvas.width or left + w * scale < 0 or top > canvas.height or w * scale < 4:
        return
    shadow_under(canvas, left, left + w * scale, foot[1], h * scale * 0.12)
    canvas.stamp(sprite.picture, left, top, w * scale, gain=gain, vehicle=sprite.kind, look=sprite.look)
    if sprite.facing > 0.2 and px_per_m > 35:
        _decals(
            rng, canvas, np.asarray(((scale, 0, left), (0, scale, top), (0, 0, 1.0))) @ sprite.plate_m, sprite, gain
        )
    for x, y, r in sprite.lamps:
        colour = (40, 30, 235) if sprite.rear else (235, 245, 255)
        canvas.lamps.append((left + x * scale, top + y * scale, r * scale, colour))
    if sprite.facing > 0.1:
        to = np.asarray(((scale, 0, left), (0, scale, top), (0, 0, 1.0))) @ sprite.plate_m
        if rng.random() < plates:
            put_plate(rng, canvas, to, (0.0, 0.0), sprite.kind, gain, era, unit_cm=100.0, mount=False)
        else:
            put_no_plate(rng, canvas, to, (0.0, 0.0), gain, era, 100.0)
    if wet:
        _reflect(canvas, int(left), int(top), int(left + w * scale), round(foot[1]), wet)


def put_others(
    rng: Rng, canvas: Canvas, count: int, gain: Any, era: int, *, tall: tuple[float, float] = (7.0, 90.0)
) -> None:
    """Signs, stickers, numbers and boards that are no plates, anywhere."""
    for _ in range(count):
        art, _kind = other_for(rng, era)
        h = float(np.exp(rng.uniform(*np.log(tall))))
        w = h * art.shape[1] / art.shape[0] * float(rng.uniform(0.4, 1.0) if rng.random() < 0.4 else 1.0)
        quad = corners_of(
            w, h, (rng.uniform(0, canvas.width), rng.uniform(0, canvas.height * 0.9)), float(rng.normal(0, 5))
        )
        quad[1:3, 1] += w * float(rng.normal(0, 0.12))
        canvas.lay(
            art,
            quad.astype(np.float32),
            gain=np.asarray(gain) * rng.uniform(0.6, 1.05),
            soft=float(rng.uniform(0, 0.9)),
        )

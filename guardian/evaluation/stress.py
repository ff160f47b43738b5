"""Seeded corruptions of labelled pictures: nine kinds, five levels each, the same pixels for everyone who is measured.

What is done hangs on seed, file name, kind and level alone (and on picture and label), so any machine makes the same
picture. Sizes are told in heights of the picture's plates: a blur of eight pixels destroys a plate that is 16 px high and is
nothing to one of 200, and pictures of both stand in one set. Each level is harder than the one before; level 3 is what a bad
night brings, level 5 what no engine is expected to read.

Kinds that move pixels (`smaller`, `tilt`) give the label along. A plate that no longer stands wholly in the picture becomes
one that cannot be read: it is neither a miss nor a false alarm.
"""

from __future__ import annotations

import hashlib
import math
import statistics
from collections.abc import Callable
from typing import Any, TypeAlias

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from guardian.domain.read import Corners
from guardian.evaluation.labels import LabelledPlate, Scene
from guardian.vision.ports import Frame

LEVELS = (1, 2, 3, 4, 5)
MIDDLE = 3
_PATROL_PX = 40.0
"""About the height of plates in front of a patrol car (median of the labelled dashcam frames: 38 px)."""
SEED = 2026

_Floats: TypeAlias = npt.NDArray[Any]  # float32 or float64: light, kernels, matrices


class Corrupted(msgspec.Struct, frozen=True):
    """A corrupted picture, (H, W, 3) uint8 BGR and a fresh array, and its label."""

    frame: Frame
    scene: Scene


def rng_of(seed: int, file: str, kind: str, level: int) -> np.random.Generator:
    """The chance of one corruption."""
    digest = hashlib.sha256(f"{seed}|{file}|{kind}|{level}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def corrupt(frame: Frame, scene: Scene, kind: str, level: int, *, seed: int = SEED) -> Corrupted:
    """A picture as it would be under one kind of trouble. `frame` is untouched.

    Args:
        frame: (H, W, 3) uint8 BGR, of the label's size.
        kind: one of `KINDS`.
        level: 1 to 5; 0 is the picture as it is.
    """
    if level == 0:
        return Corrupted(frame.copy(), scene)
    heights = [p.height_px for p in scene.plates if p.text is not None] or [p.height_px for p in scene.plates]
    tall = statistics.median(heights) if heights else 40.0
    done = KINDS[kind](frame, scene, tall, level - 1, rng_of(seed, scene.file, kind, level))
    return Corrupted(np.ascontiguousarray(done.frame), done.scene)


def _smaller(frame: Frame, scene: Scene, tall: float, step: int, rng: np.random.Generator) -> Corrupted:
    """The same from further away: plates of 28, 20, 15, 11 and 8 px height (never larger than they are)."""
    return Corrupted(*_shrunken(frame, scene, (28, 20, 15, 11, 8)[step] / tall))


def _motion(frame: Frame, scene: Scene, tall: float, step: int, rng: np.random.Generator) -> Corrupted:
    """The camera moved while the shutter was open: by 0.08 to 0.42 plate heights, mostly across."""
    length = (0.08, 0.14, 0.21, 0.30, 0.42)[step] * tall
    angle = rng.normal(0.0, 0.35)
    return Corrupted(_bytes(cv2.filter2D(frame, -1, _line(length, angle), borderType=cv2.BORDER_REFLECT)), scene)


def _defocus(frame: Frame, scene: Scene, tall: float, step: int, rng: np.random.Generator) -> Corrupted:
    """Out of focus: a disc of 0.04 to 0.19 plate heights in radius."""
    radius = (0.04, 0.07, 0.10, 0.14, 0.19)[step] * tall
    return Corrupted(_bytes(cv2.filter2D(frame, -1, _disc(radius), borderType=cv2.BORDER_REFLECT)), scene)


def _dark(frame: Frame, scene: Scene, tall: float, step: int, rng: np.random.Generator) -> Corrupted:
    """Too little light: few photons for each pixel, the amplifier's own noise, and a picture that stays dark.

    At a size at which plates are 40 px high at most: over the many pixels of a large plate noise evens out by itself.
    Source: the noise model of a sensor, EMVA Standard 1288, release 4.0, section 2: shot noise follows Poisson.
    """
    photons = (220.0, 80.0, 32.0, 14.0, 7.0)[step]  # of a white pixel
    dim = (0.55, 0.42, 0.32, 0.25, 0.20)[step]
    small, label = _shrunken(frame, scene, _PATROL_PX / tall)
    seen = rng.poisson(_linear(small) * photons) + rng.normal(0.0, 1.2, small.shape)
    # The coding of a camera smooths the noise a little, and so makes grain of it.
    grain = cv2.GaussianBlur((seen / photons * dim).astype(np.float32), (0, 0), 0.6)
    return Corrupted(_display(grain), label)


def _glare(frame: Frame, scene: Scene, tall: float, step: int, rng: np.random.Generator) -> Corrupted:
    """Lamps beside each plate shine into the lens at night: the scene dark, discs with halo and streak, a veil over all."""
    power = (0.22, 0.5, 1.0, 1.9, 3.6)[step]
    height, width = frame.shape[:2]
    # Light that is scattered is smooth: it is reckoned at a quarter of the size.
    ys, xs = np.mgrid[0 : -(-height // 4), 0 : -(-width // 4)].astype(np.float32) * 4
    glow = np.zeros_like(ys)
    for plate in scene.plates[:6]:
        centre = np.asarray(plate.corners).mean(axis=0)
        wide = float(np.hypot(*(np.asarray(plate.corners[1]) - np.asarray(plate.corners[0]))))
        high = plate.height_px
        for side in (-1, 1):
            x = centre[0] + side * wide * rng.uniform(1.0, 1.3)
            y = centre[1] - high * rng.uniform(0.2, 1.0)
            away = np.hypot(xs - x, ys - y) / high
            glow += 6.0 * np.clip((0.46 - away) / 0.08, 0, 1)  # the lamp itself
            glow += power * 0.55 / (0.25 + away**2)  # scatter in lens and air
            glow += power * 0.10 * np.exp(-np.abs(ys - y) / (0.10 * high)) / (0.3 + np.abs(xs - x) / high)  # streak
    glow = np.asarray(cv2.resize(glow, (width, height), interpolation=cv2.INTER_LINEAR))
    light = _linear(frame) * 0.30
    tint = np.asarray((0.88, 0.97, 1.0), np.float32)  # BGR: a little warm
    lit = light + glow[..., None] * tint
    # The camera closes its iris for the lamps: the brighter they are, the darker all else.
    exposure = 1.0 / (1.0 + 0.18 * power)
    return Corrupted(_display(_noisy(lit * exposure, rng, 0.004)), scene)


def _rain(frame: Frame, scene: Scene, tall: float, step: int, rng: np.random.Generator) -> Corrupted:
    """Streaks in the air, drops on the glass that bend and blur what lies behind them, grey light."""
    height, width = frame.shape[:2]
    amount = (0.5, 1.0, 1.7, 2.6, 3.8)[step]
    flat = frame.astype(np.float32)
    flat = flat * (1 - 0.10 * amount) + 150.0 * 0.10 * amount
    # On glass: discs in which the picture stands blurred, turned over and shifted.
    unit = tall
    drops = rng.poisson(amount * 0.09 * width * height / unit**2 + 2)
    blurred = cv2.GaussianBlur(flat, (0, 0), max(1.0, 0.16 * unit))
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    map_x, map_y = xs.copy(), ys.copy()
    mask = np.zeros((height, width), np.float32)
    for _ in range(int(drops)):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        radius = unit * rng.uniform(0.12, 0.48)
        x0, x1 = max(0, int(x - radius) - 1), min(width, int(x + radius) + 2)
        y0, y1 = max(0, int(y - radius * 1.2) - 1), min(height, int(y + radius * 1.2) + 2)
        if x0 >= x1 or y0 >= y1:
            continue
        dx, dy = (xs[y0:y1, x0:x1] - x) / radius, (ys[y0:y1, x0:x1] - y) / (radius * 1.15)
        inside = np.clip((1.0 - np.sqrt(dx**2 + dy**2)) * 6.0, 0.0, 1.0)
        mask[y0:y1, x0:x1] = np.maximum(mask[y0:y1, x0:x1], inside)
        bend = 0.55 * radius * inside
        map_x[y0:y1, x0:x1] -= dx * bend
        map_y[y0:y1, x0:x1] -= dy * bend
    bent = cv2.remap(blurred, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    wet = flat * (1 - mask[..., None]) + bent * mask[..., None]
    # In the air: bright lines, nearly upright, in a layer of their own.
    streaks = np.zeros((height, width), np.uint8)
    lean = rng.uniform(-0.25, 0.25)
    for _ in range(int(amount * 0.22 * width * height / unit**2) + 8):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        long = unit * rng.uniform(0.4, 1.5)
        start, end = (round(x), round(y)), (round(x + lean * long), round(y + long))
        cv2.line(streaks, start, end, int(rng.integers(90, 200)), max(1, round(unit * 0.02)), cv2.LINE_AA)
    veil = cv2.GaussianBlur(streaks.astype(np.float32), (0, 0), max(0.7, unit * 0.012))
    return Corrupted(_bytes(wet + veil[..., None] * 0.75), scene)


def _haze(frame: Frame, scene: Scene, tall: float, step: int, rng: np.random.Generator) -> Corrupted:
    """Fog, or a dirty windscreen: little of the scene's light comes through, the rest is an even veil with some noise.

    Source: Koschmieder's law, I = J t + A (1 - t).
    """
    through = (0.50, 0.30, 0.18, 0.10, 0.055)[step]
    air = np.asarray((208.0, 204.0, 198.0), np.float32)
    lit = frame.astype(np.float32) * through + air * (1 - through)
    soft = cv2.GaussianBlur(lit, (0, 0), 0.3 + 0.02 * tall * (1 - through))
    return Corrupted(_bytes(soft + rng.standard_normal(frame.shape, dtype=np.float32) * 1.6), scene)


def _jpeg(frame: Frame, scene: Scene, tall: float, step: int, rng: np.random.Generator) -> Corrupted:
    """Coded too hard by a cheap camera: quality 30 to 3, at a size at which plates are 40 px high at most.

    Blocks are 8 px wide whatever the picture shows, so a plate of 200 px would not feel them.
    """
    quality = (30, 15, 9, 5, 3)[step]
    small, label = _shrunken(frame, scene, _PATROL_PX / tall)
    done, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("the JPEG coder refused a picture")
    coded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return Corrupted(_bytes(np.asarray(coded)), label)


def _tilt(frame: Frame, scene: Scene, tall: float, step: int, rng: np.random.Generator) -> Corrupted:
    """Seen from the side, as a parked row from the street: turned by 25 to 65 degrees about the upright axis, and leaning."""
    turn = math.radians((25, 38, 49, 58, 65)[step]) * (1 if rng.random() < 0.5 else -1)
    nod = math.radians(rng.uniform(-1, 1) * (4, 7, 10, 12, 14)[step])
    lean = math.radians(rng.uniform(-1, 1) * (3, 6, 8, 10, 12)[step])
    height, width = frame.shape[:2]
    known = [p for p in scene.plates if p.text is not None] or list(scene.plates)
    if known:
        middles = np.asarray([np.asarray(p.corners).mean(axis=0) for p in known])
        cx, cy = (float(v) for v in np.median(middles, axis=0))
    else:
        cx, cy = width / 2, height / 2
    matrix = _turned(cx, cy, turn, nod, lean, distance=1.6 * max(width, height))
    # Drawn at twice the size and made smaller: a strong turn shrinks by more than half across, which would alias.
    # Pixel centres lie at half a pixel, so doubling is x' = 2 x + 0.5.
    doubled = np.asarray([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]]) @ matrix
    large = cv2.warpPerspective(
        frame,
        doubled,
        (2 * width, 2 * height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(96, 96, 96),
    )
    turned = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
    return Corrupted(_bytes(turned), _moved(scene, matrix, (width, height)))


def _shrunken(frame: Frame, scene: Scene, factor: float) -> tuple[Frame, Scene]:
    """Picture and label made smaller, and never larger."""
    if factor >= 1:
        return frame, scene
    height, width = frame.shape[:2]
    size = (max(16, round(width * factor)), max(16, round(height * factor)))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    return _bytes(small), _moved(scene, np.diag([size[0] / width, size[1] / height, 1.0]), size)


def _turned(cx: float, cy: float, turn: float, nod: float, lean: float, *, distance: float) -> _Floats:
    """The homography of a flat picture turned about its point (cx, cy), which stays where it is, seen from a distance.

    Source: Hartley and Zisserman, Multiple View Geometry, 2nd ed., 8.1: a plane's picture under a pinhole camera.
    """
    sin, cos = math.sin, math.cos
    about_y = np.asarray([[cos(turn), 0, sin(turn)], [0, 1, 0], [-sin(turn), 0, cos(turn)]])
    about_x = np.asarray([[1, 0, 0], [0, cos(nod), -sin(nod)], [0, sin(nod), cos(nod)]])
    about_z = np.asarray([[cos(lean), -sin(lean), 0], [sin(lean), cos(lean), 0], [0, 0, 1]])
    turned = about_z @ about_x @ about_y
    plane = np.column_stack([turned[:, 0], turned[:, 1], np.asarray([0.0, 0.0, distance])])
    camera = np.asarray([[distance, 0, cx], [0, distance, cy], [0, 0, 1]], dtype=np.float64)
    to_middle = np.asarray([[1, 0, -cx], [0, 1, -cy], [0, 0, 1]], dtype=np.float64)
    matrix: _Floats = camera @ plane @ to_middle
    matrix /= matrix[2, 2]
    return matrix


def _moved(scene: Scene, matrix: _Floats, size: tuple[int, int]) -> Scene:
    """The label of a picture whose pixels were moved by a homography into one of another size."""
    width, height = size
    plates: list[LabelledPlate] = []
    for plate in scene.plates:
        points = np.column_stack([np.asarray(plate.corners, dtype=np.float64), np.ones(4)]) @ matrix.T
        if (points[:, 2] <= 0).any():
            continue  # behind the lens: not in the picture at all
        moved = points[:, :2] / points[:, 2:]
        if (
            moved[:, 0].max() <= 0
            or moved[:, 1].max() <= 0
            or moved[:, 0].min() >= width
            or moved[:, 1].min() >= height
        ):
            continue
        a, b, c, d = ((round(float(x), 2), round(float(y), 2)) for x, y in moved)
        corners: Corners = (a, b, c, d)
        wholly = all(-0.5 <= x <= width + 0.5 and -0.5 <= y <= height + 0.5 for x, y in corners)
        was_whole = all(0 <= x <= scene.width and 0 <= y <= scene.height for x, y in plate.corners)
        text = plate.text if wholly or not was_whole else None
        plates.append(msgspec.structs.replace(plate, corners=corners, text=text))
    return msgspec.structs.replace(scene, width=width, height=height, plates=tuple(plates))


_TO_LINEAR = ((np.arange(256) / 255.0) ** 2.2).astype(np.float32)


def _linear(frame: Frame) -> _Floats:
    """Light as the sensor counts it, 0 to 1."""
    return _TO_LINEAR[frame]


def _display(light: _Floats) -> Frame:
    return _bytes(255.0 * np.clip(light, 0.0, 1.0) ** (1 / 2.2))


def _noisy(light: _Floats, rng: np.random.Generator, sigma: float) -> _Floats:
    grain: _Floats = rng.standard_normal(light.shape, dtype=np.float32) * sigma
    return np.asarray(light + grain * (1 + 2 * np.sqrt(np.clip(light, 0, 1))))


def _bytes(picture: npt.NDArray[Any]) -> Frame:
    return np.clip(np.rint(np.asarray(picture, dtype=np.float32)), 0, 255).astype(np.uint8)


def _line(length: float, angle: float) -> _Floats:
    """The smear of a straight movement: a line of `length` px, smoothed over pixels, sum 1."""
    radius = max(1, math.ceil(length / 2) + 1)
    ys, xs = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float32)
    along = xs * math.cos(angle) + ys * math.sin(angle)
    across = -xs * math.sin(angle) + ys * math.cos(angle)
    kernel = np.clip(length / 2 + 0.5 - np.abs(along), 0, 1) * np.clip(1 - np.abs(across), 0, 1)
    return np.asarray(kernel / kernel.sum(), dtype=np.float32)


def _disc(radius: float) -> _Floats:
    """The spot that a point makes out of focus, with a soft edge, sum 1."""
    side = max(1, math.ceil(radius + 0.5))
    ys, xs = np.mgrid[-side : side + 1, -side : side + 1].astype(np.float32)
    kernel = np.clip(radius + 0.5 - np.hypot(xs, ys), 0, 1)
    return np.asarray(kernel / kernel.sum(), dtype=np.float32)


KINDS: dict[str, Callable[[Frame, Scene, float, int, np.random.Generator], Corrupted]] = {
    "smaller": _smaller,
    "motion blur": _motion,
    "defocus": _defocus,
    "darkness": _dark,
    "glare": _glare,
    "rain": _rain,
    "haze": _haze,
    "jpeg": _jpeg,
    "tilt": _tilt,
}
"""All kinds by name, in the order of tables and panels."""

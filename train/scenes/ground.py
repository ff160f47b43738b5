"""What a scene stands on: an empty rendered street, a part of a real picture, or a plain wall and floor."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from train.plates.layers import noise
from train.scenes.canvas import Canvas
from train.scenes.model import GroundView, Picture, Rng
from train.scenes.pool import other_for, plate_for
from train.scenes.streets import Backdrop, backdrop_for


class Ground(msgspec.Struct):
    """A ground with the geometry to stand things on it."""

    picture: Picture
    horizon_px: float
    focal_px: float
    height_m: float
    light: str
    gain: Any  # light on what is put there, (3,)
    complete: bool = True

    def foot_px(self, ahead_m: float) -> float:
        """Row of the ground at a distance."""
        return self.horizon_px + self.focal_px * self.height_m / ahead_m


def size_for(rng: Rng) -> tuple[int, int]:
    """Width and height of a scene."""
    return ((960, 720), (1280, 720), (1024, 640), (960, 544))[int(rng.integers(4))]


def street_ground(rng: Rng, size: tuple[int, int]) -> Ground:
    """A rendered street, cut to size; sometimes mirrored, as if one drove on its other side."""
    back: Backdrop = backdrop_for(rng)
    w, h = size
    x = int(rng.integers(back.picture.shape[1] - w + 1))
    y = int(rng.integers(back.picture.shape[0] - h + 1))
    picture = back.picture[y : y + h, x : x + w].copy()
    gain = {"day": (0.98, 1.0, 1.0), "dusk": (0.74, 0.68, 0.68), "dark": (0.6, 0.6, 0.62)}[back.light]
    return Ground(picture, back.horizon_px - y, back.focal_px, back.height_m, back.light, np.asarray(gain))


@lru_cache(maxsize=24)
def _plain(number: int) -> tuple[Picture, int]:
    """Asphalt and a wall without detail (1280 x 720), and the row where they meet."""
    rng = np.random.default_rng((971, number))
    w, h = 1280, 720
    wall = rng.uniform(40, 215) + rng.normal(0, 7, 3)
    floor = rng.uniform(60, 160) + rng.normal(0, 3, 3)
    if rng.random() < 0.15:
        floor = np.asarray((60, 110, 50)) * rng.uniform(0.5, 1.2)
    picture = np.empty((h, w, 3), np.float32)
    edge = int(h * rng.uniform(0.2, 0.6))
    picture[:edge], picture[edge:] = wall, floor
    grain = noise(rng, h // 2, w // 2, rng.uniform(1, 3))
    picture += cv2.resize(grain, (w, h), interpolation=cv2.INTER_LINEAR)[..., None] * rng.uniform(2, 12)
    picture += noise(rng, h, w, w / 6)[..., None] * rng.uniform(2, 14)
    stains = np.clip(noise(rng, h - edge, w, rng.uniform(30, 120)) - 1.1, 0, 1) + 0.6 * np.clip(
        noise(rng, h - edge, w, rng.uniform(4, 14)) - 1.7, 0, 1
    )
    picture[edge:] *= (1 - 0.55 * stains * rng.uniform(0, 1))[..., None]  # oil, leaves, wet places
    for _ in range(int(rng.integers(0, 5))):  # cracks
        x, y = rng.uniform(0, w), rng.uniform(edge, h)
        steps = np.cumsum(rng.normal(0, (26, 9), (14, 2)), axis=0) + np.asarray((x, y))
        cv2.polylines(
            picture, [steps.astype(np.int32)], False, (floor * 0.5).tolist(), int(rng.integers(1, 4)), cv2.LINE_AA
        )
    if rng.random() < 0.4:  # corrugated sheet or tiles
        step = int(rng.integers(8, 60))
        picture[:edge, ::step] *= rng.uniform(0.7, 1.2)
        if rng.random() < 0.5:
            picture[:edge:step] *= rng.uniform(0.7, 1.1)
    return np.clip(picture, 0, 255).astype(np.uint8), edge


def plain_ground(rng: Rng, size: tuple[int, int]) -> Ground:
    """Yards, garages, car parks: floor and wall, with lines of parking places, kerbs, joints, pipes."""
    w, h = size
    kept, edge = _plain(int(rng.integers(24)))
    x, y = int(rng.integers(kept.shape[1] - w + 1)), int(rng.integers(kept.shape[0] - h + 1))
    out = kept[y : y + h, x : x + w].copy()
    edge -= y
    for _ in range(int(rng.integers(0, 7))):
        colour = ((225, 228, 230), (60, 170, 225), (50, 60, 190), (70, 70, 70))[int(rng.integers(4))]
        a = (int(rng.uniform(-0.2, 1.2) * w), edge if rng.random() < 0.6 else int(rng.uniform(0, h)))
        b = (int(rng.uniform(-0.2, 1.2) * w), int(rng.uniform(edge, h * 1.2)))
        cv2.line(out, a, b, colour, int(rng.integers(2, 16)), cv2.LINE_AA)
    level = float(rng.uniform(0.7, 1.05))
    horizon = edge - h * float(rng.uniform(0.02, 0.25))
    return Ground(
        out, horizon, w * float(rng.uniform(0.8, 1.5)), float(rng.uniform(1.0, 1.7)), "day", np.full(3, level)
    )


def plateless_part(rng: Rng, views: Sequence[GroundView], size: tuple[int, int]) -> Ground | None:
    """A part of a real picture that holds no known plate, enlarged to size; None where none was found in some tries."""
    for _ in range(6):
        view = views[int(rng.integers(len(views)))]
        vh, vw = view.picture.shape[:2]
        share = float(rng.uniform(0.45, 1.0))
        cw = min(vw, vh * size[0] / size[1]) * share
        ch = cw * size[1] / size[0]
        x0, y0 = float(rng.uniform(0, vw - cw)), float(rng.uniform(0, vh - ch))
        corners = np.asarray(view.corners, np.float32).reshape(-1, 4, 2)
        if len(corners):
            low, high = corners.min(axis=1), corners.max(axis=1)
            meets = (low[:, 0] < x0 + cw) & (high[:, 0] > x0) & (low[:, 1] < y0 + ch) & (high[:, 1] > y0)
            if meets.any():
                continue
        cut = view.picture[int(y0) : int(y0 + ch), int(x0) : int(x0 + cw)]
        picture = cv2.resize(cut, size, interpolation=cv2.INTER_LINEAR if cw < size[0] else cv2.INTER_AREA)
        if rng.random() < 0.5:
            picture = np.ascontiguousarray(picture[:, ::-1])
        return Ground(
            picture,
            size[1] * float(rng.uniform(0.2, 0.5)),
            size[0] * float(rng.uniform(0.8, 1.5)),
            float(rng.uniform(1.0, 1.7)),
            "day",
            gain_at(picture),
            view.complete,
        )
    return None


def gain_at(picture: Picture) -> NDArray[Any]:
    """Light on a white sheet that would suit a picture, by its brighter parts; (3,) factors, BGR."""
    small = picture[::8, ::8].reshape(-1, 3).astype(np.float32)
    bright = np.quantile(small, 0.85, axis=0)
    tint = bright / max(1.0, float(bright.mean()))
    return np.asarray(np.clip(bright.mean() / 205, 0.3, 1.0) * (0.5 + 0.5 * tint))


def _face_gains(canvas: Canvas, quad: NDArray[Any]) -> NDArray[Any]:
    """How bright the sheet of a real plate is, (3,): what a rendered one must be to stand in its place."""
    flat = np.asarray([(0, 0), (39, 0), (39, 15), (0, 15)], np.float32)
    face = cv2.warpPerspective(canvas.picture, cv2.getPerspectiveTransform(quad.astype(np.float32), flat), (40, 16))
    bright = np.quantile(face.reshape(-1, 3).astype(np.float32), 0.8, axis=0)
    return np.asarray(np.clip(bright / 228, 0.12, 1.12))


def real_canvas(
    rng: Rng, views: Sequence[GroundView], size: tuple[int, int], era: int, *, plates: bool = True
) -> tuple[Canvas, Ground]:
    """A real picture whose plates give way to rendered ones in the same place and light, to things that are no plates, or
    stay; mirrored only where none stays."""
    view = views[int(rng.integers(len(views)))]
    vh, vw = view.picture.shape[:2]
    scale = min(size[0] / vw, size[1] / vh) * float(rng.uniform(0.75, 1.0))
    scale = min(1.6, max(scale, 0.4))
    w, h = round(vw * scale), round(vh * scale)
    picture = cv2.resize(view.picture, (w, h), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    corners = (np.asarray(view.corners, np.float32).reshape(-1, 4, 2) + 0.5) * np.asarray(
        (w / vw, h / vh), np.float32
    ) - 0.5
    keep = rng.random() < 0.12
    if not keep and rng.random() < 0.5:
        picture = np.ascontiguousarray(picture[:, ::-1])
        corners = corners[:, [1, 0, 3, 2]] * np.asarray((-1, 1), np.float32) + np.asarray((w - 1, 0), np.float32)
    canvas = Canvas(picture, bare=not plates)
    for quad in corners:
        wide, tall = float(np.hypot(*(quad[1] - quad[0]))), float(np.hypot(*(quad[3] - quad[0])))
        kind = "motorcycle" if wide < 2.05 * tall else "car"
        if keep:
            canvas.claim(quad, None, kind)
            continue
        gain = _face_gains(canvas, quad)
        middle = quad.mean(axis=0)
        over = ((quad - middle) * np.float32(rng.uniform(1.05, 1.12)) + middle).astype(np.float32)
        soft = float(rng.uniform(0.35, 0.85) if wide < 140 else rng.uniform(0.0, 1.2))
        if rng.random() < 0.12:
            art, _ = other_for(rng, era)
            # Letters without a ground of their own must not leave the real plate in sight.
            beside = (middle + (quad[3] - quad[0]) * 0.75).round().astype(int)
            around = picture[min(h - 1, max(0, beside[1])), min(w - 1, max(0, beside[0]))]
            canvas.lay(np.full((8, 8, 4), (*around.tolist(), 255), np.uint8), over)
            canvas.lay(art, over, gain=gain, soft=soft)
            continue
        plate = plate_for(rng, kind, era)
        if not plates:
            continue
        canvas.lay(_ringed(plate.picture), over, gain=gain, soft=soft)
        inner = ((over - middle) / np.float32(1.0 + 2 * _RING) + middle).astype(np.float32)
        canvas.claim(inner, plate.text, plate.vehicle)
    return canvas, Ground(picture, h * 0.4, w * 1.0, 1.3, "day", gain_at(picture), view.complete)


_RING = 0.02


def _ringed(art: Picture) -> Picture:
    """A plate with a narrow shadow around, so that nothing of the sheet below shows at its rounded corners."""
    h, w = art.shape[:2]
    rx, ry = round(w * _RING), round(h * _RING)
    out = np.zeros((h + 2 * ry, w + 2 * rx, 4), np.uint8)
    out[..., :3], out[..., 3] = 52, 205
    alpha = art[..., 3:].astype(np.uint16)
    view = out[ry : ry + h, rx : rx + w]
    view[..., :3] = (art[..., :3] * alpha + view[..., :3] * (255 - alpha)) // 255
    view[..., 3:] = np.maximum(view[..., 3:], art[..., 3:])
    return out

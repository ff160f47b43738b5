"""Light, weather, camera and file of a whole picture. Works on bytes and on small masks: a float picture of a million
pixels would cost more than all that stands in it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from train.plates.fonts import line_of
from train.plates.layers import noise
from train.scenes.canvas import Canvas
from train.scenes.model import Picture, Rng


def _curve(picture: Picture, gains: Any, gamma: float = 1.0, lift: float = 0.0) -> Picture:
    """Brightness curve of each channel."""
    x = np.arange(256, dtype=np.float32) / 255
    table = [np.clip(np.power(x, gamma) * g * 255 + lift, 0, 255) for g in np.ones(3) * gains]
    return np.asarray(cv2.LUT(picture, np.stack(table, axis=1).astype(np.uint8)[None]))


def exposed(rng: Rng, canvas: Canvas, picture: Picture, strength: float) -> Picture:
    """What a camera's automatic exposure and its tone curve do: middle grey where the picture's mean lies, darks deeper and
    lights lighter."""
    mean = max(4.0, canvas.mean(picture))
    gain = float(np.clip(rng.uniform(88, 138) / mean, 0.6, 2.6)) ** strength
    x = np.arange(256, dtype=np.float32) / 255 * gain
    bend = float(rng.uniform(0.0, 0.8)) * strength
    x = np.clip(x, 0, 1.25)
    # Above 0.8 lights roll off instead of being cut.
    x = np.where(x > 0.8, 0.8 + 0.2 * np.tanh((x - 0.8) / 0.25), x)
    x = (1 - bend) * x + bend * (3 * x**2 - 2 * x**3)
    return np.asarray(cv2.LUT(picture, np.clip(x * 255, 0, 255).astype(np.uint8)))


def _times(picture: Picture, small: NDArray[Any]) -> Picture:
    """The picture times a small mask of factors (0 to about 2), enlarged."""
    h, w = picture.shape[:2]
    mask = cv2.resize(np.clip(small * 100, 0, 255).astype(np.uint8), (w, h), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.multiply(picture, cv2.merge((mask, mask, mask)), scale=0.01))


def sun_and_shade(rng: Rng, picture: Picture) -> Picture:
    """Shadow of a house's edge, of trees or bars."""
    h, w = 45, 80
    if rng.random() < 0.5:
        angle = rng.uniform(0, 2 * np.pi)
        field = np.add.outer(np.linspace(-1, 1, h) * np.sin(angle), np.linspace(-1, 1, w) * np.cos(angle))
        field = (field + rng.uniform(-0.5, 0.5)) * rng.uniform(4, 25)
    else:
        field = noise(rng, h, w, rng.uniform(4, 18)) * rng.uniform(1.5, 5)
    lit = 1 / (1 + np.exp(-np.clip(field, -9, 9)))
    depth = rng.uniform(0.25, 0.65)
    return _times(picture, 1.0 - depth + (depth + rng.uniform(0, 0.15)) * lit)


def _add_lamps(rng: Rng, canvas: Canvas, picture: Picture, strength: float, heads: bool) -> Picture:
    """Lit lamps with their bloom, drawn at a quarter of the size."""
    h, w = picture.shape[:2]
    small = np.zeros((h // 4 + 1, w // 4 + 1, 3), np.uint8)
    for x, y, r, colour in canvas.lamps[-30:]:
        if colour[0] > 128 and not heads:
            continue
        if not (-50 < x < w + 50 and -50 < y < h + 50):
            continue
        head = colour[0] > 128
        grow = rng.uniform(0.9, 1.7) if head else rng.uniform(0.5, 0.9)
        cv2.circle(small, (int(x / 4), int(y / 4)), max(1, int(r * grow / 4)), colour, -1, cv2.LINE_AA)
    near = cv2.GaussianBlur(small, (0, 0), 1.2)
    far = cv2.GaussianBlur(cv2.resize(small, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), (0, 0), 3.0)
    far = cv2.resize(far, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_LINEAR)
    glow = cv2.addWeighted(near, strength, far, strength * rng.uniform(1.0, 3.0), 0)
    return np.asarray(cv2.add(picture, cv2.resize(glow, (w, h), interpolation=cv2.INTER_LINEAR)))


def night(rng: Rng, canvas: Canvas, level: float) -> Picture:
    """Dark but for lamps: our own head lamps throw a pool of light, sheets throw it back."""
    picture = canvas.picture
    h, w = 45, 80
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    cx, cy = w * rng.uniform(0.35, 0.65), h * rng.uniform(0.5, 0.75)
    pool = np.exp(-(((x - cx) / (w * rng.uniform(0.25, 0.5))) ** 2) - ((y - cy) / (h * rng.uniform(0.2, 0.45))) ** 2)
    beam = rng.uniform(0.0, 0.55) * (rng.random() < 0.75)
    dark = _times(picture, level + beam * pool)
    tint = ((1.0, 1.0, 1.0), (0.62, 0.88, 1.12), (1.15, 1.0, 0.82), (0.85, 0.98, 1.05))[int(rng.integers(4))]
    dark = _curve(dark, np.asarray(tint), float(rng.uniform(0.95, 1.25)))
    back = float(rng.uniform(0.0, 1.0)) if rng.random() < 0.7 else 0.0
    if back > 0.05 and canvas.marks:
        plates: NDArray[Any] = (canvas.owner > 0).astype(np.uint8) * 255
        plates = cv2.GaussianBlur(plates, (0, 0), 0.8)
        lit = cv2.multiply(picture, cv2.merge((plates, plates, plates)), scale=back / 255)
        dark = cv2.max(dark, lit)
    return _add_lamps(rng, canvas, dark, float(rng.uniform(0.5, 1.0)), heads=rng.random() < 0.85)


def infra_red(rng: Rng, canvas: Canvas) -> Picture:
    """Grey, sheets bright, all else dim."""
    grey = cv2.cvtColor(canvas.picture, cv2.COLOR_BGR2GRAY)
    dim = _curve(cv2.merge((grey, grey, grey)), float(rng.uniform(0.15, 0.6)))
    if canvas.marks:
        plates = cv2.GaussianBlur((canvas.owner > 0).astype(np.uint8) * 255, (0, 0), 0.8)
        lit = cv2.multiply(grey, plates, scale=float(rng.uniform(0.6, 1.3)) / 255)
        dim = cv2.max(dim, cv2.merge((lit, lit, lit)))
    return _add_lamps(rng, canvas, dim, 0.5, heads=True) if rng.random() < 0.5 else dim


def dashcam(rng: Rng, picture: Picture) -> Picture:
    """A cheap car camera behind a windscreen: veil, pale blacks, a cast towards the edges, soft."""
    h, w = picture.shape[:2]
    veil = float(rng.uniform(0.08, 0.4))
    grey = np.asarray((rng.uniform(90, 190),) * 3) + rng.normal(0, 8, 3)
    flat = _curve(picture, (1 - veil) * rng.uniform(0.75, 1.0, 3) ** 0.5)
    x = np.abs(np.linspace(-1, 1, 80))[None, :] ** 2 + np.abs(np.linspace(-1, 1, 45))[:, None] ** 2 * 0.6
    flat = _times(flat, 1 - x * float(rng.uniform(0.0, 0.35)))
    haze: Any = (*(grey * veil), 0.0)
    out = cv2.add(flat, haze)
    if rng.random() < 0.5:  # things on the dashboard lie on the screen
        y0 = int(h * rng.uniform(0.6, 0.85))
        shape = np.zeros((h // 8, w // 8), np.uint8)
        cv2.rectangle(shape, (int(rng.uniform(0, 0.6) * w / 8), y0 // 8), (w // 8, h // 8), int(rng.uniform(8, 40)), -1)
        shine = cv2.resize(cv2.GaussianBlur(shape, (0, 0), 2), (w, h))
        out = cv2.add(out, cv2.merge((shine, shine, shine)))
    return np.asarray(out)


@lru_cache(maxsize=6)
def _streaks(number: int) -> Picture:
    rng = np.random.default_rng((961, number))
    out = np.zeros((720, 1280), np.uint8)
    lean = rng.normal(0, 0.2)
    for _ in range(int(rng.integers(250, 900))):
        x, y, long = rng.uniform(0, 1280), rng.uniform(-40, 720), rng.uniform(8, 46)
        end = (int(x + lean * long), int(y + long))
        cv2.line(out, (int(x), int(y)), end, int(rng.uniform(30, 110)), 1, cv2.LINE_AA)
    return cv2.blur(out, (1, 3))


@lru_cache(maxsize=6)
def _grain(number: int) -> NDArray[Any]:
    rng = np.random.default_rng((967, number))
    field: NDArray[Any] = rng.standard_normal((720, 1280, 3), dtype=np.float32) * 7
    if number % 2:
        field = cv2.GaussianBlur(field, (0, 0), 0.8) * 2
    return np.asarray(np.clip(field, -60, 60), np.int8)


def rain(rng: Rng, picture: Picture) -> Picture:
    """Streaks in the air, drops on the screen."""
    h, w = picture.shape[:2]
    out = picture
    if rng.random() < 0.8:
        streaks = _streaks(int(rng.integers(6)))[:h, :w]
        out = cv2.add(out, cv2.merge((streaks, streaks, streaks)))
    for _ in range(int(rng.integers(0, 26))):
        r = float(np.exp(rng.uniform(np.log(3), np.log(26))))
        x, y = int(rng.uniform(r, w - r)), int(rng.uniform(r, h - r))
        k = int(r)
        x0, y0, x1, y1 = max(0, x - k), max(0, y - k), min(w, x + k), min(h, y + k)
        view = out[y0:y1, x0:x1]
        if view.size:
            upside = cv2.blur(view[::-1, ::-1], (k // 2 | 1, k // 2 | 1))
            mask = np.zeros(view.shape[:2], np.uint8)
            cv2.ellipse(
                mask, (x - x0, y - y0), (max(1, int(k * 0.7)), max(1, int(k * 0.9))), 0, 0, 360, 190, -1, cv2.LINE_AA
            )
            share = mask[..., None].astype(np.float32) / 255
            view[:] = view * (1 - share) + upside * share
    return out


_STAMPS = ("{y}/{m:02d}/{d:02d} {H:02d}:{M:02d}:{S:02d}", "{y}-{m:02d}-{d:02d} {H:02d}:{M:02d}:{S:02d} {v} KM/H", "MIO C{v} N25.0{v} E121.5{S:02d}",
           "{v}km/h  E:121.{S:02d}{M:02d} N:25.{H:02d}{S:02d}", "CAM{d} {H:02d}:{M:02d}:{S:02d}", "ABC-{H}{M:02d}  {v} km/h")  # fmt: skip


def stamp(rng: Rng, picture: Picture, canvas: Canvas) -> None:
    """Date, speed and place that a camera burns into its pictures, over whatever plates stand there. In place."""
    h, w = picture.shape[:2]
    colour = ((255, 255, 255), (30, 120, 255), (60, 230, 250), (240, 240, 240))[int(rng.integers(4))]
    size = int(rng.uniform(12, 34))
    x = int(rng.uniform(0, 0.55) * w)
    y = int(h - size * 1.5 - rng.uniform(0, 20)) if rng.random() < 0.75 else int(rng.uniform(4, 30))
    for _ in range(int(rng.integers(1, 3))):
        n = {"y": 2020 + int(rng.integers(8)), "m": 1 + int(rng.integers(12)), "d": 1 + int(rng.integers(28)),
             "H": int(rng.integers(24)), "M": int(rng.integers(60)), "S": int(rng.integers(60)), "v": int(rng.integers(100))}  # fmt: skip
        mask = line_of(
            _STAMPS[int(rng.integers(len(_STAMPS)))].format(**n), size, font=int(rng.integers(3)), spacing=0.1
        )
        cut = mask[: max(0, h - y), : max(0, w - x)]
        view = picture[y : y + cut.shape[0], x : x + cut.shape[1]]
        if rng.random() < 0.5 and view.size:
            dark = cv2.dilate(cut, np.ones((3, 3), np.uint8))[..., None]
            view[:] = view * (1 - dark * 0.8)
        view[:] = view + (np.asarray(colour, np.float32) - view) * cut[..., None]
        canvas.owner[y : y + cut.shape[0], x : x + cut.shape[1]][cut > 0.2] = 0
        y -= int(size * 1.3)
        if y < 0:
            break


def through_lens(rng: Rng, picture: Picture, dark: bool) -> Picture:
    """Blur of motion and focus, fewer pixels, noise, JPEG."""
    u = rng.random(6)
    h, w = picture.shape[:2]
    if u[0] < 0.14:
        long = int(rng.integers(3, 14))
        picture = cv2.blur(picture, (long, max(1, long // int(rng.integers(3, 9)))))
    if u[1] < 0.2:
        picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.5, 1.6)))
    if u[2] < 0.2:
        f = float(rng.uniform(0.45, 0.9))
        small = cv2.resize(picture, (int(w * f), int(h * f)), interpolation=cv2.INTER_AREA)
        picture = cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR if u[2] < 0.1 else cv2.INTER_CUBIC)
    if u[3] < (0.8 if dark else 0.35):
        grain = _grain(int(rng.integers(6)))[:h, :w]
        strength = float(rng.uniform(0.2, 1.0 if dark else 0.6))
        picture = cv2.scaleAdd(grain.astype(np.float32), strength, picture.astype(np.float32))
        picture = np.clip(picture, 0, 255).astype(np.uint8)
    if u[4] < 0.5:
        done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(25, 92))])
        opened = cv2.imdecode(data, cv2.IMREAD_COLOR) if done else None
        picture = picture if opened is None else opened
    return np.asarray(picture)

"""A photograph of one plate: the camera somewhere, the light somehow, few pixels, and the truth about it.

The picture has the pixels that a camera would give: a plate 8 px high is 8 px high in it. Only where a camera itself
enlarges (digital zoom, a stretched stream) are there fewer real pixels than the picture has.
"""

from __future__ import annotations

import cv2
import msgspec
import numpy as np

from train.plates import lens, light
from train.plates.backdrop import backdrop
from train.plates.layers import Layer, lay
from train.plates.model import Mask, Picture, RenderedPlate
from train.plates.view import Corners, corners_seen

HEIGHTS_PX = (9.0, 110.0)
"""Heights drawn where the caller names none: evenly by their logarithm."""


class Snap(msgspec.Struct, frozen=True):
    """One photograph of one plate.

    Attributes:
        picture: (H, W, 3) uint8, BGR.
        corners: (4, 2) float32, px of `picture`, clockwise from the plate's top left.
        text, layout: as on the plate.
        middles: centre of each character of `text` in shares of the plate's width, once the four corners are
            straightened to a rectangle.
        light: "day", "dark" or "infrared".
        clearness: 0 to 1, how much of the characters' strokes is left: the correlation of the straightened line of
            characters with the art it was taken from, both without their slow changes of light. By
            eye: under 0.5 nobody reads it, over 0.75 nearly everybody does; a tenth of all snaps at hardness 1 lie under
            0.5.
    """

    picture: Picture
    corners: Corners
    text: str
    layout: str
    middles: tuple[float, ...]
    light: str
    clearness: float


_LINE = (140, 28)
"""Size in px at which the line of characters is compared: about what the reader sees of it."""


def _stroke_pattern(picture: Picture, quad: Corners) -> Layer:
    """The line of characters straightened to `_LINE`, grey, its slow changes taken out, so that its mean is 0."""
    w, h = _LINE
    target = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32) - 0.5
    line = cv2.warpPerspective(
        picture, cv2.getPerspectiveTransform(quad.astype(np.float32), target), _LINE, borderMode=cv2.BORDER_REPLICATE
    )
    grey = cv2.cvtColor(line[..., :3], cv2.COLOR_BGR2GRAY).astype(np.float32)
    pattern: Layer = grey - cv2.GaussianBlur(grey, (0, 0), h / 3)
    return pattern


def _clearness(plate: RenderedPlate, picture: Picture, corners: Corners) -> float:
    x0, y0, x1, y1 = plate.number_box
    box = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
    h, w = plate.picture.shape[:2]
    shrunk = cv2.resize(plate.picture, (w // 2, h // 2), interpolation=cv2.INTER_AREA)
    art = _stroke_pattern(shrunk, box * np.array([w // 2, h // 2], np.float32) - 0.5)
    unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    seen_box = cv2.perspectiveTransform(box[None], cv2.getPerspectiveTransform(unit, corners.astype(np.float32)))[0]
    seen = _stroke_pattern(picture, seen_box)
    both = float(np.sqrt((art * art).sum() * (seen * seen).sum()))
    return max(0.0, float((art * seen).sum()) / both) if both > 0 else 0.0


def _place(rng: np.random.Generator, corners: Corners, height_px: float) -> tuple[Corners, int, int]:
    """The corners moved into a picture with some room around them; its height and width."""
    room = height_px * rng.uniform(0.15, 0.7, 4) + 2
    low, high = corners.min(axis=0), corners.max(axis=0)
    shift = np.array([room[0] - low[0], room[1] - low[1]], np.float32)
    size = high - low + np.array([room[0] + room[2], room[1] + room[3]])
    return corners + shift, int(np.ceil(size[1])), int(np.ceil(size[0]))


def _fill(rng: np.random.Generator, patch: Picture | None, h: int, w: int) -> Layer:
    """The background: a cut of the caller's picture, enlarged where it is small, or a drawn one."""
    if patch is None:
        return backdrop(rng, h, w)
    scale = max(h / patch.shape[0], w / patch.shape[1], 0.02)
    if scale > 1 or rng.random() < 0.5:
        grown = max(1.0, scale) if scale > 1 else min(1.0, scale * rng.uniform(1.0, 2.0))
        size = (max(w, round(patch.shape[1] * grown)), max(h, round(patch.shape[0] * grown)))
        patch = cv2.resize(patch, size, interpolation=cv2.INTER_AREA if grown < 1 else cv2.INTER_LINEAR)
    y, x = int(rng.integers(patch.shape[0] - h + 1)), int(rng.integers(patch.shape[1] - w + 1))
    return patch[y : y + h, x : x + w, :3].astype(np.float32)


def _mount(rng: np.random.Generator, scene: Layer, corners: Corners) -> None:
    """A holder or a recess a little larger than the sheet behind it, and the sheet's own shadow. In place."""
    centre = corners.mean(axis=0)
    across = corners[1] - corners[0]
    down = corners[3] - corners[0]
    kind = rng.random()
    if kind < 0.5:
        grow = rng.uniform(0.02, 0.12)
        colour = ((22, 22, 24), (22, 22, 24), (60, 60, 62), (175, 176, 178), (40, 36, 170))[int(rng.integers(5))]
        quad = np.stack(
            [
                p + (np.sign((p - centre) @ across) * across * 0.45 + np.sign((p - centre) @ down) * down) * grow
                for p in corners
            ]
        )
        cv2.fillConvexPoly(scene, np.round(quad * 16).astype(np.int32), colour, cv2.LINE_AA, 4)
    if kind > 0.3:
        shadow = np.zeros(scene.shape[:2], np.float32)
        off = down * rng.uniform(0.0, 0.12) + across * rng.normal(0, 0.02)
        cv2.fillConvexPoly(shadow, np.round((corners + off) * 16).astype(np.int32), 1.0, cv2.LINE_AA, 4)
        lay(scene, (12, 12, 12), shadow * float(rng.uniform(0.3, 0.8)))


def snap(
    rng: np.random.Generator,
    plate: RenderedPlate,
    *,
    height_px: float | None = None,
    hardness: float = 1.0,
    background: Picture | None = None,
) -> Snap:
    """Photograph a plate.

    Args:
        rng: the only source of chance.
        plate: what to photograph.
        height_px: mean of the lengths of the plate's left and right edges in the picture; drawn where None.
        hardness: 0 an easy picture, 1 as hard as a patrol's nights and rains, up to 2 harder.
        background: (H, W, 3) uint8, BGR, of any size, to stand around the plate; drawn where None.

    Raises:
        ValueError: `height_px` is under 4 or over 400.
    """
    if height_px is None:
        height_px = float(np.exp(rng.uniform(*np.log(HEIGHTS_PX))))
    if not 4 <= height_px <= 400:
        raise ValueError(f"a plate {height_px} px high cannot be photographed")
    # Small plates are seen at twice the size and averaged down, as a sensor's pixels average.
    over = 2 if height_px < 44 else 1
    seen = corners_seen(rng, plate, height_px, hardness)
    placed, h, w = _place(rng, seen, height_px)
    big = (placed + 0.5) * over - 0.5
    scene = _fill(rng, background, h * over, w * over)
    if rng.random() < 0.75:
        _mount(rng, scene, big)

    art = plate.picture
    shrink = height_px * over / art.shape[0]
    if shrink < 0.75:
        size = (max(8, round(art.shape[1] * shrink * 1.15)), max(6, round(art.shape[0] * shrink * 1.15)))
        art = cv2.resize(art, size, interpolation=cv2.INTER_AREA)
    ah, aw = art.shape[:2]
    frame = np.array([[-0.5, -0.5], [aw - 0.5, -0.5], [aw - 0.5, ah - 0.5], [-0.5, ah - 0.5]], np.float32)
    warp = cv2.getPerspectiveTransform(frame, big.astype(np.float32))
    seen_art = cv2.warpPerspective(art, warp, (w * over, h * over), flags=cv2.INTER_LINEAR)
    mask: Mask = seen_art[..., 3].astype(np.float32) / 255.0
    scene += (seen_art[..., :3].astype(np.float32) - scene) * mask[..., None]

    scene, kind = _lit(rng, scene, mask, big, height_px * over, hardness)
    scene = _through_lens(rng, scene, height_px * over, hardness)
    if over == 2:
        scene = cv2.resize(scene, (w, h), interpolation=cv2.INTER_AREA)
    picture = _recorded(rng, scene, height_px, kind, hardness)
    return Snap(
        picture, placed, plate.text, plate.layout, plate.middles, kind, round(_clearness(plate, picture, placed), 4)
    )


def _lit(
    rng: np.random.Generator, scene: Layer, mask: Mask, corners: Corners, height: float, hard: float
) -> tuple[Layer, str]:
    u = rng.random(10)
    kind = "day"
    if u[0] < 0.3 * hard:
        scene = light.shadowed(rng, scene, rng.uniform(0.25, 0.75))
    if u[1] < 0.6 * hard:
        scene = light.graded(rng, scene, min(1.5, hard))
    if u[2] < 0.2 * hard:
        scene, kind = light.night(rng, scene, mask, min(1.5, hard)), "dark"
    elif u[2] < 0.25 * hard:
        scene, kind = light.infra_red(rng, scene, mask), "infrared"
    else:
        scene = light.exposed(rng, scene, min(1.2, hard))
    if kind != "infrared":
        scene = light.tinted(rng, scene, min(1.5, hard))
    if u[3] < (0.14 if kind == "dark" else 0.05) * hard:
        centre = corners.mean(axis=0) + rng.normal(0, 1.0, 2) * height * (1.2, 0.7)
        scene = light.glare(
            rng, scene, (float(centre[0]), float(centre[1])), height * rng.uniform(0.15, 0.9), rng.uniform(0.25, 0.9)
        )
    if u[4] < 0.1 * hard:
        scene = light.hazed(rng, scene, min(1.3, hard))
    if u[5] < 0.07 * hard:
        scene = light.rained(rng, scene, min(1.5, hard))
    if u[6] < 0.1 * hard:  # exposure burns the sheet out
        scene = scene * rng.uniform(1.1, 1.5)
    return scene, kind


def _through_lens(rng: np.random.Generator, scene: Layer, height: float, hard: float) -> Layer:
    """Blur, in shares of the plate's height: what counts is how many strokes run together."""
    u = rng.random(3)
    if u[0] < 0.22 * hard:
        scene = lens.moved(rng, scene, height * (0.03 + 0.14 * min(hard, 1.5) * rng.random()))
    if u[1] < 0.24 * hard:
        scene = lens.defocused(scene, height * (0.012 + 0.043 * min(hard, 1.5) * rng.random()))
    return lens.defocused(scene, max(height * 0.006, rng.uniform(0.3, 0.7) if hard > 0 else 0.0))


def _recorded(rng: np.random.Generator, scene: Layer, height: float, kind: str, hard: float) -> Picture:
    u = rng.random(6)
    h, w = scene.shape[:2]
    fewer = 1.0
    if u[0] < 0.15 * hard and height > 14:  # the camera itself has enlarged it
        fewer = rng.uniform(max(0.35, min(0.85, 9.0 / height)), 0.9)
        scene = cv2.resize(scene, (max(8, round(w * fewer)), max(8, round(h * fewer))), interpolation=cv2.INTER_AREA)
    sigma = rng.uniform(0.5, 4.0) * min(hard, 1.0)
    if kind != "day":
        sigma += rng.uniform(0, 5.5) * min(hard, 1.5)
    scene = lens.noisy(rng, scene, sigma)
    if u[1] < 0.5 * hard:
        scene = lens.sharpened(scene, rng.uniform(0.7, 1.8), rng.uniform(0.3, 1.9))
    if fewer < 1:
        scene = cv2.resize(scene, (w, h), interpolation=cv2.INTER_LINEAR if u[2] < 0.5 else cv2.INTER_CUBIC)
    picture = np.clip(scene, 0, 255).astype(np.uint8)
    if u[3] < 0.75 * hard:
        picture = lens.jpeg(picture, int(rng.integers(30, 96)))
    return picture

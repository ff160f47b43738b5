"""What happens to a training picture between the plate and the network: geometry with its labels, light, lens, compression.

All of it is drawn from one `numpy` generator, so that a seed gives the same pictures. Pictures are (H, W, 3) uint8 BGR.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[Any]
Rng = np.random.Generator


def chance(rng: Rng, share: float) -> bool:
    """True in that share of cases."""
    return bool(rng.random() < share)


def warp_crop(
    picture: Picture, matrix: NDArray[Any], size: tuple[int, int], *, shrink: float, border: int = cv2.BORDER_REPLICATE
) -> Picture:
    """`warpPerspective` that does not skip pixels: what is made smaller by more than half is averaged first.

    Args:
        matrix: (3, 3) from picture to result, in px.
        size: width and height of the result.
        shrink: by how much lengths get smaller.
    """
    if shrink > 1.6:
        factor = 1.2 / shrink
        small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        back = np.diag([picture.shape[1] / small.shape[1], picture.shape[0] / small.shape[0], 1.0])
        picture, matrix = small, matrix @ back
    return np.asarray(cv2.warpPerspective(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border))


def motion_kernel(length: float, angle_deg: float) -> NDArray[Any]:
    """A line of this length as a filter that sums to one."""
    side = max(3, math.ceil(length) | 1)
    kernel = np.zeros((side, side), np.float32)
    c = side // 2
    dx, dy = math.cos(math.radians(angle_deg)) * length / 2, math.sin(math.radians(angle_deg)) * length / 2
    cv2.line(kernel, (round(c - dx), round(c - dy)), (round(c + dx), round(c + dy)), 1.0, 1, cv2.LINE_AA)
    return kernel / max(1e-6, float(kernel.sum()))


def light(rng: Rng, picture: Picture, strength: float = 1.0) -> Picture:
    """Exposure, contrast, gamma, colour temperature, a gradient or the edge of a shadow; sometimes grey, dark, or washed out."""
    x = picture.astype(np.float32) / 255
    if chance(rng, 0.5 * strength):
        x = np.power(np.clip(x, 1e-4, 1), math.exp(rng.normal(0, 0.35)))
    if chance(rng, 0.7 * strength):
        x = (x - 0.5) * math.exp(rng.normal(-0.1, 0.3)) + 0.5 + rng.normal(0, 0.1)
    if chance(rng, 0.4 * strength):
        x = x * np.exp(rng.normal(0, 0.12, 3)).astype(np.float32)
    if chance(rng, 0.3 * strength):
        h, w = x.shape[:2]
        angle = rng.uniform(0, 2 * math.pi)
        ramp = np.add.outer(np.linspace(-1, 1, h) * math.sin(angle), np.linspace(-1, 1, w) * math.cos(angle))
        if chance(rng, 0.5):
            edge = 1 / (1 + np.exp(-(ramp - rng.uniform(-0.7, 0.7)) * rng.uniform(8, 80)))
            x = x * (1 - rng.uniform(0.25, 0.7) * edge.astype(np.float32)[..., None])
        else:
            x = x * (1 + rng.uniform(-0.5, 0.5) * ramp.astype(np.float32)[..., None])
    if chance(rng, 0.12 * strength):
        x = x * rng.uniform(0.12, 0.4)
    if chance(rng, 0.08 * strength):
        haze = rng.uniform(0.2, 0.6)
        x = x * (1 - haze) + haze * rng.uniform(0.55, 0.9)
    if chance(rng, 0.12 * strength):
        x = np.repeat(x.mean(axis=2, keepdims=True), 3, axis=2)
    return np.asarray(np.clip(x, 0, 1) * 255, np.uint8)


def lens(rng: Rng, picture: Picture, scale: float = 1.0, strength: float = 1.0) -> Picture:
    """Defocus, motion, low resolution, noise, the halo of sharpening, JPEG. `scale` is the size of a blur in px that costs letters."""
    x = picture
    if chance(rng, 0.3 * strength):
        x = cv2.GaussianBlur(x, (0, 0), scale * rng.uniform(0.2, 1.0))
    if chance(rng, 0.25 * strength):
        angle = rng.uniform(-25, 25) if chance(rng, 0.6) else rng.uniform(0, 180)
        x = cv2.filter2D(x, -1, motion_kernel(1 + scale * rng.uniform(0.5, 3.5), angle))
    if chance(rng, 0.25 * strength):
        factor = 1 / (1 + scale * rng.uniform(0.1, 1.2))
        size = (max(4, round(x.shape[1] * factor)), max(4, round(x.shape[0] * factor)))
        small = cv2.resize(x, size, interpolation=cv2.INTER_AREA)
        way = cv2.INTER_CUBIC if chance(rng, 0.6) else cv2.INTER_LINEAR
        x = cv2.resize(small, (x.shape[1], x.shape[0]), interpolation=way)
    if chance(rng, 0.4 * strength):
        sigma = rng.uniform(1, 14)
        grain = rng.standard_normal(x.shape[:2] if chance(rng, 0.5) else x.shape, np.float32) * sigma
        if chance(rng, 0.3):
            grain = cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.4, 1.0)) * 1.6
        x = np.clip(x + (grain[..., None] if grain.ndim == 2 else grain), 0, 255).astype(np.uint8)
    if chance(rng, 0.2 * strength):
        soft = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.8, 1.8))
        x = cv2.addWeighted(x, 1 + (a := rng.uniform(0.3, 1.2)), soft, -a, 0)
    if chance(rng, 0.4 * strength):
        done, data = cv2.imencode(".jpg", x, [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(18, 85))])
        if done:
            x = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return np.asarray(x, np.uint8)

"""Drawing what was read onto the picture, so that a person can judge it at a glance.

The box lies on the plate, the label above it (below where there is no room): the number with its dash, how sure, and
the doubtful characters underlined in amber.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from guardian.domain.read import DOUBTFUL_PROB
from guardian.vision.judge import PlateSeen
from guardian.vision.ports import Frame

_SURE = (22, 163, 74)
_DOUBTFUL = (217, 119, 6)
_INK = (17, 24, 39)
_PAPER = (255, 255, 255)


def draw_plates(frame: Frame, plates: Sequence[PlateSeen], *, scale: float = 1.0) -> Image.Image:
    """The picture (RGB) with a box and a label for each plate. `frame` is untouched.

    Args:
        frame: (H, W, 3) uint8, BGR.
        plates: with corners in pixels of the frame times `scale`.
        scale: from pixels of `frame` to pixels of the corners.
    """
    image = Image.fromarray(np.ascontiguousarray(frame[:, :, ::-1]))
    draw = ImageDraw.Draw(image)
    side = max(image.size)
    stroke = max(2, round(side / 480))
    taken: list[tuple[float, float, float, float]] = []
    for plate in plates:
        corners = [(x / scale, y / scale) for x, y in plate.corners]
        colour = _SURE if plate.confidence_prob >= DOUBTFUL_PROB else _DOUBTFUL
        for width, ink in ((stroke + 2, _PAPER), (stroke, colour)):
            draw.line([*corners, corners[0], corners[1]], fill=ink, width=width, joint="curve")
        _label(draw, image.size, corners, plate, colour, taken)
    return image


def _label(
    draw: ImageDraw.ImageDraw,
    size: tuple[int, int],
    corners: list[tuple[float, float]],
    plate: PlateSeen,
    colour: tuple[int, int, int],
    taken: list[tuple[float, float, float, float]],
) -> None:
    text_px = max(14, round(max(size) / 44))
    font = ImageFont.load_default(text_px)
    small = ImageFont.load_default(max(11, round(text_px * 0.62)))
    number = plate.number
    shown = number.series.display(number.text)
    sure = f"{plate.confidence_prob * 100:.0f} %"
    pad = max(4, text_px // 3)
    text_w, sure_w = draw.textlength(shown, font=font), draw.textlength(sure, font=small)
    width, height = text_w + sure_w + 3 * pad, text_px + 2 * pad
    xs, ys = [c[0] for c in corners], [c[1] for c in corners]
    x = min(max(0.0, (min(xs) + max(xs) - width) / 2), max(0.0, size[0] - width))
    above, below = min(ys) - height - pad, max(ys) + pad
    y = above if above >= 0 else below if below + height <= size[1] else 0.0
    while any(x < r and x + width > left and y < b and y + height > t for left, t, r, b in taken):
        y += height + 2  # labels of neighbours must not cover one another
        if y + height > size[1]:
            break
    taken.append((x, y, x + width, y + height))
    draw.rounded_rectangle((x, y, x + width, y + height), radius=pad, fill=_PAPER, outline=colour, width=2)
    at = x + pad
    for place, sign in enumerate(number.text):
        if place and place == number.series.dash_after:
            draw.text((at, y + pad), "-", font=font, fill=_INK, anchor="la")
            at += draw.textlength("-", font=font)
        doubtful = number.char_probs[place] < DOUBTFUL_PROB
        draw.text((at, y + pad), sign, font=font, fill=_DOUBTFUL if doubtful else _INK, anchor="la")
        advance = draw.textlength(sign, font=font)
        if doubtful:
            line = y + height - pad * 0.55
            draw.line((at, line, at + advance, line), fill=_DOUBTFUL, width=max(2, text_px // 10))
        at += advance
    draw.text((x + width - pad, y + height - pad), sure, font=small, fill=colour, anchor="rs")

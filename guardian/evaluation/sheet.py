"""Contact sheets of what was wrong: each plate cut out, what it says, what was read, how sure.

They hold real plates, so each sheet says at its head that it is not to be passed on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from guardian.domain.errors import GuardianError
from guardian.domain.read import Corners
from guardian.evaluation.align import align
from guardian.evaluation.geometry import box_of, height_of
from guardian.evaluation.scoring import Finding
from guardian.vision.picture import load_picture

TILES_A_SHEET = 48
_COLUMNS = 4
_TILE = (300, 222)
_PICTURE = (284, 130)
_GAP = 12
_HEAD = 64
_PAPER, _CARD, _INK, _DIM = (244, 245, 247), (255, 255, 255), (17, 24, 39), (107, 114, 128)
_WRONG, _BOX = (185, 28, 28), (22, 163, 74)
_SAYS = {
    "wrong": "read wrong",
    "missed": "not read",
    "false": "read where no plate is",
}


def write_sheets(folder: Path, findings: Sequence[Finding], out: Path, name: str) -> list[Path]:
    """Sheets of one subject's faults, `wrong-1.png` and so on; the surest wrong reads come first.

    Args:
        folder: where the pictures of the findings lie.
        name: the subject's, for the head.
    """
    written: list[Path] = []
    for what in ("wrong", "missed", "false"):
        those = sorted((f for f in findings if f.what == what), key=lambda f: (-f.confidence_prob, f.set, f.file))
        pages = [those[i : i + TILES_A_SHEET] for i in range(0, len(those), TILES_A_SHEET)]
        for number, page in enumerate(pages, 1):
            title = (
                f"{name}: {len(those)} plates {_SAYS[what]}"
                if what != "false"
                else f"{name}: {len(those)} {_SAYS[what]}"
            )
            title += f"  ({number} of {len(pages)})" if len(pages) > 1 else ""
            path = out / f"{what}-{number}.png"
            _sheet(folder, page, title).save(path, optimize=True)
            written.append(path)
    return written


def _sheet(folder: Path, page: Sequence[Finding], title: str) -> Image.Image:
    columns = min(_COLUMNS, max(2, len(page)))
    rows = -(-len(page) // columns)
    width = columns * (_TILE[0] + _GAP) + _GAP
    image = Image.new("RGB", (width, _HEAD + rows * (_TILE[1] + _GAP) + _GAP), _PAPER)
    pen = ImageDraw.Draw(image)
    pen.text((_GAP, 12), title, font=ImageFont.load_default(20), fill=_INK)
    pen.text((_GAP, 40), "Real plates: not to be passed on.", font=ImageFont.load_default(14), fill=_WRONG)
    for place, finding in enumerate(page):
        x = _GAP + place % columns * (_TILE[0] + _GAP)
        y = _HEAD + place // columns * (_TILE[1] + _GAP)
        _tile(image, pen, (x, y), folder, finding)
    return image


def _tile(image: Image.Image, pen: ImageDraw.ImageDraw, at: tuple[int, int], folder: Path, finding: Finding) -> None:
    x, y = at
    pen.rounded_rectangle((x, y, x + _TILE[0], y + _TILE[1]), radius=8, fill=_CARD, outline=(222, 225, 230))
    try:
        picture = load_picture(folder / finding.file)
        cut = _cut(np.ascontiguousarray(picture.frame[:, :, ::-1]), finding.corners, picture.scale)
        image.paste(cut, (x + (_TILE[0] - cut.width) // 2, y + 8 + (_PICTURE[1] - cut.height) // 2))
    except GuardianError:
        pen.text((x + 12, y + 60), "the picture cannot be opened", font=ImageFont.load_default(14), fill=_DIM)
    small, large = ImageFont.load_default(12), ImageFont.load_default(22)
    left, line = x + 12, y + _PICTURE[1] + 16
    pairs = align(finding.truth, finding.read)
    for label, texts, other in (
        ("truth", [t for t, _ in pairs], [r for _, r in pairs]),
        ("read", [r for _, r in pairs], [t for t, _ in pairs]),
    ):
        pen.text((left, line + 8), label, font=small, fill=_DIM)
        if not any(texts):
            said = "no plate" if label == "truth" else "nothing"
            pen.text((left + 46, line + 7), said, font=ImageFont.load_default(14), fill=_DIM)
        else:
            for place, (sign, beside) in enumerate(zip(texts, other, strict=True)):
                differs = sign != beside and bool(finding.truth) and bool(finding.read)
                pen.text(
                    (left + 52 + place * 18, line),
                    sign or "·",
                    font=large,
                    fill=_WRONG if differs and label == "read" else _INK,
                    anchor="ma",
                )
                if differs:
                    pen.line(
                        (left + 44 + place * 18, line + 24, left + 60 + place * 18, line + 24), fill=_WRONG, width=2
                    )
        line += 28
    if finding.read:
        sure = f"{finding.confidence_prob:.3f}"
        pen.text(
            (x + _TILE[0] - 12, y + _PICTURE[1] + 46), sure, font=ImageFont.load_default(16), fill=_INK, anchor="ra"
        )
    facts = [finding.set, finding.light if finding.light in ("day", "dark") else ""]
    facts += [f"{finding.height_px:.0f} px" if finding.height_px else "", Path(finding.file).name]
    said = "  ".join(fact for fact in facts if fact)
    while pen.textlength(said, font=small) > _TILE[0] - 24 and len(said) > 8:
        said = said[:-2].rstrip("…") + "…"
    pen.text((left, y + _TILE[1] - 20), said, font=small, fill=_DIM)


def _cut(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], corners: Corners | None, scale: float) -> Image.Image:
    """The plate with what is around it, as large as the tile allows, its outline drawn beside it and not across signs."""
    whole = Image.fromarray(pixels)
    if corners is None:
        return _fitted(whole)
    placed = [(px / scale, py / scale) for px, py in corners]
    left, top, right, bottom = box_of(placed)
    margin = 0.55 * max(4.0, height_of(placed))
    box = (
        int(max(0, min(left - margin, whole.width - 2))),
        int(max(0, min(top - margin, whole.height - 2))),
        int(min(whole.width, max(right + margin, 2))),
        int(min(whole.height, max(bottom + margin, 2))),
    )
    cut = _fitted(whole.crop(box))
    factor = cut.width / (box[2] - box[0])
    outline = [((px - box[0]) * factor, (py - box[1]) * factor) for px, py in placed]
    middle = (sum(px for px, _ in outline) / 4, sum(py for _, py in outline) / 4)
    grown = [(px + (3 if px > middle[0] else -3), py + (3 if py > middle[1] else -3)) for px, py in outline]
    ImageDraw.Draw(cut).line([*grown, grown[0]], fill=_BOX, width=2, joint="curve")
    return cut


def _fitted(image: Image.Image) -> Image.Image:
    factor = min(_PICTURE[0] / image.width, _PICTURE[1] / image.height)
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    # Few large pixels stay pixels: a smoothed 9 px plate would look better than what the engine saw.
    method = (
        Image.Resampling.NEAREST if factor > 4 else Image.Resampling.BICUBIC if factor > 1 else Image.Resampling.BOX
    )
    return image.resize(size, method)

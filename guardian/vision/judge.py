"""From lines of text to plates: which lines are numbers, whether they look like a plate, where its corners are.

The day-one engine reads everything: shop signs, telephone numbers, the stamp of the camera. What keeps them out, in
this order: the shape of the text line, the series (`series.number_of`), the look of what the text stands on (a plate is
one even ground with signs darker or lighter than it, inside an edge).
"""

from __future__ import annotations

import colorsys
import re

import cv2
import msgspec
import numpy as np

from guardian.domain.read import Corners
from guardian.domain.series import classes_of
from guardian.vision.crop import grow, quad_size, shared_px, sharpness
from guardian.vision.place import Span, carried, spans_of
from guardian.vision.ports import Crop, Detection, TextRead
from guardian.vision.series import HOLE_PROB, RARE, SeriesRead, fold_sign, number_of, unknown_number_of

# Bounds of the filter. Each lies outside what the 257 labelled training plates show, with some room (D).
TEXT_HEIGHT_MIN_PX = 9.0
ASPECT_MIN, ASPECT_MAX = 1.35, 5.0
PLATE_ASPECT_MIN = 0.8
"""A plate, found by its own corners, that is seen from so far beside it that its width is a third: of 42 plates of training scenes
turned by 58 and 65 degrees 38 are read, 11 where a plate has to be as wide as a line of text."""
CONTRAST_MIN = 12.0
LIGHT_SHARE_MIN = 0.42
EVIDENCE_MIN = -4.0
EVIDENCE_MIN_RARE = -1.5
CUT_SHARE, AT_THE_EDGE_SHARE = 0.05, 0.012
"""In widths of the plate; its first character stands 0.04 to 0.06 from the side (the plates of both generations, D)."""
PLATE_PROB_MIN = 0.6
"""From here on a detector of plates is believed when the text alone could be something else."""
PLATE_PROB_SURE = 0.9
"""The same, where the text is printed on a hundred signs for each plate."""
RARE_PROB_MIN = 0.8
_PRICE = re.compile(r"NTS\d{3}")
"""NT$561: of a plate's signs only S looks like the sign of money. A plate NTS-561 may exist, so it is told, with a doubt."""
GUESS_PROB = 0.6
"""What neither finder nor reader gives so much is a guess, and is not told."""


UNSURE_PROB_MIN, UNSURE_EVIDENCE_MIN = 0.5, -2.4
"""What the signs must bear where the finder is not sure of the plate: of 34 reads below 0.5 on 87 training scenes, spoilt in 27 ways
each, 6 are right, of those above 381 of 415. Shop signs, prices and telephone numbers are read like that."""


class PlateSeen(msgspec.Struct, frozen=True):
    """One plate in one picture: what it says, where it is, and what the reader saw before any rule.

    `spans` has the edges of each character of the number in shares of the width of `corners`; empty where not known.
    """

    number: SeriesRead
    corners: Corners
    detector_prob: float
    raw_text: str
    sharpness_score: float = 0.0
    spans: tuple[Span, ...] = ()

    @property
    def confidence_prob(self) -> float:
        """The weakest character decides."""
        return self.number.confidence_prob


class Ground(msgspec.Struct, frozen=True):
    """What a line of text stands on, seen inside the line.

    `light_share` is the part of the lighter of its two tones (a plate with dark signs has 0.5 to 0.75), `contrast` the
    distance of the two tones (0 to 255), `hue_deg` and `saturation` (0 to 255) the colour of the ground.
    """

    light_share: float
    contrast: float
    hue_deg: float
    saturation: float


def plausible_line(detection: Detection) -> bool:
    """Whether a plate's or a text's quadrangle may be a plate by its shape alone, before it is read (saves the reader's time)."""
    width, height = quad_size(detection.corners)
    narrowest = PLATE_ASPECT_MIN if detection.text_corners is None else ASPECT_MIN
    return height >= TEXT_HEIGHT_MIN_PX and narrowest <= width / height <= ASPECT_MAX


def ground_of(crop: Crop) -> Ground:
    """Split a straightened line of text into its two tones (Otsu) and say what the ground is like."""
    height, width = crop.shape[:2]
    inner = crop[height // 10 : height - height // 10, width // 20 : width - width // 20]
    grey = cv2.cvtColor(inner, cv2.COLOR_BGR2GRAY)
    _, mask = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    light = mask > 0
    share = float(light.mean())
    if share in (0.0, 1.0):
        return Ground(share, 0.0, 0.0, 0.0)
    ground = light if share >= LIGHT_SHARE_MIN else ~light
    blue, green, red = (float(c) for c in inner[ground].mean(axis=0))
    high, low = max(blue, green, red), min(blue, green, red)
    hue, saturation = 0.0, 0.0
    if high > low:
        hue, saturation = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)[:2]
    return Ground(share, float(grey[light].mean() - grey[~light].mean()), hue * 360, saturation * 255)


def plate_like(ground: Ground) -> bool:
    """Whether a plate can have this ground: dark signs on a light one, or light signs on red or green.

    Plates of commercial vehicles are green with white signs, those of the largest motorcycles red with white ones
    (S, plate-series); white signs on black, grey or blue are shop signs, lettering on trucks, and the camera's stamp.
    """
    if ground.contrast < CONTRAST_MIN:
        return False
    if ground.light_share >= LIGHT_SHARE_MIN:
        return True
    reddish = ground.hue_deg < 20 or ground.hue_deg > 335
    greenish = 90 < ground.hue_deg < 185
    return ground.saturation > 70 and (reddish or greenish)


def believable(number: SeriesRead, *, plate_prob: float = 0.0) -> bool:
    """Whether the signs bear the number: common series by a modest score, rare ones only when read plainly, dash and all.

    Telephone numbers (224-4429) and words (RAIL, TOYOTA) fit rare series when signs are bent far enough. `plate_prob`: how sure
    a detector of plates, not of text, is that there is one.
    """
    signs = "".join(sign for sign in map(fold_sign, number.raw_text) if sign.isalnum())
    if number.series.id not in RARE:
        # Digits alone are a telephone number (02-1254), not the letter that one of them would have to be.
        return number.evidence >= EVIDENCE_MIN and not (number.fixed and signs.isdigit())
    plain = number.dash_agrees and not number.fixed
    if number.series.id == "1980-moto-3+4":
        # Only digits: a telephone number is printed the same way, on signs that a detector takes for plates less surely.
        return plain and signs == number.text and plate_prob >= PLATE_PROB_SURE
    if 0 < plate_prob < PLATE_PROB_SURE or (
        plate_prob and (signs != number.text or number.confidence_prob < RARE_PROB_MIN)
    ):
        return False  # "340元", "1987 G", and the badge "GP 125"
    return plain and number.evidence >= EVIDENCE_MIN_RARE


# Sides of the plate beyond the text box, in shares of the box's height: left, right, top, bottom. Medians of 172 labelled
# plates with fitted corners (D): a legend or a wide margin stands above the signs of motorcycle plates.
_MARGINS = {
    ("car", "old"): (-0.11, -0.11, 0.03, -0.07),
    ("car", "new"): (-0.06, -0.06, 0.07, 0.02),
    ("motorcycle", "old"): (-0.06, -0.08, 0.32, 0.06),
    ("motorcycle", "new"): (-0.05, -0.05, 0.22, 0.18),
}


def plate_corners(detection: Detection, number: SeriesRead) -> Corners:
    """The plate's corners, grown from its line of text by shares of the text's height."""
    if detection.text_corners is None:
        return detection.corners
    _, height = quad_size(detection.corners)
    classes = classes_of(number.text, number.series.dash_after)
    kind = "motorcycle" if classes and "motorcycle" in classes[0] else "car"
    age = "old" if number.series.issued.startswith("19") else "new"
    left, right, top, bottom = (share * height for share in _MARGINS[kind, age])
    return grow(detection.corners, left=left, right=right, top=top, bottom=bottom)


def _doubts(number: SeriesRead, plate_prob: float) -> SeriesRead | None:
    """What is left of a number where our own finder says how likely a plate is: all of it, some of it doubtful, or nothing."""
    if plate_prob < PLATE_PROB_MIN and number.confidence_prob < GUESS_PROB:
        return None
    surely = plate_prob >= PLATE_PROB_SURE
    if not surely and (number.confidence_prob < UNSURE_PROB_MIN or number.evidence < UNSURE_EVIDENCE_MIN):
        return None
    if not number.dash_agrees:
        if not surely:
            return None
        number = without_its_dash(number)
    if _PRICE.fullmatch(number.text):
        return doubted(number, 2) if surely else None
    return number


def judge(detection: Detection, crop: Crop, read: TextRead, view: Corners | None = None) -> PlateSeen | None:
    """The plate that a line of text is, or None. `view` is what of the frame the crop shows."""
    plate_prob = detection.prob if detection.text_corners is None else 0.0
    number = number_of(read)
    if number is not None and plate_prob:
        number = _doubts(number, plate_prob)
    if number is None or not believable(number, plate_prob=plate_prob):
        number = unknown_number_of(read) if plate_prob >= PLATE_PROB_MIN else None
    if number is None:
        return None
    if detection.text_corners is not None and not plate_like(ground_of(crop)):
        return None
    corners = plate_corners(detection, number)
    spans = carried(
        spans_of(number.places, number.series.dash_after, number.hole), view or detection.reading_corners, corners
    )
    return PlateSeen(number, corners, detection.prob, read.raw_text, sharpness(crop), spans)


def without_its_dash(number: SeriesRead) -> SeriesRead:
    """A number whose dash our own reader did not see where its series prints it: the signs beside that place are in doubt.

    Of 1,996 right reads of held-out plates, whole and spoilt in nine ways, 1,994 have their dash; of 10 without it 8 are wrong.
    A price tag has none.
    """
    return doubted(number, number.series.dash_after - 1, number.series.dash_after)


def doubted(number: SeriesRead, *places: int) -> SeriesRead:
    """The number with some of its places doubtful, whatever the reader says of them."""
    probs = [min(p, HOLE_PROB) if place in places else p for place, p in enumerate(number.char_probs)]
    return msgspec.structs.replace(number, char_probs=tuple(probs))


def within(plate: PlateSeen, width: int, height: int, cut_share: float = CUT_SHARE) -> PlateSeen | None:
    """What may be said of a plate that the frame's edge cuts: half a plate reads as another number.

    None where a side of it lies outside by more than `cut_share` of its width; where a side lies at the very edge, the
    character there is in doubt, since another may stand beyond.
    """
    a, b, c, d = (np.asarray(corner) for corner in plate.corners)
    across = (b - a + c - d) / 2
    wide = float(np.hypot(*across))
    if wide < 1 or plate.number.hole is not None:
        return plate
    over_left, over_right = (
        max(max(0.0, -x, x - width, -y, y - height) for x, y in side) / wide for side in ((a, d), (b, c))
    )
    if max(over_left, over_right) > cut_share:
        return None
    near = AT_THE_EDGE_SHARE * wide
    at_left, at_right = (
        any(x < near or x > width - near for x, _ in side) and abs(across[0]) > abs(across[1])
        for side in ((a, d), (b, c))
    )
    if not at_left and not at_right:
        return plate
    last = len(plate.number.text) - 1
    places = [place for place, at in ((0, at_left), (last, at_right)) if at]
    return msgspec.structs.replace(plate, number=doubted(plate.number, *places))


def without_doubles(seen: list[PlateSeen]) -> list[PlateSeen]:
    """One of those that overlap: the likelier reading stays; order is from left to right."""
    kept: list[PlateSeen] = []
    for plate in sorted(seen, key=lambda s: -s.number.score):
        if all(overlap(plate.corners, other.corners) < 0.3 for other in kept):
            kept.append(plate)
    return sorted(kept, key=lambda s: s.corners[0])


def overlap(a: Corners, b: Corners) -> float:
    """Shared part of two quadrangles' upright boxes, as intersection over the smaller one."""
    shared, smaller = shared_px(a, b)
    return shared / smaller if smaller > 0 else 0.0

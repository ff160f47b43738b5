"""Every sort of plate on Taiwan's roads: size, colours, legend, generation, who wears it, which series, how often.

Sizes: 1992 cars 32 x 15 cm, current cars 38 x 16 cm (plate-series facts, S), motorcycles 26 x 14 cm (K, and the shape of the
training crops agrees: 1.86). Colours by class as in the same facts. Places of the characters are measured by eye on
training pictures (D). `share` says how often the renderer draws a style, not how often it is on the road: rare ones are
drawn often enough to be learnt.
"""

from __future__ import annotations

import msgspec

Colour = tuple[int, int, int]
"""BGR, 0 to 255."""

WHITE: Colour = (238, 238, 236)
BLACK: Colour = (30, 27, 26)
RED: Colour = (40, 28, 190)
GREEN: Colour = (62, 112, 20)
DEEP_GREEN: Colour = (70, 118, 22)
YELLOW: Colour = (30, 190, 245)
PLATE_RED: Colour = (42, 32, 186)
LIGHT_GREEN: Colour = (80, 140, 40)

PLACES = ("台灣省", "台灣省", "台灣省", "台北市", "台北市", "高雄市", "高雄市", "金門縣", "連江縣")
"""Legends of old plates, common ones more often."""


class PlateStyle(msgspec.Struct, frozen=True):
    """One sort of plate.

    Attributes:
        forms: shapes of number with their weights; see `train.plates.text`.
        legend: "" none, "place" one of `PLACES`, else the words themselves.
        height: of the characters, in shares of the plate's height.
        middle: where the line of characters stands, 0 (top) to 1.
        cell, gap, dash: width of a character, room between two, and room at the dash, in shares of their height.
        blossoms: embossed plum blossoms under the number.
        lower_holes: slots at the lower edge as well.
    """

    width_cm: float
    height_cm: float
    generation: int
    vehicles: tuple[str, ...]
    forms: tuple[tuple[str, float], ...]
    share: float
    face: Colour = WHITE
    ink: Colour = BLACK
    legend: str = ""
    height: float = 0.555
    middle: float = 0.54
    cell: float = 0.485
    gap: float = 0.085
    dash: float = 0.28
    blossoms: bool = False
    lower_holes: bool = False


def _new_car(forms: str, share: float, **more: object) -> PlateStyle:
    base: dict[str, object] = {
        "width_cm": 38.0, "height_cm": 16.0, "generation": 2012, "vehicles": ("car",), "forms": ((forms, 1.0),),
        "share": share, "blossoms": True,
    }  # fmt: skip
    return PlateStyle(**{**base, **more})  # type: ignore[arg-type]


def _old_car(share: float, **more: object) -> PlateStyle:
    base: dict[str, object] = {
        "width_cm": 32.0, "height_cm": 15.0, "generation": 1992, "vehicles": ("car",), "share": share, "height": 0.585,
        "forms": (("DDDD-LL", 4.0), ("LL-DDDD", 3.0), ("DDDD-LD", 2.0), ("DDDD-DL", 1.0), ("LD-DDDD", 1.0), ("DL-DDDD", 2.0)),
        "middle": 0.545, "cell": 0.49, "gap": 0.075, "dash": 0.3, "lower_holes": True,
    }  # fmt: skip
    return PlateStyle(**{**base, **more})  # type: ignore[arg-type]


def _new_moto(forms: str, share: float, **more: object) -> PlateStyle:
    base: dict[str, object] = {
        "width_cm": 26.0, "height_cm": 14.0, "generation": 2012, "vehicles": ("motorcycle",), "forms": ((forms, 1.0),),
        "share": share, "height": 0.47, "middle": 0.53, "cell": 0.45, "gap": 0.075, "dash": 0.24, "blossoms": True,
    }  # fmt: skip
    return PlateStyle(**{**base, **more})  # type: ignore[arg-type]


def _old_moto(share: float, **more: object) -> PlateStyle:
    base: dict[str, object] = {
        "width_cm": 26.0, "height_cm": 14.0, "generation": 1992, "vehicles": ("motorcycle",), "share": share,
        "forms": (("DDD-LLL", 6.0), ("LLL-DDD", 1.5), ("LLD-DDD", 1.0), ("LDL-DDD", 1.0), ("DLL-DDD", 0.7), ("LDD-DDD", 0.4)),
        "height": 0.475, "middle": 0.59, "cell": 0.49, "gap": 0.105, "dash": 0.42,
    }  # fmt: skip
    return PlateStyle(**{**base, **more})  # type: ignore[arg-type]


_OLD_LETTERS_FIRST = (("LLD-DDD", 1.0), ("LDL-DDD", 1.0), ("LLL-DDD", 1.2), ("DLL-DDD", 0.6), ("LDD-DDD", 0.4))
_HEAVY_FORMS = (
    ("DDD-LL", 2.0),
    ("LL-DDD", 2.0),
    ("DDD-LD", 0.7),
    ("DDD-DL", 0.5),
    ("LD-DDD", 0.6),
    ("DL-DDD", 0.6),
    ("LL-DD", 0.4),
    ("DD-LL", 0.4),
)
_TRUCKS = ("truck", "bus")

STYLES: dict[str, PlateStyle] = {
    "car-2012": _new_car("private-car", 24.0),
    "moto-2012": _new_moto("motorcycle", 22.0),
    "car-1992": _old_car(9.0),
    "car-1992-legend": _old_car(5.0, legend="place"),
    "moto-1992": _old_moto(9.0),
    "moto-1992-legend": _old_moto(8.0, legend="place", forms=_OLD_LETTERS_FIRST),
    "car-electric": _new_car("electric", 2.0, legend="電動車", height=0.52, middle=0.58),
    "moto-electric": _new_moto("electric", 4.0, legend="電動車", middle=0.55),
    "car-electric-green": _new_car("electric", 1.2, legend="電動車", face=DEEP_GREEN, ink=WHITE, height=0.52, middle=0.58),
    "car-accessible": _new_car("accessible", 0.8),
    "taxi": _new_car("taxi", 2.2, ink=RED),
    "taxi-2012-3": _new_car("taxi-3+3", 0.7, ink=RED, dash=0.4, gap=0.12),
    "taxi-1992": _old_car(1.0, ink=RED),
    "rental": _new_car("rental", 2.5),
    "rental-red": _new_car("rental", 0.8, ink=RED),
    "heavy-2012": _new_car("heavy", 2.2, vehicles=_TRUCKS, ink=GREEN),
    "heavy-2012-3": _new_car("heavy-3+3", 1.0, vehicles=_TRUCKS, ink=GREEN, dash=0.4, gap=0.12),
    "heavy-2012-black": _new_car("heavy", 1.0, vehicles=_TRUCKS),
    "heavy-commercial": _new_car("heavy", 2.4, vehicles=_TRUCKS, face=DEEP_GREEN, ink=WHITE),
    "heavy-1992": _old_car(1.6, vehicles=_TRUCKS, forms=_HEAVY_FORMS, ink=GREEN, gap=0.12, dash=0.42),
    "heavy-1992-black": _old_car(0.8, vehicles=_TRUCKS, forms=_HEAVY_FORMS, gap=0.12, dash=0.42),
    "heavy-1992-commercial": _old_car(1.4, vehicles=_TRUCKS, forms=_HEAVY_FORMS, face=DEEP_GREEN, ink=WHITE, gap=0.12, dash=0.42),
    "moto-large-yellow": _new_moto("large", 3.6, face=YELLOW),
    "moto-large-red": _new_moto("large", 4.8, face=PLATE_RED, ink=WHITE),
    "moto-light-green": _new_moto("light", 2.4, face=LIGHT_GREEN, ink=WHITE),
    "moto-light": _new_moto("light", 0.8, ink=GREEN),
    "moto-1992-light": _old_moto(1.6, face=LIGHT_GREEN, ink=WHITE),
    "moto-1992-large": _old_moto(1.2, face=PLATE_RED, ink=WHITE, forms=_HEAVY_FORMS),
    "micro-electric": _new_moto("micro", 0.8, width_cm=22.0, height_cm=11.0, height=0.5, gap=0.08, blossoms=False),
    "micro-electric-green": _new_moto("micro", 0.5, width_cm=22.0, height_cm=11.0, height=0.5, gap=0.08, ink=GREEN, blossoms=False),
    "moto-1980": _old_moto(0.5, forms=(("DDD-DDDD", 1.0),), cell=0.44, gap=0.07, dash=0.3, height=0.46, legend="place"),
}  # fmt: skip

VEHICLES = ("car", "motorcycle", "truck", "bus")

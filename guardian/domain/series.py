"""The series of Taiwanese plates: which characters stand where, where the dash goes, which vehicles wear them.

Every rule carries its grade of certainty: S a source says so, D seen in labelled pictures, K common knowledge that
nobody checked. Normal form is upper case without dash, so one text may fit several series (`LLDDDD` is an old car
LL-DDDD or an old motorcycle LLD-DDD); `series_of` gives them likeliest first and a dash that was seen decides.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

import msgspec


class Grade(StrEnum):
    """How sure a rule is."""

    SOURCE = "S"
    DATA = "D"
    KNOWLEDGE = "K"


class VehicleClass(StrEnum):
    """Kinds of vehicle that a plate can imply."""

    CAR = "car"
    TAXI = "taxi"
    RENTAL = "rental"
    HEAVY = "heavy"  # buses, coaches, trucks, tractors, trailers
    ELECTRIC_CAR = "electric_car"
    ACCESSIBLE = "accessible"  # vehicles of disabled persons
    MOTORCYCLE = "motorcycle"  # ordinary heavy, 50-250 cc
    LIGHT_MOTORCYCLE = "light_motorcycle"
    LARGE_MOTORCYCLE = "large_motorcycle"  # over 250 cc
    ELECTRIC_MOTORCYCLE = "electric_motorcycle"
    MICRO_ELECTRIC = "micro_electric"  # micro electric two-wheelers


class Series(msgspec.Struct, frozen=True):
    """One pattern of numbers on the road.

    `pattern` matches the normal form; `dash_after` is how many characters stand before the dash.
    """

    id: str
    pattern: str
    dash_after: int
    classes: tuple[VehicleClass, ...]
    issued: str
    example: str
    grade: Grade
    source: str

    def fits(self, text: str) -> bool:
        """Whether a normal form fits this series."""
        return _compiled(self.pattern).fullmatch(text) is not None

    def display(self, text: str) -> str:
        """The text with the dash where this series prints it; without one where it prints none."""
        if not 0 < self.dash_after < len(text):
            return text
        return f"{text[: self.dash_after]}-{text[self.dash_after :]}"


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


_C = VehicleClass
_CARS = (_C.CAR, _C.TAXI, _C.RENTAL)
_OLD_MOTO = (_C.MOTORCYCLE, _C.LIGHT_MOTORCYCLE, _C.LARGE_MOTORCYCLE)

# Order is likelihood on the road in 2026, counted in the labelled pictures (D).
SERIES: tuple[Series, ...] = (
    Series(
        "2012-3+4",
        r"[A-HJ-NP-Z]{3}[0-35-9]{4}",
        3,
        tuple(VehicleClass)[:-1],
        "2012-12-",
        "ABC-1235",
        Grade.SOURCE,
        "Directorate General of Highways' rule as quoted by TVBS, 2022-05; 0 of 1,600 labelled crops break it",
    ),
    Series(
        "1992-car-4+2",
        r"\d{4}[A-Z]{2}",
        4,
        _CARS,
        "1992-2012",
        "3022-JM",
        Grade.SOURCE,
        "Wikipedia, Vehicle registration plates of Taiwan; labelled crops",
    ),
    Series(
        "1992-car-2+4",
        r"[A-Z]{2}\d{4}",
        2,
        _CARS,
        "1992-2012",
        "AB-1235",
        Grade.SOURCE,
        "Wikipedia, Vehicle registration plates of Taiwan; labelled crops",
    ),
    Series(
        "1992-car-4+2b",
        r"\d{4}(?:[A-Z]\d|\d[A-Z])",
        4,
        _CARS,
        "1992-2012, second run",
        "9465-Q2",
        Grade.DATA,
        "labelled crops",
    ),
    Series(
        "1992-car-2+4b",
        r"(?:[A-Z]\d|\d[A-Z])\d{4}",
        2,
        _CARS,
        "1992-2012, second run",
        "6E-8080",
        Grade.DATA,
        "labelled crops",
    ),
    Series(
        "3+3-letters-first",
        r"[A-Z]{3}\d{3}",
        3,
        (*_OLD_MOTO, _C.HEAVY, _C.TAXI),
        "1992-2014",
        "CSN-063",
        Grade.DATA,
        "old motorcycles (labelled crops); heavy vehicles and taxis of 2012-2014 (quickpedia table)",
    ),
    Series("1992-moto-3+3", r"\d{3}[A-Z]{3}", 3, _OLD_MOTO, "1992-2012", "366-TBM", Grade.SOURCE, "labelled crops"),
    Series(
        "1992-moto-3+3b",
        r"(?=.*[A-Z])[A-Z0-9]{3}\d{3}",
        3,
        _OLD_MOTO,
        "1992-2012",
        "MR2-771",
        Grade.DATA,
        "labelled crops",
    ),
    Series(
        "1992-heavy-3+2",
        r"\d{3}(?:[A-Z]{2}|[A-Z]\d|\d[A-Z])",
        3,
        (_C.HEAVY, _C.LARGE_MOTORCYCLE),
        "1992-2012",
        "687-WB",
        Grade.DATA,
        "labelled crops",
    ),
    Series(
        "1992-heavy-2+3",
        r"(?:[A-Z]{2}|[A-Z]\d|\d[A-Z])\d{3}",
        2,
        (_C.HEAVY, _C.LARGE_MOTORCYCLE),
        "1992-2012",
        "SS-457",
        Grade.SOURCE,
        "1992 templates of blitzingeagle/TaiwanLicensePlate",
    ),
    Series(
        "1992-heavy-2+2",
        r"[A-Z]{2}\d{2}|\d{2}[A-Z]{2}",
        2,
        (_C.HEAVY, _C.LARGE_MOTORCYCLE),
        "1992-2012",
        "AB-12",
        Grade.SOURCE,
        "1992 templates of blitzingeagle/TaiwanLicensePlate",
    ),
    Series(
        "micro-electric-2+5",
        r"[A-Z]{2}\d{5}",
        2,
        (_C.MICRO_ELECTRIC,),
        "2022-",
        "AB-12356",
        Grade.SOURCE,
        "nextapple 2023, quoting the highway authority",
    ),
    Series(
        "1980-moto-3+4",
        r"\d{7}",
        3,
        (_C.MOTORCYCLE, _C.LIGHT_MOTORCYCLE),
        "1980s-1993",
        "048-0580",
        Grade.SOURCE,
        "quickpedia, table of Taiwanese numbers",
    ),
)
SERIES_BY_ID = {s.id: s for s in SERIES}

# First letter of the 2012 series, by class; letters that no source names stay with every class.
_FIRST_LETTER: dict[str, tuple[tuple[VehicleClass, ...], Grade]] = {
    **dict.fromkeys("ABC", ((_C.CAR,), Grade.SOURCE)),
    "R": ((_C.RENTAL,), Grade.SOURCE),
    "T": ((_C.TAXI,), Grade.DATA),
    "E": ((_C.ELECTRIC_CAR, _C.ELECTRIC_MOTORCYCLE), Grade.SOURCE),
    "M": ((_C.MOTORCYCLE,), Grade.SOURCE),
    "N": ((_C.MOTORCYCLE,), Grade.DATA),
    "L": ((_C.LARGE_MOTORCYCLE,), Grade.DATA),
    "Q": ((_C.LIGHT_MOTORCYCLE,), Grade.DATA),
    **dict.fromkeys("KFPHJ", ((_C.HEAVY,), Grade.SOURCE)),
    "W": ((_C.ACCESSIBLE,), Grade.SOURCE),
}


@lru_cache(maxsize=65536)
def series_of(text: str, dash_after: int | None = None) -> tuple[Series, ...]:
    """Every series that a normal form fits, likeliest first; those that agree with a seen dash come before the rest."""
    fitting = [s for s in SERIES if s.fits(text)]
    if dash_after is not None:
        fitting.sort(key=lambda s: s.dash_after != dash_after)  # stable: keeps likelihood within each half
    return tuple(fitting)


def classes_of(text: str, dash_after: int | None = None) -> tuple[VehicleClass, ...]:
    """The vehicle classes that a number implies, likeliest first; empty where no series fits."""
    fitting = series_of(text, dash_after)
    if not fitting:
        return ()
    if fitting[0].id == "2012-3+4":
        known = _FIRST_LETTER.get(text[0])
        if known is not None:
            return known[0]
    classes: dict[VehicleClass, None] = {}
    for series in fitting:
        if dash_after is None or series.dash_after == dash_after:
            classes.update(dict.fromkeys(series.classes))
    return tuple(classes) or fitting[0].classes

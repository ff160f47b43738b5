"""The rest of a shift, made up: which units drive where through 大安, and which vehicles they have seen, by a seed.

Pure: the same roads, seed and moment give the same shift; who sends it to a cloud is another's work (`cli.shift`). It
stands in for units that nobody has on one machine, and it says so: clock and position of every sighting carry the source
`simulated`. Units drive loops over real roads; a sighting lies where its unit was at that moment, so trails are
plausible. Numbers come from blocks that were not in use (`traffic.invent_plate`).
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec
import numpy as np

from guardian.domain.moment import Clock
from guardian.domain.plate import CONFUSABLE, Plate
from guardian.domain.position import Position, bearing_deg, distance_m
from guardian.domain.read import Alternative, Corners, PhotoRef, Read, VehicleLook
from guardian.footage.traffic import invent_plate, style_of
from guardian.footage.vehicles import Body
from guardian.roads import RoadGraph

SHIFT_MS = 7 * 3_600_000
"""How long the units have been out when the shift is planned."""
SOURCE = "simulated"
_STOP_S = 70.0  # one wave of driving and slowing down
_BODIES = [
    "sedan",
    "sedan",
    "sedan",
    "suv",
    "suv",
    "hatchback",
    "van",
    "taxi",
    "taxi",
    "scooter",
    "scooter",
    "scooter",
    "scooter",
    "truck",
    "bus",
]
_COLOURS = ["white", "white", "white", "silver", "grey", "grey", "black", "black", "blue", "red", "brown", "green"]


class ShiftUnit(msgspec.Struct, frozen=True, kw_only=True):
    """A made-up unit: its loop as pairs of roads that cross, how fast it goes, how many vehicles an hour it sees."""

    name: str
    kind: str  # car | motorcycle | foot
    corners: tuple[tuple[str, str], ...]
    speed_kmh: float
    reads_an_hour: int
    silent_for_ms: int | None = None  # it has sent nothing for so long
    clock_offset_ms: int = 12


UNITS: tuple[ShiftUnit, ...] = (
    ShiftUnit(
        name="大安 1 號", kind="car", speed_kmh=24, reads_an_hour=11,
        corners=(("建國南路二段", "信義路三段"), ("建國南路二段", "和平東路二段"), ("復興南路二段", "和平東路二段"), ("復興南路二段", "信義路三段")),
    ),
    ShiftUnit(
        name="大安 5 號", kind="car", speed_kmh=22, reads_an_hour=10,
        corners=(("新生南路二段", "信義路三段"), ("新生南路三段", "和平東路一段"), ("金山南路二段", "和平東路一段"), ("金山南路二段", "信義路二段")),
    ),
    ShiftUnit(
        name="信義 機 2", kind="motorcycle", speed_kmh=26, reads_an_hour=9,
        corners=(("大安路一段", "信義路四段"), ("大安路二段", "和平東路二段"), ("復興南路二段", "和平東路二段"), ("復興南路一段", "信義路四段")),
    ),
    ShiftUnit(
        name="大安 步 4", kind="foot", speed_kmh=3.8, reads_an_hour=4,
        corners=(("師大路", "和平東路一段"), ("和平東路一段183巷", "和平東路一段"), ("和平東路一段199巷", "和平東路一段")),
    ),
    ShiftUnit(
        name="中正 1 號", kind="car", speed_kmh=23, reads_an_hour=9, clock_offset_ms=3_400,
        corners=(("金山南路一段", "信義路二段"), ("金山南路二段", "愛國東路"), ("金山南路二段", "和平東路一段"), ("新生南路二段", "信義路二段")),
    ),
    ShiftUnit(
        name="信義 2 號", kind="car", speed_kmh=25, reads_an_hour=8, silent_for_ms=14 * 60_000,
        corners=(("大安路一段", "信義路四段"), ("復興南路二段", "信義路四段"), ("復興南路二段", "信義路三段")),
    ),
)  # fmt: skip
"""Kinds, a walking officer, one clock that is wrong, one unit that was last heard of a quarter of an hour ago."""


class Loop:
    """A way driven round and round: where a unit is after so many seconds."""

    def __init__(self, points: Sequence[tuple[float, float]], speed_kmh: float) -> None:
        self.points = [points[0]]
        for point in points[1:]:
            if point != self.points[-1]:
                self.points.append(point)
        self._along = [0.0]
        for (alon, alat), (blon, blat) in pairwise(self.points):
            self._along.append(self._along[-1] + distance_m(alat, alon, blat, blon))
        self.length_m = self._along[-1]
        self._speed = speed_kmh / 3.6

    def at(self, seconds: float) -> tuple[float, float, float, float]:
        """Longitude, latitude, heading (degrees from north) and speed (km/h) after so many seconds."""
        wave = 2 * math.pi / _STOP_S
        gone = self._speed * (seconds + 0.85 / wave * math.sin(wave * seconds))
        speed = self._speed * (1 + 0.85 * math.cos(wave * seconds))
        along = gone % self.length_m
        leg = min(max(bisect_right(self._along, along) - 1, 0), len(self.points) - 2)
        (alon, alat), (blon, blat) = self.points[leg], self.points[leg + 1]
        share = (along - self._along[leg]) / (self._along[leg + 1] - self._along[leg])
        heading = bearing_deg(alat, alon, blat, blon)
        return alon + (blon - alon) * share, alat + (blat - alat) * share, heading, speed * 3.6


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """One vehicle seen by one unit. `plate` is what it wears, `text` what was read of it."""

    unit: int
    captured_ms: int
    plate: str
    text: str
    char_probs: tuple[float, ...]
    alternatives: tuple[tuple[Alternative, ...], ...]
    style: str
    body: Body
    colour: str
    position: Position
    pictured: bool
    planned_hit: bool = False
    still: str = ""  # name of its picture in `stills`, where there is one

    def as_read(
        self,
        device_id: str,
        sequence: int,
        *,
        crop: PhotoRef | None = None,
        overview: PhotoRef | None = None,
        corners: Corners | None = None,
        clock_offset_ms: int = 0,
    ) -> Read:
        """The read that the unit's device sends."""
        plate = Plate(self.text)
        return Read(
            device_id=device_id, boot=1, sequence=sequence, captured_ms=self.captured_ms, text=self.text,
            raw_text=self.text, char_probs=self.char_probs, confidence_prob=min(self.char_probs),
            dash_after=plate.series.dash_after if plate.series else None, series=plate.series.id if plate.series else "",
            vehicle_classes=tuple(str(c) for c in plate.vehicle_classes), alternatives=self.alternatives,
            clock=Clock(clock_offset_ms, SOURCE, 2_000, True), position=self.position, unit=UNITS[self.unit].name,
            look=VehicleLook(kind=_kind_of(self.body), colour=self.colour, body=str(self.body)), crop=crop,
            overview=overview, corners=corners, frames_seen=5 + sequence % 9,
        )  # fmt: skip


class _Vehicle(msgspec.Struct, frozen=True):
    plate: str
    body: Body
    colour: str
    style: str


class PlannedHit(msgspec.Struct, frozen=True):
    """A watched vehicle that the shift meets: who, how long ago, and the slip of the reader, if any."""

    plate: str
    unit: int
    ago_s: float
    slip: tuple[int, str] | None = None  # place, and the character that was read there
    doubtful: int | None = None  # place whose character was right but not sure
    still: int = 1  # which of its stills


# The demo's watched vehicles (`demo_watchlist`) at other places before its film meets them; a look-alike comes at once.
EARLIER: tuple[PlannedHit, ...] = (
    PlannedHit("CZB5081", 4, 5.2 * 3600),
    PlannedHit("CZB5081", 1, 2.6 * 3600, still=2),
    PlannedHit("NZH7715", 3, 3.1 * 3600),
    PlannedHit("CYD0819", 0, 1.4 * 3600, doubtful=2),
    PlannedHit("TZM0388", 5, 1.9 * 3600),
    PlannedHit("0935ZX", 2, 4.4 * 3600),
    PlannedHit("CXW2637", 1, 1.1 * 3600),
)
AT_ONCE: tuple[PlannedHit, ...] = (PlannedHit("CZX9913", 0, 25, slip=(6, "8")),)
SOON: tuple[PlannedHit, ...] = (PlannedHit("MZY3081", 2, -40),)
BODY_OF = {
    "CZB5081": Body.SEDAN, "NZH7715": Body.SCOOTER, "CYD0819": Body.SUV, "TZM0388": Body.TAXI, "0935ZX": Body.HATCH,
    "CXW2637": Body.SEDAN, "CZX9913": Body.SEDAN, "MZY3081": Body.SCOOTER,
}  # fmt: skip
SEEN_TWICE = ("CZB5081",)

# A vehicle that is read in several ways, for a search that looks for look-alikes.
MISREAD_PLATE = "CXY8036"
_MISREADINGS: tuple[tuple[int, str] | None, ...] = (None, (2, "V"), None, (5, "8"), None, (4, "8"))


class Shift:
    """A planned shift. `history` is in order of capture; `live` goes on for as long as anybody asks."""

    def __init__(self, graph: RoadGraph, *, seed: int, now_ms: int, colours: Mapping[str, str] | None = None) -> None:
        """Plan it.

        Args:
            graph: of the extract `taipei-daan`.
            now_ms: the moment at which the history ends and the live part begins.
            colours: of the demo's vehicles, as its film shows them; white where not given.
        """
        self.seed, self.now_ms, self.start_ms = seed, now_ms, now_ms - SHIFT_MS
        self._colours = dict(colours or {})
        self.loops = [_loop(graph, unit) for unit in UNITS]
        self._rng = random.Random(f"shift-{seed}")  # noqa: S311 - made-up traffic
        self._plates = np.random.default_rng((seed, 41))
        self._used = set(BODY_OF)
        self.history = self._plan_history()
        self.at_once = tuple(self._planned(hit) for hit in AT_ONCE)
        self.soon = tuple(self._planned(hit) for hit in SOON)

    def position(self, unit: int, at_ms: int) -> Position:
        """Where a unit is or was, with a receiver's small error (the same for the same second)."""
        lon, lat, heading, speed = self.loops[unit].at((at_ms - self.start_ms) / 1000 + unit * 211.0)
        dice = random.Random(f"{self.seed}-{unit}-{at_ms // 1000}")  # noqa: S311
        lat += dice.gauss(0, 2.0) / 111_195
        lon += dice.gauss(0, 2.0) / (111_195 * math.cos(math.radians(lat)))
        foot = UNITS[unit].kind == "foot"
        return Position(
            lat_deg=round(lat, 6), lon_deg=round(lon, 6), fixed_ms=at_ms, accuracy_m=round(dice.uniform(3.0, 7.5), 1),
            heading_deg=None if foot or speed < 3 else round(heading, 1), speed_kmh=round(speed, 1), source=SOURCE,
        )  # fmt: skip

    def reads_last_hour(self, unit: int, at_ms: int) -> int:
        """How many vehicles of the history the unit saw in the hour before a moment."""
        return sum(s.unit == unit and at_ms - 3_600_000 < s.captured_ms <= at_ms for s in self.history)

    def live(self, unit: int, at_ms: int) -> Sighting:
        """A vehicle that the unit sees now."""
        return self._see(unit, at_ms, self._invent())

    def _plan_history(self) -> tuple[Sighting, ...]:
        seen: list[Sighting] = []
        for hit in EARLIER:
            seen.append(self._planned(hit))
        for vehicle, slips in self._regulars():
            at_ms = self.start_ms + self._rng.uniform(0.05, 0.45) * SHIFT_MS
            for slip in slips:
                unit = self._rng.choice([0, 1, 2, 4, 5])
                seen.append(self._see(unit, int(at_ms), vehicle, slip=slip, pictured=True))
                at_ms += self._rng.uniform(14, 38) * 60_000
        for unit, it in enumerate(UNITS):
            for _ in range(round(it.reads_an_hour * SHIFT_MS / 3_600_000)):
                at_ms = int(self.start_ms + self._rng.uniform(0.0, 0.985) * SHIFT_MS)
                seen.append(self._see(unit, at_ms, self._invent(), pictured=self._rng.random() < 0.35))
        last_ms = [self.now_ms - (unit.silent_for_ms or 60_000) for unit in UNITS]
        return tuple(
            sorted((s for s in seen if s.captured_ms < last_ms[s.unit]), key=lambda s: (s.captured_ms, s.unit))
        )

    def _regulars(self) -> list[tuple[_Vehicle, tuple[tuple[int, str] | None, ...]]]:
        self._used.add(MISREAD_PLATE)
        special = _Vehicle(MISREAD_PLATE, Body.SUV, "grey", style_of(MISREAD_PLATE, Body.SUV))
        others = [(self._invent(), (None,) * self._rng.randint(3, 6)) for _ in range(12)]
        return [(special, _MISREADINGS), *others]

    def _invent(self) -> _Vehicle:
        """A vehicle whose number is nobody's here and not near a watched one, so that it raises no hit by chance."""
        while True:
            body = Body(self._rng.choice(_BODIES))
            plate, style = invent_plate(self._plates, body)
            if plate in self._used or any(_apart(plate, watched) < 3 for watched in BODY_OF):
                continue
            self._used.add(plate)
            return _Vehicle(plate, body, "yellow" if body is Body.TAXI else self._rng.choice(_COLOURS), style)

    def _planned(self, hit: PlannedHit) -> Sighting:
        body = BODY_OF[hit.plate]
        vehicle = _Vehicle(hit.plate, body, self._colours.get(hit.plate, "white"), style_of(hit.plate, body))
        at_ms = self.now_ms - int(hit.ago_s * 1000)
        seen = self._see(hit.unit, at_ms, vehicle, slip=hit.slip, sure=True, doubtful=hit.doubtful, pictured=True)
        return msgspec.structs.replace(seen, planned_hit=True, still=f"{hit.plate}-{hit.still}")

    def _see(
        self,
        unit: int,
        at_ms: int,
        vehicle: _Vehicle,
        *,
        slip: tuple[int, str] | None = None,
        sure: bool = False,
        doubtful: int | None = None,
        pictured: bool = True,
    ) -> Sighting:
        rng = self._rng
        text = vehicle.plate
        weak = slip[0] if slip else doubtful
        if weak is None and not sure and rng.random() < 0.14:
            weak = rng.randrange(len(text))
        probs = [round(rng.uniform(0.91, 0.997), 3) for _ in text]
        alternatives: tuple[tuple[Alternative, ...], ...] = ()
        if weak is not None:
            probs[weak] = round(rng.uniform(0.46, 0.74), 3)
            other = text[weak] if slip else max(CONFUSABLE[text[weak]].items(), key=lambda pair: pair[1])[0]
            spread = [() for _ in text]  # type: list[tuple[Alternative, ...]]
            spread[weak] = (Alternative(other, round(1 - probs[weak] - 0.08, 3)),)
            alternatives = tuple(spread)
        if slip:
            text = text[: slip[0]] + slip[1] + text[slip[0] + 1 :]
        return Sighting(
            unit=unit, captured_ms=at_ms, plate=vehicle.plate, text=text, char_probs=tuple(probs),
            alternatives=alternatives, style=vehicle.style, body=vehicle.body, colour=vehicle.colour,
            position=self.position(unit, at_ms), pictured=pictured,
        )  # fmt: skip


def _loop(graph: RoadGraph, unit: ShiftUnit) -> Loop:
    nodes = [graph.crossing(one, other) for one, other in unit.corners]
    return Loop(graph.through([*nodes, nodes[0]]).points, unit.speed_kmh)


def _apart(one: str, other: str) -> int:
    if len(one) != len(other):
        return 9 if abs(len(one) - len(other)) > 1 else 3
    return sum(a != b for a, b in zip(one, other, strict=True))


def _kind_of(body: Body) -> str:
    return {Body.SCOOTER: "motorcycle", Body.TRUCK: "truck", Body.BUS: "bus"}.get(body, "car")

"""Stills of the vehicles that the made-up shift hits: frames of two drives of our own, in the package as JPEG.

Drawing one takes a second or more, so that the demo takes them ready-made; `guardian footage stills` makes them anew.
Beside them lies `stills.json` with the plate's corners in each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

import cv2
import msgspec
import numpy as np

from guardian.domain.errors import InputRefusedError
from guardian.domain.read import Corners, pack_places
from guardian.footage.light import Light
from guardian.footage.model import DriveSpec
from guardian.footage.plate_art import sign_places
from guardian.footage.render import Studio
from guardian.footage.traffic import COLOURS, Actor
from guardian.footage.vehicles import Body
from guardian.footage.write import build_studio, is_readable

STILLS = Path(__file__).parent / "data" / "demo" / "stills"
_QUALITY = 74
_WANTED_M = 9.6  # from the lens to the middle of the vehicle
_TRIES_MAX = 12


class Still(msgspec.Struct, frozen=True):
    """One picture: whose it is, how large, and where its plate stands (pixels, clockwise from the top left)."""

    name: str
    width_px: int
    height_px: int
    corners: Corners

    @property
    def path(self) -> Path:
        """The JPEG."""
        return STILLS / f"{self.name}.jpg"

    def _cut(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom of the crop in the picture: the plate with some room around it."""
        xs, ys = [x for x, _ in self.corners], [y for _, y in self.corners]
        room = (max(ys) - min(ys)) * 0.35
        return (
            max(0, int(min(xs) - room)), max(0, int(min(ys) - room)),
            min(self.width_px, int(max(xs) + room)), min(self.height_px, int(max(ys) + room)),
        )  # fmt: skip

    def places(self, plate: str) -> bytes:
        """Where the signs of its plate stand in the crop, as a read carries it."""
        (ax, _), (bx, _), (cx, _), (dx, _) = self.corners
        left, _, right, _ = self._cut()
        begin, wide = (ax + dx) / 2, (bx + cx - ax - dx) / 2
        return pack_places(
            [
                ((begin + a * wide - left) / (right - left), (begin + b * wide - left) / (right - left))
                for a, b in sign_places(plate)
            ]
        )

    def crop(self, jpeg: bytes) -> tuple[bytes, int, int]:
        """The plate cut out of the picture with some room around it: JPEG bytes, width, height."""
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise InputRefusedError(f"The still {self.name} is no picture.", reference="still-broken")
        left, top, right, bottom = self._cut()
        cut = cv2.resize(picture[top:bottom, left:right], None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        _, small = cv2.imencode(".jpg", cut, [cv2.IMWRITE_JPEG_QUALITY, 88])
        return small.tobytes(), cut.shape[1], cut.shape[0]


@lru_cache(maxsize=1)
def load_stills() -> dict[str, Still]:
    """The stills of the package by name (`CZB5081-1`)."""
    listed = msgspec.json.decode((STILLS / "stills.json").read_bytes(), type=list[Still])
    return {still.name: still for still in listed}


def render_stills(
    out: Path,
    vehicles: Mapping[str, Body],
    colours: Mapping[str, str],
    again: Mapping[str, Body],
    tell: Callable[[str], None] = lambda _: None,
) -> list[Still]:
    """Film the vehicles on one drive, and those of `again` once more on another; write pictures and list to `out`."""
    out.mkdir(parents=True, exist_ok=True)
    made: list[Still] = []
    for number, (cast, roads, seed) in enumerate(
        (
            (vehicles, ("建國南路二段", "和平東路二段", "復興南路二段"), 23),
            (again, ("新生南路三段", "和平東路一段", "金山南路二段"), 31),
        ),
        start=1,
    ):
        spec = DriveSpec(
            seconds=12.5 * max(2, len(cast)), light=Light.DUSK, seed=seed, roads=roads, start_m=60.0,
            plates=tuple(cast.items()),
        )  # fmt: skip
        studio = build_studio(spec)
        ours = [actor for actor in studio.traffic.actors if actor.plate in cast]
        for actor in ours:  # all before the first shot: paint is kept from the first frame on
            actor.colour = colours.get(actor.plate, "white")
            actor.paint = COLOURS[actor.colour]
        for actor in ours:
            made.append(_shoot(studio, actor, {one.number for one in ours}, f"{actor.plate}-{number}", out))
            tell(made[-1].name)
    (out / "stills.json").write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n")
    return made


def _shoot(studio: Studio, actor: Actor, cast: set[int], name: str, out: Path) -> Still:
    """The first frame, nearest to the wanted distance, in which the plate can be read; nobody else of the cast is in it."""
    spec = studio.spec
    ranked: list[tuple[float, int]] = []
    for frame in range(0, studio.frames, 3):
        along, aside = actor.at(frame / spec.frames_per_s)
        ahead = along - studio.traffic.ego(frame / spec.frames_per_s)
        if 7.0 < ahead < 16 and abs(aside) < 3.7:
            ranked.append((abs(ahead - _WANTED_M) + 0.5 * abs(aside), frame))
    ranked.sort()
    for _, frame in ranked[:: max(1, len(ranked) // _TRIES_MAX)]:
        everybody = studio.traffic.actors
        studio.traffic.actors = _without_those_between(everybody, actor, cast, frame / spec.frames_per_s)
        try:
            picture, truth = studio.film(frame)
        finally:
            studio.traffic.actors = everybody
        view = truth.views.get(actor.number)
        if view is not None and is_readable(view):
            cv2.imwrite(str(out / f"{name}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
            return Still(name, spec.width_px, spec.height_px, view.corners)
    raise RuntimeError(f"{name} is never seen well enough on this drive")


def _without_those_between(everybody: list[Actor], actor: Actor, cast: set[int], t: float) -> list[Actor]:
    """Everybody under their numbers, with those before the vehicle, and others of the cast, sent far behind."""
    along, aside = actor.at(t)

    def between(other: Actor) -> bool:
        if other.number in cast:
            return True
        place, beside = other.at(t)
        return along - 16 < place < along + 0.5 and abs(beside - aside * 0.7) < 2.4

    def away(one: Actor) -> Actor:
        return msgspec.structs.replace(one, times=(0.0,), along_m=(-9_000.0,), aside_m=(0.0,))

    return [one if one is actor or one.parked or not between(one) else away(one) for one in everybody]

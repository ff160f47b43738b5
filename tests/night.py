"""The night that the console's stand-in shows (console/mock/night.json), sent through a real cloud: units that beat, a
list that is imported, reads with pictures that come by signed batches, items that are refused at the door.

Nothing of it is written into a store: what the console then shows came in by the ways that devices and people use.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
from PIL import Image, ImageDraw

from guardian.domain.moment import Clock
from guardian.domain.opinion import opinion_on
from guardian.domain.plate import Plate
from guardian.domain.position import Position
from guardian.domain.read import Alternative, FrameVote, PhotoRef, Read, VehicleLook
from guardian.domain.wire import Heartbeat, ReadOpinion
from guardian.footage.plate_art import STYLES, draw_plate
from tests.house import RunningCloud, TestCar, wait_until

TABLES = Path(__file__).resolve().parent.parent / "console" / "mock" / "night.json"
LAT0, LON0 = 25.0297, 121.5353
LIST = "stolen"
PASSING_READS = 16
FUTURE_MS = 1_924_992_000_000
"""31 December 2030."""


def rows(table: str) -> list[dict[str, Any]]:
    """One table of the night, a row as its columns' names say."""
    told = json.loads(TABLES.read_text(encoding="utf-8"))[table]
    return [dict(zip(told["columns"], row, strict=True)) for row in told["rows"]]


def now_ms() -> int:
    """The machine's time."""
    return time.time_ns() // 1_000_000


@dataclass
class Reporter:
    """One unit's device: numbers its reads, keeps its pictures."""

    car: TestCar
    kind: str
    sequence: int = 0
    pictures: dict[str, bytes] = field(default_factory=dict)

    def picture(self, jpeg: bytes, at_ms: int, size: tuple[int, int]) -> PhotoRef:
        """A picture to be sent after the read that names it."""
        sha256 = hashlib.sha256(jpeg).hexdigest()
        self.pictures[sha256] = jpeg
        return PhotoRef(sha256, at_ms, *size)

    def read(
        self,
        text: str,
        at_ms: int,
        *,
        place: tuple[float, float],
        doubtful: dict[int, str] | None = None,
        confidence_prob: float = 0.97,
        kind: str = "car",
        colour: str = "white",
        heading_deg: float | None = 90.0,
    ) -> Read:
        """A read as this device would send it; `doubtful`: place in the text → the other sign that it may be."""
        self.sequence += 1
        doubtful = doubtful or {}
        rng = np.random.default_rng(self.sequence + len(text) * 97)
        crop, overview = _crop(text, rng), _overview(text, colour, rng)
        crop_ref = self.picture(crop, at_ms, (190, 80))
        shown = {"suv": "car"}.get(kind, kind)
        return Read(
            device_id=self.car.device_id,
            boot=1,
            sequence=self.sequence,
            captured_ms=at_ms,
            text=text,
            raw_text=Plate(text).display,
            char_probs=tuple(confidence_prob if i in doubtful else 0.96 for i in range(len(text))),
            confidence_prob=confidence_prob if doubtful else 0.96,
            alternatives=tuple((Alternative(doubtful[i], 0.37),) if i in doubtful else () for i in range(len(text))),
            clock=Clock(40, "gps", 3000, True),
            position=Position(*place, at_ms - 400, 6.0, heading_deg, 28.0),
            unit=self.car.unit,
            look=VehicleLook(kind=shown, colour=colour),
            crop=crop_ref,
            overview=self.picture(overview, at_ms, (480, 270)),
            frames_seen=5,
            votes=tuple(FrameVote(text, confidence_prob, at_ms - 40 * i, crop_ref.sha256) for i in range(3)),
        )

    def send(self, reads: list[Read]) -> None:
        """Reads and the pictures that the cloud then wants."""
        for wanted in self.car.send(reads).photos_wanted:
            assert self.car.put_photo(wanted, self.pictures[wanted]) in (200, 201)

    def send_from_the_future(self, count: int) -> None:
        """Reads of a clock that was never set right; the cloud sets them apart."""
        good = [self.read("AQR7751", now_ms(), place=at(0, 0)) for _ in range(count)]
        bad = [
            msgspec.structs.replace(read, captured_ms=FUTURE_MS, crop=None, overview=None, votes=()) for read in good
        ]
        assert self.car.send(bad).quarantined == count


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()


def _crop(text: str, rng: np.random.Generator) -> bytes:
    drawn = draw_plate(text, STYLES["car-2012"], rng)[:, :, ::-1]
    return _jpeg(Image.fromarray(np.ascontiguousarray(drawn).astype(np.uint8)).resize((190, 80)))


def _overview(text: str, colour: str, rng: np.random.Generator) -> bytes:
    picture = Image.new("RGB", (480, 270), (46, 50, 58))
    pen = ImageDraw.Draw(picture)
    pen.polygon([(180, 0), (300, 0), (480, 270), (0, 270)], fill=(64, 66, 70))
    body = {"white": (210, 212, 214), "black": (24, 24, 28), "blue": (40, 70, 140)}.get(colour, (120, 122, 126))
    pen.rounded_rectangle((170, 100, 320, 210), 14, fill=body)
    plate = Image.open(io.BytesIO(_crop(text, rng))).resize((56, 24))
    picture.paste(plate, (218, 170))
    return _jpeg(picture)


@dataclass
class Night:
    """What was sent, and who sent it."""

    units: dict[str, Reporter]
    hits: dict[str, str]
    """Entry's text → id of its hit."""


def at(east_m: float, south_m: float) -> tuple[float, float]:
    """Latitude and longitude of a place of the table."""
    return LAT0 - south_m / 110_600, LON0 + east_m / 100_900


def pour_night(cloud: RunningCloud, operator: httpx.Client) -> Night:
    """Send the night through a cloud that knows nothing yet."""
    now = now_ms()
    units: dict[str, Reporter] = {}
    beats: dict[str, Heartbeat] = {}
    names = []
    for row in rows("units"):
        units[row["unit"]] = reporter = Reporter(
            cloud.enrol(row["unit"], kind=row["kind"], operator=operator), row["kind"]
        )
        names.append(row["unit"])
        seen = now - int(row["ago_s"] * 1000)
        position = Position(*at(row["east_m"], row["south_m"]), seen, 6.0, row["heading_deg"], float(row["speed_kmh"]))
        beats[row["unit"]] = Heartbeat(
            reporter.car.device_id,
            now,
            position=position,
            clock_source="gps",
            clock_offset_ms=40,
            temperature_c=44.0,
        )
        reporter.car.beat(beats[row["unit"]])

    # Reads of the night first: an entry that comes later looks back for exact ones, as it should.
    later: dict[str, list[Read]] = {name: [] for name in names}
    hits = rows("hits")
    for row in rows("night")[1:]:  # the first is the hit's own read
        later[row["unit"]].append(
            units[row["unit"]].read(
                row["text"], now - int(row["ago_min"] * 60_000), place=at(row["east_m"], row["south_m"]),
                confidence_prob=row["confidence_prob"], kind=row["kind"], colour=row["colour"],
            )
        )  # fmt: skip
    passing = rows("passing")
    for i in range(PASSING_READS):
        row, name = passing[i % len(passing)], names[i % 8]
        later[name].append(
            units[name].read(
                row["text"], now - (60 + i * 7) * 1000, place=at(i * 60 - 400, i * 37 - 300),
                doubtful=dict.fromkeys(row["doubtful"], "8"), confidence_prob=row["confidence_prob"],
                kind=row["kind"], colour=row["colour"],
            )
        )  # fmt: skip
    for name, reads in later.items():
        if reads:
            units[name].send(sorted(reads, key=lambda read: read.captured_ms))

    import_list(operator, list_file(hits))
    for row in hits:
        reporter = units[names[row["unit"]]]
        differing = {
            i: sign for i, (seen, sign) in enumerate(zip(row["read"], row["entry"], strict=True)) if seen != sign
        }
        read = reporter.read(
            row["read"], now_ms() - int(row["ago_s"] * 1000), place=at(row["east_m"], row["south_m"]),
            doubtful=differing, confidence_prob=row["confidence_prob"], kind=row["kind"], colour=row["colour"],
            heading_deg=row["heading_deg"],
        )  # fmt: skip
        reporter.send([read])
        second = opinion_on(
            read.text, row["second"], raw_text=row["second"], char_probs=(0.93,) * len(row["second"]), reader="ppocr",
            reader_version="v6-small", crops=3,
        )  # fmt: skip
        reporter.car.beat(msgspec.structs.replace(beats[names[row["unit"]]], opinions=(ReadOpinion(read.id, second),)))

    units["大安 機 6"].send_from_the_future(2)

    wanted = {row["entry"] for row in hits}

    def raised() -> dict[str, str] | None:
        found = {hit["entry_text"]: hit["id"] for hit in operator.get("/api/hits").raise_for_status().json()["hits"]}
        return found if wanted <= found.keys() else None

    wait_until(raised, "the night's hits", limit_s=60)
    return Night(units, _check_the_earlier(operator, [row["entry"] for row in hits]))


def _check_the_earlier(operator: httpx.Client, entries: list[str]) -> dict[str, str]:
    """The list came after the reads of the night: it looked back and found the same vehicle earlier. Those hits have been
    checked; the newest of each entry waits."""
    ids: dict[str, str] = {}
    for hit in sorted(open_hits(operator), key=lambda hit: -hit["captured_ms"]):
        if hit["entry_text"] in entries and hit["entry_text"] not in ids:
            ids[hit["entry_text"]] = hit["id"]
        else:
            judge(operator, hit["id"], "confirmed")
    return ids


def open_hits(operator: httpx.Client) -> list[dict[str, Any]]:
    """What waits."""
    return list(operator.get("/api/hits", params={"state": "open"}).raise_for_status().json()["hits"])


def judge(operator: httpx.Client, hit_id: str, verdict: str) -> None:
    """Claim it, whoever holds it, and say what it is."""
    claimed = operator.post(f"/api/hits/{hit_id}/claim", json={"take_over": True}).raise_for_status().json()
    body = {"verdict": verdict, "seen_fact": claimed["card"]["facts"]}
    operator.post(f"/api/hits/{hit_id}/verdict", json=body).raise_for_status()


def list_file(hits: list[dict[str, Any]]) -> bytes:
    """A list as another house would hand it over: Big5, the headers of its own program."""
    lines = ["車號,類別,案號,事由,優先,有效期限"]
    lines += [
        f"{Plate(row['entry']).display},{_CATEGORY[row['category']]},{row['case_number']},{row['reason']},{row['priority']},"
        for row in hits
    ]
    lines += [
        f"{plate},失竊,中山分局 115-0{840 + i} 案,失竊,2,"
        for i, plate in enumerate(("BFR-9012", "3057-JM", "KAA-9921", "AEW-6508", "BHQ-1129", "EPD-7733", "AXL-0052"))
    ]
    return "\r\n".join(lines).encode("big5")


_CATEGORY = {
    "stolen": "失竊", "case_linked": "涉案", "misappropriated": "侵占", "plate_cancelled": "註銷", "missing": "協尋",
}  # fmt: skip


def import_list(operator: httpx.Client, body: bytes, *, list_id: str = LIST) -> None:
    """Plan and apply, as a person does."""
    plan = operator.post(
        f"/api/lists/{list_id}/imports", files={"file": ("list.csv", body, "text/csv")}, data={"mode": "add"}
    )
    assert plan.is_success, plan.text
    told = plan.json()
    assert not told["refused"], told["report"][:3]
    operator.post(f"/api/imports/{told['id']}/apply", json={"confirm_removal": None}).raise_for_status()

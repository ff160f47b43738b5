"""From frames to kept reads: identity, alarm, order, and what is dropped where."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from guardian.device.alarm import AlarmDesk
from guardian.device.clock import Stamp
from guardian.device.follow import FilmFollower, StillFollower
from guardian.device.listcopy import ListInForce
from guardian.device.look import Onlooker, look_of
from guardian.device.page import CardPictures
from guardian.device.pipeline import Pipeline
from guardian.device.position import Fix, PositionKeeper
from guardian.device.source import FolderSource
from guardian.domain.errors import GuardianError
from guardian.domain.read import Corners, Read, VehicleLook
from guardian.domain.watch import WatchEntry
from guardian.domain.wire import list_digest
from guardian.vision.judge import PlateSeen
from guardian.vision.ports import VehicleSeen
from guardian.vision.weights import WeightsError
from guardian.watch.in_force import MatcherInForce
from guardian.watch.matcher import Matcher
from tests.device.rig import NOW_MS, HandClock, ScriptedEngine, ScriptedSource, entry, plate_seen, sha_of


@dataclass
class Kept:
    """In place of the spool."""

    reads: list[Read] = field(default_factory=list)
    stamps: list[Stamp] = field(default_factory=list)
    crops: list[bytes | None] = field(default_factory=list)
    overviews: list[bytes | None] = field(default_factory=list)
    votes: list[dict[str, bytes]] = field(default_factory=list)

    def put(
        self,
        read: Read,
        stamp: Stamp,
        *,
        crop: bytes | None = None,
        overview: bytes | None = None,
        votes: Mapping[str, bytes],
    ) -> None:
        self.votes.append(dict(votes))
        self.reads.append(read)
        self.stamps.append(stamp)
        self.crops.append(crop)
        self.overviews.append(overview)


def listed(*entries: WatchEntry) -> ListInForce:
    by_id = {e.id: e for e in entries}
    matcher = MatcherInForce(7, NOW_MS - 60_000, Matcher(entries))
    return ListInForce(7, NOW_MS - 60_000, list_digest(by_id), by_id, matcher, len(by_id))


def pipeline(engine: ScriptedEngine, source: object, follower: object, *entries: WatchEntry, **more: object):  # type: ignore[no-untyped-def]
    clock = HandClock()
    keeper = PositionKeeper(clock)
    keeper.tell(Fix(25.03, 121.56, clock.mono, 5.0, 90.0, 40.0))
    kept, desk = Kept(), AlarmDesk(clock.mono_ms)
    held = listed(*entries)
    line = Pipeline(
        source=source,  # type: ignore[arg-type]
        engine=engine,  # type: ignore[arg-type]
        follower=follower,  # type: ignore[arg-type]
        in_force=lambda: held,
        desk=desk,
        spool=kept,
        pictures=CardPictures(),
        clock=clock,
        positions=keeper,
        device_id="car-1",
        boot=3,
        unit="大安 3 號",
        **more,  # type: ignore[arg-type]
    )
    return line, kept, desk, clock


def test_a_vehicle_in_twelve_frames_is_one_read_with_its_pictures_place_and_votes() -> None:
    script = [[plate_seen("BKD8869", x=100 + 8 * i)] for i in range(12)]
    moments = [1_000_000 + 80 * i for i in range(12)]
    line, kept, desk, _ = pipeline(ScriptedEngine(script), ScriptedSource(moments), FilmFollower(), every_frame=True)
    line.run(threading.Event())
    (read,) = kept.reads
    assert read.text == "BKD8869"
    assert (read.device_id, read.boot, read.sequence) == ("car-1", 3, 1)
    assert read.frames_seen >= 3
    assert read.votes
    assert read.position is not None
    assert read.crop is not None
    assert kept.crops[0] is not None
    assert read.crop.sha256 == sha_of(kept.crops[0])
    assert kept.overviews[0] is not None
    assert read.overview is not None
    assert read.overview.sha256 == sha_of(kept.overviews[0])
    assert read.captured_ms - NOW_MS == kept.stamps[0].mono_ms - 1_000_000
    assert read.crop.frame_ms == read.captured_ms, "each picture carries the time of its own frame"
    # The plate is 120 px wide, its margin 8 % of 40 px to each side: 3.2 of 126.4 px.
    places = read.char_places
    assert len(places) == len(read.text)
    assert places[0] == pytest.approx((3.2 / 126.4, (3.2 + 120 / 7) / 126.4), abs=0.006)
    assert places[-1][1] == pytest.approx(123.2 / 126.4, abs=0.006)
    assert desk.view().card is None


def test_a_watched_vehicle_alarms_before_it_is_kept_and_the_read_says_what_was_told() -> None:
    script = [[plate_seen("BKD8869", x=100 + 8 * i)] for i in range(6)]
    moments = [1_000_000 + 80 * i for i in range(6)]
    line, kept, desk, _ = pipeline(
        ScriptedEngine(script), ScriptedSource(moments), FilmFollower(), entry("BKD8869"), every_frame=True
    )
    line.run(threading.Event())
    card = desk.view().card
    assert card is not None
    assert card.sure
    assert card.list_version == 7
    assert card.heading == "往東"
    (read,) = kept.reads
    assert [(h.entry_id, h.strength, h.list_version) for h in read.hits] == [("e1", "exact", 7)]
    assert card.crop_sha256 == (read.crop.sha256 if read.crop else "")
    assert line.stages.latency.items == 1


def test_a_hit_shows_the_plate_of_its_single_reads_and_a_read_without_one_sends_none() -> None:
    script = [[plate_seen("BKD8869", x=100 + 8 * i), plate_seen("MXB8063", x=300, y=350)] for i in range(6)]
    moments = [1_000_000 + 80 * i for i in range(6)]
    line, kept, _, _ = pipeline(
        ScriptedEngine(script), ScriptedSource(moments), FilmFollower(), entry("BKD8869"), every_frame=True
    )
    line.run(threading.Event())
    by_text = {read.text: (read, votes) for read, votes in zip(kept.reads, kept.votes, strict=True)}
    hit, pictures = by_text["BKD8869"]
    assert hit.crop is not None
    assert {v.crop_sha256 for v in hit.votes} == {hit.crop.sha256, *pictures}
    assert len(pictures) == len(hit.votes) - 1 == 2
    for sha256, jpeg in pictures.items():
        assert sha_of(jpeg) == sha256
        height, width = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape[:2]
        assert height <= 48
        assert width <= 200
    other, none = by_text["MXB8063"]
    assert none == {}
    assert not any(v.crop_sha256 for v in other.votes)


def test_a_hit_watched_for_long_sends_four_small_pictures_at_most() -> None:
    script = [[plate_seen("BKD8869", doubtful={4: (0.6, "6", 0.2)}, x=100 + 8 * i)] for i in range(30)]
    moments = [1_000_000 + 80 * i for i in range(30)]
    follower = FilmFollower(wanted=lambda number: number.text == "BKD8869")
    line, kept, _, _ = pipeline(
        ScriptedEngine(script), ScriptedSource(moments), follower, entry("BKD8869"), every_frame=True
    )
    line.run(threading.Event())
    assert len(kept.reads[0].votes) > 10
    assert len(kept.votes[0]) == 4


def test_the_kind_is_told_only_where_the_number_leaves_no_choice() -> None:
    assert look_of("BKD8869", 3, [0.99] * 7).kind == "car"
    assert look_of("MXB8063", 3, [0.99] * 7).kind == "motorcycle"
    assert look_of("BKD8869", 3, [0.99] * 6 + [0.5]).kind == "", "a doubtful character may belong to another series"
    assert look_of("KAA0012", 3, [0.99] * 7).kind == "", "a bus and a truck wear the same series"
    assert look_of("", None, []).kind == ""
    assert look_of("BKD8869", 3, [0.99] * 7).colour == ""


class _Vehicles:
    """Sees a red scooter around whatever plate it is asked about; may be broken."""

    def __init__(self, broken: bool = False) -> None:
        self.broken, self.asked = broken, 0

    def vehicles(self, frame: np.ndarray, plates: Sequence[Corners] = ()) -> list[VehicleSeen]:
        self.asked += 1
        if self.broken:
            raise WeightsError("vehicles.onnx is not there.")
        (x, y), _, (right, low), _ = plates[0]
        elsewhere = VehicleSeen((x - 400, y - 400, x - 300, y - 300), "car", 0.9, "blue", 0.9)
        return [
            elsewhere,
            VehicleSeen((x - 40, y - 40, right + 40, low + 40), "motorcycle", 0.9, "red", 0.9, "scooter", 0.9),
        ]


def _passes(*texts: str) -> list[list[PlateSeen]]:
    return [[plate_seen(text, x=100 + 8 * i)] if text else [] for text in texts for i in range(12)]


def test_a_read_carries_the_look_of_the_vehicle_around_its_plate() -> None:
    vehicles = _Vehicles()
    line, kept, _, _ = pipeline(
        ScriptedEngine(_passes("KAA0012")),
        ScriptedSource([1_000_000 + 80 * i for i in range(12)]),
        FilmFollower(),
        every_frame=True,
        onlooker=Onlooker(lambda: vehicles),
    )
    line.run(threading.Event())
    (read,) = kept.reads
    assert (read.look.kind, read.look.colour, read.look.body) == ("motorcycle", "red", "scooter")
    assert vehicles.asked == 1 + 1, "before the first frame, and once for each read, not for each frame"


def test_without_its_model_a_read_is_made_all_the_same() -> None:
    vehicles = _Vehicles(broken=True)
    line, kept, _, _ = pipeline(
        ScriptedEngine(_passes("BKD8869", "", "", "MXB8063")),
        ScriptedSource([1_000_000 + 80 * i for i in range(48)]),
        FilmFollower(),
        every_frame=True,
        onlooker=Onlooker(lambda: vehicles),
    )
    line.run(threading.Event())
    assert [(read.text, read.look.kind, read.look.colour) for read in kept.reads] == [
        ("BKD8869", "car", ""),
        ("MXB8063", "motorcycle", ""),
    ]
    assert vehicles.asked == 1, "what is broken is asked once"


def test_the_number_says_the_kind_before_the_picture_does() -> None:
    seen = VehicleSeen((0, 0, 9, 9), "truck", 0.9, "silver", 0.9)
    assert look_of("MXB8063", 3, [0.99] * 7, seen) == VehicleLook(kind="motorcycle", colour="silver")
    assert look_of("KAA0012", 3, [0.99] * 7, seen).kind == "truck"
    assert look_of("KAA0012", 3, [0.99] * 7, msgspec.structs.replace(seen, kind_prob=0.4)).kind == ""


def test_the_tenth_pass_of_a_vehicle_is_kept_but_sounds_no_more() -> None:
    script = []
    moments = []
    for lap in range(3):
        script += [[plate_seen("BKD8869", x=100 + 8 * i)] for i in range(5)] + [[]] * 2
        moments += [1_000_000 + lap * 60_000 + 80 * i for i in range(5)] + [
            1_000_000 + lap * 60_000 + 5_000 + i for i in range(2)
        ]
    line, kept, desk, _ = pipeline(
        ScriptedEngine(script), ScriptedSource(moments), FilmFollower(), entry("BKD8869"), every_frame=True
    )
    line.run(threading.Event())
    assert len(kept.reads) == 3
    assert all(read.hits for read in kept.reads)
    assert (desk.raised, desk.suppressed) == (1, 2)
    assert [r.sequence for r in kept.reads] == [1, 2, 3]


def test_a_camera_faster_than_vision_loses_frames_and_counts_them() -> None:
    busy, go_on = threading.Event(), threading.Event()

    def delay() -> None:
        busy.set()
        go_on.wait(60)

    engine = ScriptedEngine([], delay=delay)

    def before(number: int) -> None:
        if number == 2:
            busy.wait(60)
        if number == 50:
            go_on.set()

    source = ScriptedSource([1_000_000 + i for i in range(50)], paced=True, before_frame=before)
    line, *_ = pipeline(engine, source, FilmFollower())
    line.run(threading.Event())
    dropped = line.stages["source"].dropped
    assert dropped > 30
    assert engine.looks + dropped == 50


def test_where_every_frame_counts_none_is_dropped() -> None:
    engine = ScriptedEngine([])
    line, *_ = pipeline(
        engine, ScriptedSource([1_000_000 + i for i in range(50)], paced=True), FilmFollower(), every_frame=True
    )
    line.run(threading.Event())
    assert engine.looks == 50
    assert line.stages["source"].dropped == 0


def test_photos_stand_alone_and_cut_short_ones_are_counted_and_not_used(tmp_path: Path) -> None:
    picture = np.full((300, 400, 3), 90, dtype=np.uint8)
    data = bytes(cv2.imencode(".jpg", picture)[1])
    (tmp_path / "a.jpg").write_bytes(data)
    (tmp_path / "b.jpg").write_bytes(data[: len(data) * 6 // 10])
    (tmp_path / "c.txt").write_text("no picture")
    (tmp_path / "d.jpg").write_bytes(b"")
    (tmp_path / "e.jpg").write_bytes(data)
    source = FolderSource(tmp_path, mono_ms=lambda: 1_000_000)
    engine = ScriptedEngine([[plate_seen("BKD8869")], [plate_seen("BKD8869"), plate_seen("ABC1235", y=20)]])
    line, kept, _, _ = pipeline(engine, source, StillFollower())
    line.run(threading.Event())
    assert [r.text for r in kept.reads] == ["BKD8869", "BKD8869", "ABC1235"]
    assert source.health.cut_short == 1
    assert source.health.unreadable == 2
    assert any("b.jpg" in s for s in source.health.sayings)


def test_two_vehicles_of_one_picture_name_one_overview_and_a_crop_each() -> None:
    script = [[plate_seen("BKD8869"), plate_seen("ABC1235", y=20)]]
    line, kept, _, _ = pipeline(ScriptedEngine(script), ScriptedSource([1_000_000], still=True), StillFollower())
    line.run(threading.Event())
    one, other = kept.reads
    assert one.overview is not None and other.overview is not None and one.crop is not None and other.crop is not None
    assert one.overview.sha256 == other.overview.sha256
    assert one.crop.sha256 != other.crop.sha256
    assert one.corners != other.corners, "each says where it stands in it"


def test_a_fault_of_ours_stops_the_device_loudly() -> None:
    def broken() -> None:
        raise GuardianError("broken on purpose", reference="on-purpose")

    line, *_ = pipeline(ScriptedEngine([], delay=broken), ScriptedSource([1, 2, 3]), FilmFollower())
    stop = threading.Event()
    with pytest.raises(GuardianError, match="on-purpose"):
        line.run(stop)
    assert stop.is_set()


def test_reads_in_flight_are_kept_when_the_device_is_stopped() -> None:
    stop = threading.Event()

    def before(number: int) -> None:
        if number == 8:
            stop.set()

    script = [[plate_seen("BKD8869", x=100 + 8 * i)] for i in range(20)]
    source = ScriptedSource([1_000_000 + 80 * i for i in range(20)], before_frame=before)
    line, kept, _, _ = pipeline(ScriptedEngine(script), source, FilmFollower(), every_frame=True)
    line.run(stop)
    assert len(kept.reads) == 1


def test_a_picture_of_another_size_begins_new_tracks() -> None:
    from guardian.device.source import Frame

    follower = FilmFollower()
    out = []
    for number in range(4):
        image = np.zeros((480, 640, 3), dtype=np.uint8)
        out += follower.see(Frame(image, 1_000 + 80 * number, number), [plate_seen("BKD8869", prob=0.9)])
    image = np.zeros((240, 320, 3), dtype=np.uint8)
    out += follower.see(Frame(image, 1_400, 9), [])
    assert [p.result.text for p in out] == ["BKD8869"]

"""Shares with their intervals, groups, calibration, confusion, folds: rules on notes, no picture opened."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.domain.errors import InputRefusedError
from guardian.evaluation.calibration import calibrate
from guardian.evaluation.confusion import load_confusion, write_confusion
from guardian.evaluation.diagrams import curves_svg, reliability_svg
from guardian.evaluation.figures import band_of, figures_of
from guardian.evaluation.folds import fold_of, folds_of, only_fold, parse_fold
from guardian.evaluation.labels import CropPicture, Labels, series_named
from guardian.evaluation.notes import (
    ConfusionCount,
    FilmNote,
    Notes,
    PassNote,
    PictureNote,
    PlateNote,
    StressNote,
    picture_key,
)
from guardian.evaluation.report import Report, ReportError, RunFacts, as_json, beside, encode, join, load_report
from guardian.evaluation.shares import share_of, wilson
from guardian.evaluation.stress import KINDS
from guardian.evaluation.stressed import area_under, stressed_of
from guardian.evaluation.tables import as_markdown, percent
from tests.evaluation.made import plate, scene


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [
        (0, 10, 0.0, 0.27753),  # by hand: z^2 / (n + z^2)
        (10, 10, 0.72247, 1.0),
        (81, 263, 0.25529, 0.36621),  # Newcombe, Statistics in Medicine 17 (1998), table I: 0.2553 to 0.3662
        (15, 148, 0.06238, 0.16049),  # the same: 0.0624 to 0.1605
        (1, 29, 0.00611, 0.17176),  # the same: 0.0061 to 0.1718
    ],
)
def test_wilson_gives_the_published_figures(right: int, of: int, low: float, high: float) -> None:
    assert wilson(right, of) == pytest.approx((low, high), abs=2e-5)


def test_nothing_counted_is_no_share_and_any_interval() -> None:
    nothing = share_of(0, 0)
    assert (nothing.share, nothing.low, nothing.high) == (None, 0.0, 1.0)
    assert percent(nothing) == "–"


@given(st.integers(0, 400), st.integers(0, 400))
def test_an_interval_holds_its_share_and_lies_within_0_and_1(right: int, more: int) -> None:
    share = share_of(right, right + more)
    assert 0 <= share.low <= (share.share if share.share is not None else 0.5) <= share.high <= 1


def test_calibration_error_by_hand() -> None:
    # Bins of 1/15: four reads at 0.95 (one wrong: 0.95 against 0.75) and one at 0.30 that is right (0.30 against 1).
    reads = [(0.95, True), (0.95, True), (0.95, True), (0.95, False), (0.30, True)]
    c = calibrate(reads)
    assert c.ece == pytest.approx(4 / 5 * 0.20 + 1 / 5 * 0.70)
    assert [(b.reads, b.confidence, b.right) for b in c.bins] == [(1, 0.30, 1.0), (4, 0.95, 0.75)]
    assert (c.wrong_and_sure.right, c.wrong_and_sure.of) == (1, 5)
    assert (c.wrong_when_sure.right, c.wrong_when_sure.of) == (1, 4)


def test_bins_of_equal_mass_never_part_reads_of_one_confidence() -> None:
    # All 30 are equally sure, two of three right: the one bin is 0.9 against 2/3, however they are ordered.
    assert calibrate([(0.9, i % 3 > 0) for i in range(30)]).ece_equal_mass == pytest.approx(0.9 - 2 / 3, abs=1e-6)
    spread = [((i + 0.5) / 30, True) for i in range(30)]
    assert calibrate(spread).ece_equal_mass == pytest.approx(0.5)


def test_a_confidence_that_means_what_it_says_has_no_error() -> None:
    honest = [(0.8, i % 5 > 0) for i in range(100)] + [(0.5, i % 2 > 0) for i in range(100)]
    c = calibrate(honest)
    assert (c.ece, c.ece_equal_mass) == pytest.approx((0, 0), abs=1e-9)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=60))
def test_calibration_errors_are_shares_and_no_read_is_lost(reads: list[tuple[float, bool]]) -> None:
    c = calibrate(reads)
    assert 0 <= c.ece <= 1 and 0 <= c.ece_equal_mass <= 1
    assert sum(b.reads for b in c.bins) == len(reads)


def note(text: str = "ABC1235", *, right: bool = True, **more: object) -> PlateNote:
    fields: dict[str, object] = {
        "picture": picture_key(text),
        "kind": "scene",
        "set": "street",
        "light": "day",
        "vehicle": "car",
        "series": series_named(text),
        "height_px": 30.0,
        "found": True,
        "read": True,
        "right": right,
        "signs_right": len(text) if right else len(text) - 1,
        "signs": len(text),
        **more,
    }
    return PlateNote(**fields)  # type: ignore[arg-type]


def seen(name: str, *, set: str = "street", light: str = "day", kind: str = "scene") -> PictureNote:
    return PictureNote(picture_key(name), kind, set, light, 1, 0, 0, 0, 0, 100.0, 80.0, {"detect": 60.0}, {})  # type: ignore[arg-type]


def test_figures_are_told_by_set_height_light_vehicle_and_series() -> None:
    notes = Notes(
        "ours",
        "1",
        plates=[
            note(height_px=10.0, right=False),
            note(height_px=20.0),
            note(height_px=20.0, light="dark", vehicle="motorcycle", right=False),
            note("366TBM", height_px=90.0, set="yard", light="dark", vehicle="motorcycle"),
        ],
        pictures=[seen("a"), seen("b", set="yard", light="dark")],
    )
    f = figures_of(notes)
    assert (f.whole_plate_accuracy, f.whole_plates.right, f.whole_plates.of) == (0.5, 2, 4)
    assert {name: (c.whole_plates.right, c.whole_plates.of) for name, c in f.sets.items()} == {
        "street": (1, 3),
        "yard": (1, 1),
    }
    assert {name: (c.whole_plates.right, c.whole_plates.of) for name, c in f.height.items()} == {
        "below 12 px": (0, 1),
        "16-24 px": (1, 2),
        "80 px and more": (1, 1),
    }
    assert {name: (c.whole_plates.right, c.whole_plates.of) for name, c in f.light.items()} == {
        "day": (1, 2),
        "dark": (1, 2),
    }
    assert f.vehicle["motorcycle"].whole_plates.of == 2
    assert f.series["1992-moto-3+3"].whole_plate_accuracy == 1
    # Of the goal's plates, 16 px and more: the small one by day is left out.
    assert {name: (c.whole_plates.right, c.whole_plates.of) for name, c in f.target.items()} == {
        "day": (1, 1),
        "dark": (1, 2),
    }


def test_crops_have_a_set_of_their_own_and_do_not_count_among_scenes() -> None:
    notes = Notes("ours", "1", plates=[note(right=False), note(kind="crop", set="cuts", found=None)])
    f = figures_of(notes)
    assert (f.whole_plate_accuracy, f.sets["cuts"].whole_plate_accuracy) == (0.0, 1.0)
    assert f.sets["cuts"].recall is None


def test_both_denominators_are_told_all_plates_and_those_that_were_read() -> None:
    notes = Notes("ours", "1", plates=[note(), note(right=False), note(right=False, read=False, found=False)])
    f = figures_of(notes)
    assert (f.whole_plates.right, f.whole_plates.of) == (1, 3)
    assert (f.whole_plates_of_read.right, f.whole_plates_of_read.of) == (1, 2)


def test_bands_of_height_begin_at_their_lower_edge() -> None:
    assert [band_of(h) for h in (11.9, 12, 16, 80)] == ["below 12 px", "12-16 px", "16-24 px", "80 px and more"]


def test_mixed_up_signs_are_counted_by_series_and_light_and_can_be_read_back(tmp_path: Path) -> None:
    counts = ConfusionCount()
    counts.add("2012-3+4", "dark", [("8", "B"), ("8", "8"), ("A", "")])
    counts.add("2012-3+4", "dark", [("8", "B")])
    report = report_of(Notes("ours", "7", confusion=counts.notes()))
    write_confusion(report, tmp_path / "c.json")
    matrix = load_confusion(tmp_path / "c.json")
    assert (matrix.engine, matrix.engine_version, matrix.split) == ("ours", "7", "test")
    assert [(c.series, c.light, c.truth, c.read, c.count) for c in matrix.counts] == [
        ("2012-3+4", "dark", "8", "8", 1),
        ("2012-3+4", "dark", "8", "B", 2),
        ("2012-3+4", "dark", "A", "", 1),
    ]
    assert "8 → B" in as_markdown(report)
    (tmp_path / "c.json").write_text("{}")
    with pytest.raises(InputRefusedError, match=r"c\.json is no confusion matrix"):
        load_confusion(tmp_path / "c.json")


def report_of(notes: Notes, **more: object) -> Report:
    facts = RunFacts("plates", "test", (), "", 1, "2026-01-01T00:00:00+00:00", 1.0, 1, 1, False)
    return Report([msgspec.structs.replace(facts, **more)], [notes])


def test_results_are_laid_together_as_if_they_were_one_run(tmp_path: Path) -> None:
    first = Notes("fold-0", "a", plates=[note()], pictures=[seen("a")])
    second = Notes("fold-1", "b", plates=[note("XYZ9876", right=False)], pictures=[seen("b")])
    parts = []
    for number, notes in enumerate((first, second)):
        path = tmp_path / f"{number}.json"
        path.write_bytes(encode(report_of(notes, fold=f"{number}/2")))
        parts.append((path.name, load_report(path)))
    joined = join(parts)
    told = as_json(joined)
    assert (told["name"], told["whole_plate_accuracy"], told["whole_plates"]["of"]) == ("fold-0 + fold-1", 0.5, 2)
    assert [run["fold"] for run in told["runs"]] == ["0/2", "1/2"]


def test_a_peer_of_an_earlier_run_stands_beside_without_its_times() -> None:
    ours = report_of(
        Notes(
            "ours",
            "2",
            plates=[note(picture=picture_key("a"))],
            pictures=[seen("a")],
            stress=[StressNote("a", "rain", 1, 1, 1)],
        )
    )
    theirs = Notes(
        "peer",
        "1",
        plates=[note(right=False, picture=picture_key("a")), note(picture=picture_key("b"))],
        pictures=[seen("a"), seen("b")],
        stress=[StressNote("a", "rain", 1, 0, 1), StressNote("b", "rain", 1, 1, 1)],
    )
    old = msgspec.structs.replace(report_of(theirs), notes=[Notes("ours", "1", pictures=[seen("a")]), theirs])
    told = as_json(beside(ours, [("old.json", old)]))
    assert list(told["peers"]) == ["peer"], "its own earlier self is left out"
    assert told["version"] == "2"
    peer = told["peers"]["peer"]
    assert (peer["whole_plate_accuracy"], peer["whole_plates"]["of"]) == (0.0, 1), "cut to the same pictures"
    assert (peer["latency"], peer["cpu_ratio"], told["stress"]["peer"]["pictures"]) == (None, None, 1)
    said = as_markdown(beside(ours, [("old.json", old)]))
    assert "peer: from a run of 2026-01-01 on the same pictures; times do not compare" in said
    assert "same run" not in said and "| processor ms a scene | 80.0 | – |" in said


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"pictures": []}, r"peer in old\.json has not seen 1 of the 1 pictures"),
        ({"stress": []}, r"peer in old\.json was not put under stress with the same pictures"),
        ({"seed": 7}, r"old\.json was made with other corruptions"),
    ],
)
def test_a_peer_that_saw_other_pictures_is_not_laid_beside(changed: dict[str, Any], said: str) -> None:
    stress = [StressNote("a", "rain", 1, 1, 1)]
    ours = report_of(Notes("ours", "2", pictures=[seen("a")], stress=stress))
    seed = {"seed": changed.pop("seed")} if "seed" in changed else {}
    theirs = msgspec.structs.replace(Notes("peer", "1", pictures=[seen("a")], stress=stress), **changed)
    with pytest.raises(ReportError, match=said):
        beside(ours, [("old.json", report_of(theirs, **seed))])


def test_a_picture_that_would_count_twice_is_refused_when_results_are_joined() -> None:
    notes = Notes("ours", "1", plates=[note()], pictures=[seen("a")])
    with pytest.raises(ReportError, match=r"b\.json and a\.json have evaluated the same picture"):
        join([("a.json", report_of(notes)), ("b.json", report_of(notes))])


def test_a_file_that_is_no_result_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for data in (b"", b"{}", b'{"kind":"guardian-evaluation","v":2,"runs":[],"notes":[]}'):
        path.write_bytes(data)
        with pytest.raises(ReportError, match=r"x\.json is no result"):
            load_report(path)


def test_a_partial_run_says_so_first() -> None:
    told = as_markdown(report_of(Notes("ours", "1", plates=[note()]), partial=True, done=3, of=10))
    assert told.startswith("PARTIAL: broken off after 3 of 10")


def test_where_there_are_only_films_no_empty_table_is_shown() -> None:
    notes = Notes("ours", "1", passes=[PassNote("f", "day", "car", 1)], films=[FilmNote("f", 1, 0, 20, 2.0, 100.0)])
    told = as_markdown(report_of(notes))
    assert "films: vehicles with exactly one read | 100.0 % | 1 of 1" in told
    assert "plates read" not in told and "0 of 0" not in told and "films of 20 frames" in told


def test_a_share_just_below_all_is_not_called_all() -> None:
    assert percent(share_of(9999, 10000)) == "99.99 %"
    assert percent(share_of(10000, 10000)) == "100.0 %"


def test_the_area_under_a_curve_by_hand() -> None:
    assert area_under([1, 1, 1, 1, 1, 1]) == 1
    assert area_under([1, 0.8, 0.6, 0.4, 0.2, 0]) == pytest.approx(0.5)
    assert area_under([1, 0, 0, 0, 0, 0]) == pytest.approx(0.1)


def test_diagrams_are_well_formed_and_name_everybody_with_its_figures() -> None:
    stress = [StressNote("p", "", 0, 2, 2), *(StressNote("p", kind, 3, 1, 2) for kind in KINDS)]
    curves = curves_svg([stressed_of(Notes(name, "1", stress=stress)) for name in ("<ours>", "peer")])
    reliable = reliability_svg([("<ours>", calibrate([(0.95, True)] * 12)), ("peer", calibrate([]))])
    for svg, says in (
        (curves, ("<ours>, area", "peer, area", *KINDS)),
        (reliable, ("<ours>", "12 reads, ECE 0.0500", "0 reads")),
    ):
        tree = ElementTree.fromstring(svg)  # noqa: S314 - our own
        texts = " ".join(node.text or "" for node in tree.iter() if node.tag.endswith("text"))
        assert all(said in texts for said in says)
        assert "prefers-color-scheme: dark" in svg


def test_level_0_is_shared_by_all_kinds_and_the_lost_ones_are_those_of_the_middle_level() -> None:
    stress = [StressNote("p", "", 0, 2, 2), StressNote("p", "haze", 3, 0, 2), StressNote("p", "rain", 3, 1, 2)]
    curves = stressed_of(Notes("ours", "1", stress=stress)).curves
    assert (curves["haze"].levels[0].right, curves["rain"].levels[0].right) == (2, 2)
    assert (curves["haze"].lost_at_middle, curves["rain"].lost_at_middle) == (2, 1)


@given(st.text("ABCDEFGH123567890", min_size=4, max_size=7), st.integers(2, 10))
def test_a_plate_s_fold_hangs_on_its_text_alone(text: str, folds: int) -> None:
    assert fold_of(text, folds) == fold_of(text, folds)
    assert 0 <= fold_of(text, folds) < folds


def test_pictures_that_share_a_plate_share_their_fold() -> None:
    scenes = [
        scene(plate("ABC1235"), file="1", split="train"),
        scene(plate("ABC1235"), plate("XYZ9876"), file="2", split="train"),
        scene(plate("XYZ9876"), plate(None), file="3", split="train"),
        scene(plate(None), file="4", split="train"),
        scene(plate("BKD8869"), file="5", split="test"),
    ]
    crops = [CropPicture("6", 80, 32, "XYZ9876", split="train")]
    for folds in range(2, 8):
        where = folds_of(Labels(Path("x"), tuple(scenes), tuple(crops)), folds)
        assert set(where) == {"1", "2", "3", "4", "6"}
        assert where["1"] == where["2"] == where["3"] == where["6"] == fold_of("ABC1235", folds)


def test_the_folds_are_the_training_split_and_nothing_twice() -> None:
    texts = [f"ABC{i:04d}" for i in range(200)]
    labels = Labels(Path("x"), tuple(scene(plate(t), file=t, split="train") for t in texts))
    parts = [{s.file for s in only_fold(labels, fold, 5).scenes} for fold in range(5)]
    assert sum(map(len, parts)) == 200 and set().union(*parts) == set(texts)
    # Independent of the folder's own split, which takes a hundred digests: no fold is empty, none has half of all.
    assert all(15 < len(part) < 70 for part in parts)
    assert math.isclose(sum(map(len, parts)) / 5, 40)


@pytest.mark.parametrize("typed", ["5/5", "0/1", "1", "a/b", "-1/5"])
def test_a_fold_that_is_not_there_is_refused(typed: str) -> None:
    with pytest.raises(InputRefusedError) as caught:
        only_fold(Labels(Path("x")), *parse_fold(typed))
    assert "0/5" in caught.value.hint

"""The rules of scoring, each by a case made by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from guardian.evaluation.align import align, signs_right
from guardian.evaluation.geometry import corner_error, height_of, iou
from guardian.evaluation.labels import CropPicture
from guardian.evaluation.scoring import Scored, score_crop, score_scene
from tests.evaluation.made import looked, plate, quad, read, scene


def only(scored: Scored) -> tuple[bool | None, bool, bool]:
    """Found, read and right of the one plate."""
    (note,) = scored.plates
    return note.found, note.read, note.right


def test_a_plate_is_right_when_every_sign_is_and_the_box_lies_on_it() -> None:
    assert only(score_scene(scene(plate("ABC1235")), looked(read("ABC1235")))) == (True, True, True)


def test_one_wrong_sign_makes_a_plate_wrong_and_its_signs_count_by_themselves() -> None:
    scored = score_scene(scene(plate("ABC1235")), looked(read("ABC1285")))
    assert only(scored) == (True, True, False)
    assert (scored.plates[0].signs_right, scored.plates[0].signs) == (6, 7)
    assert [f.what for f in scored.findings] == ["wrong"]


def test_the_right_text_beside_the_plate_does_not_count() -> None:
    scored = score_scene(scene(plate("ABC1235")), looked(read("ABC1235", quad(300, 300))))
    assert only(scored) == (False, False, False)
    assert (scored.plates[0].signs_right, [r.verdict for r in scored.reads]) == (0, ["false"])


def test_between_the_two_overlaps_a_plate_is_right_and_not_found() -> None:
    # Shifted by half of its width: a third is shared.
    shifted = quad(150, 100)
    assert round(iou(quad(100, 100), shifted), 3) == 0.333
    scored = score_scene(scene(plate("ABC1235")), looked(read("ABC1235", shifted)))
    assert only(scored) == (False, True, True)
    assert (scored.hits, scored.false_finds) == (0, 1)


def test_half_an_overlap_is_found_and_a_little_less_is_not() -> None:
    for width, found in ((200.0, True), (201.0, False)):
        scored = score_scene(scene(plate("ABC1235")), looked(read("X", quad(100, 100, width))))
        assert scored.plates[0].found is found


def test_a_plate_is_found_once_and_its_second_box_is_a_false_alarm() -> None:
    scored = score_scene(scene(plate("ABC1235")), looked(read("ABC1235"), read("ABC1235", quad(102, 100))))
    assert (scored.hits, scored.false_finds, scored.false_reads) == (1, 1, 0)


def test_of_two_texts_on_a_plate_the_right_one_counts_for_it_and_the_wrong_one_is_judged_too() -> None:
    scored = score_scene(scene(plate("ABC1235")), looked(read("ABC1235", quad(110, 100)), read("ABC1285")))
    assert only(scored) == (True, True, True)
    assert sorted(r.verdict for r in scored.reads) == ["right", "wrong"]


def test_a_plate_that_nobody_can_read_is_no_miss_when_it_is_not_found() -> None:
    scored = score_scene(scene(plate(None)), looked())
    assert (scored.plates, scored.unreadable, scored.unreadable_found) == ([], 1, 0)


def test_a_plate_that_nobody_can_read_is_no_false_alarm_when_it_is_found_and_no_wrong_read() -> None:
    for box, found in ((quad(100, 100), 1), (quad(145, 100), 0)):  # wholly on it, and by a third
        scored = score_scene(scene(plate(None)), looked(read("ABC1235", box, 0.99)))
        assert (scored.hits, scored.false_finds, scored.false_reads) == (0, 0, 0)
        assert (scored.reads, scored.unreadable_found) == ([], found)


def test_in_a_picture_that_is_not_labelled_completely_no_find_is_a_false_alarm() -> None:
    scored = score_scene(
        scene(plate("ABC1235"), complete=False), looked(read("ABC1235"), read("XYZ9876", quad(300, 300)))
    )
    assert (scored.hits, scored.false_finds, scored.false_reads) == (None, None, None)
    assert [r.verdict for r in scored.reads] == ["right"]
    assert only(scored) == (True, True, True)


def test_a_read_that_touches_no_plate_of_a_complete_picture_is_false() -> None:
    scored = score_scene(scene(plate("ABC1235")), looked(read("TEL2249", quad(300, 300), 0.97)))
    assert (scored.false_finds, scored.false_reads) == (1, 1)
    assert [(r.verdict, r.confidence_prob) for r in scored.reads] == [("false", 0.97)]
    assert sorted(f.what for f in scored.findings) == ["false", "missed"]


def test_corners_are_measured_on_fitted_labels_only() -> None:
    off = quad(104, 100)
    fitted = score_scene(scene(plate("ABC1235", corners_quality="fitted")), looked(read("ABC1235", off)))
    approx = score_scene(scene(plate("ABC1235")), looked(read("ABC1235", off)))
    assert fitted.plates[0].corner_error == 0.1  # 4 px of 40
    assert approx.plates[0].corner_error is None


def test_neighbouring_plates_are_not_taken_for_one_another() -> None:
    two = scene(plate("ABC1235"), plate("XYZ9876", quad(210, 100)))
    scored = score_scene(two, looked(read("XYZ9876", quad(210, 100)), read("ABC1235")))
    assert [p.right for p in scored.plates] == [True, True]
    swapped = score_scene(two, looked(read("ABC1235", quad(210, 100)), read("XYZ9876")))
    assert [p.right for p in swapped.plates] == [False, False]
    assert [p.found for p in swapped.plates] == [True, True]


def test_a_peer_that_reads_every_text_is_right_wherever_the_number_stands() -> None:
    label = scene(plate("ABC1235"))
    for anywhere in (("TAXI", "ABC1235"), ("PLATEABC1235",), ("ABC", "1235")):
        scored = score_scene(label, looked(anywhere=anywhere), tells_plates=False)
        assert (scored.plates[0].right, scored.plates[0].found) == (True, None)
    assert not score_scene(label, looked(anywhere=("1235", "ABC")), tells_plates=False).plates[0].right


def test_what_such_a_peer_reads_beside_the_plate_is_not_held_against_it() -> None:
    sign = read("TEL2249", quad(300, 300))
    scored = score_scene(
        scene(plate("ABC1235")), looked(read("ABC1235"), sign, anywhere=("ABC1235", "TEL2249")), tells_plates=False
    )
    assert [r.verdict for r in scored.reads] == ["right"]
    assert (scored.hits, scored.false_finds, scored.false_reads) == (None, None, None)


def test_a_crop_is_judged_by_its_text_alone() -> None:
    crop = CropPicture("crops/a.png", 80, 32, "ABC1235", set="cuts")
    for text, right in (("ABC1235", True), ("ABC1285", False)):
        (note,) = score_crop(crop, looked(read(text, quad(0, 0)))).plates
        assert (note.right, note.found, note.kind) == (right, None, "crop")
    (nothing,) = score_crop(crop, looked()).plates
    assert (nothing.read, nothing.right, nothing.signs_right) == (False, False, 0)


def test_a_text_that_is_something_else_does_not_count_as_mixed_up_signs() -> None:
    near = score_scene(scene(plate("ABC1235")), looked(read("ABC1285")))
    other = score_scene(scene(plate("ABC1235")), looked(read("MAZDA35")))
    assert near.pairs[0][1][5] == ("3", "8")
    assert other.pairs == []


def test_texts_are_aligned_with_the_fewest_changes() -> None:
    assert align("ABC1235", "ABC1285")[5] == ("3", "8")
    assert align("ABC1235", "ABC125") == [
        ("A", "A"),
        ("B", "B"),
        ("C", "C"),
        ("1", "1"),
        ("2", "2"),
        ("3", ""),
        ("5", "5"),
    ]
    assert align("ABC", "1ABC")[0] == ("", "1")
    assert align("AB", "") == [("A", ""), ("B", "")]


@given(st.text("AB12", max_size=7), st.text("AB12", max_size=7))
def test_an_alignment_holds_both_texts_whole_and_in_order(truth: str, said: str) -> None:
    pairs = align(truth, said)
    assert "".join(t for t, _ in pairs) == truth
    assert "".join(r for _, r in pairs) == said
    assert ("", "") not in pairs
    assert len(pairs) - signs_right(pairs) == len(align(said, truth)) - signs_right(align(said, truth))


@given(*[st.floats(0, 50)] * 4, *[st.floats(1, 50)] * 4)
def test_overlap_is_the_same_from_both_sides_and_whole_only_with_itself(
    ax: float, ay: float, bx: float, by: float, aw: float, ah: float, bw: float, bh: float
) -> None:
    a, b = quad(ax, ay, aw, ah), quad(bx, by, bw, bh)
    assert iou(a, b) == iou(b, a)
    assert 0 <= iou(a, b) <= 1 + 1e-9
    assert abs(iou(a, a) - 1) < 1e-9


def test_height_is_the_mean_of_both_sides_and_corner_error_is_in_heights() -> None:
    steep = ((0.0, 0.0), (80.0, 10.0), (80.0, 40.0), (0.0, 50.0))
    assert height_of(steep) == 40
    assert corner_error(quad(0, 0), quad(0, 0)) == 0
    assert corner_error(quad(3, 4), quad(0, 0)) == 5 / 40

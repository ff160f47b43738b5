"""Scenes: what is told about them is so, and nothing else is a plate."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from train.plates import draw_plate
from train.scenes import Scene, draw_scene
from train.scenes.canvas import Canvas
from train.scenes.cards import VARIANTS, card
from train.scenes.ground import plateless_part
from train.scenes.place import plane, put_card
from train.scenes.sheet import main
from train.scenes.sprites import Body, sprite_for

cv2.setNumThreads(1)
LAYOUTS = ("close-up", "traffic", "parked", "rank", "trailer")


class View(msgspec.Struct, frozen=True):
    """Stands in for a labelled real picture."""

    picture: np.ndarray
    corners: np.ndarray
    complete: bool


@lru_cache(maxsize=64)
def scene(seed: int, layout: str | None = None, plates: bool = True) -> Scene:
    return draw_scene(np.random.default_rng((77, seed)), layout=layout, plates=plates)


def street_with_a_plate(complete: bool = True) -> View:
    """Grey ground, and where its one plate is known to be, magenta."""
    picture = np.full((720, 960, 3), 120, np.uint8)
    picture[400:448, 300:414] = (255, 0, 255)
    quad = np.asarray([[(300, 400), (413, 400), (413, 447), (300, 447)]], np.float32)
    return View(picture, quad, complete)


def area(quad: np.ndarray) -> float:
    return abs(float(cv2.contourArea(np.asarray(quad, np.float32))))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_seed_draws_one_scene_to_the_byte(layout: str) -> None:
    a, b = scene(1, layout), draw_scene(np.random.default_rng((77, 1)), layout=layout)
    assert np.array_equal(a.picture, b.picture)
    assert np.array_equal(a.corners, b.corners)
    assert np.array_equal(a.hidden, b.hidden)
    assert np.array_equal(a.vehicle_boxes, b.vehicle_boxes)
    assert (a.texts, a.vehicles, a.vehicle_kinds, a.light) == (b.texts, b.vehicles, b.vehicle_kinds, b.light)
    assert not np.array_equal(a.picture, scene(2, layout).picture)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_label_lies_in_its_picture_and_runs_clockwise(layout: str, seed: int) -> None:
    s = scene(seed, layout)
    h, w = s.picture.shape[:2]
    assert s.picture.dtype == np.uint8
    assert s.picture.shape[2] == 3
    assert 960 <= w <= 1280
    assert 540 <= h <= 720
    assert len(s.corners) == len(s.texts) == len(s.vehicles)
    assert len(s.vehicle_boxes) == len(s.vehicle_kinds)
    frame = np.asarray([(-0.5, -0.5), (w - 0.5, -0.5), (w - 0.5, h - 0.5), (-0.5, h - 0.5)], np.float32)
    for quad in s.corners:
        inside, _ = cv2.intersectConvexConvex(quad, frame)
        assert inside >= 0.7 * area(quad)
        across, down = quad[1] - quad[0], quad[3] - quad[0]
        assert across[0] * down[1] - across[1] * down[0] > 0, "clockwise from the top left"
        assert np.hypot(*down) >= 6
    for box in s.vehicle_boxes:
        assert 0 <= box[0] < box[2] <= w
        assert 0 <= box[1] < box[3] <= h


def test_a_plate_really_lies_where_its_corners_say() -> None:
    """Against the same scene without plates: changed within the corners, unchanged a little outside of them."""
    looked = 0
    for seed in (1, 2, 3, 4, 5, 6):
        for layout in ("close-up", "rank"):
            if looked > 8:
                return
            s = scene(seed, layout)
            if s.light != "day":
                continue
            bare = scene(seed, layout, False)
            assert bare.picture.shape == s.picture.shape
            changed = np.abs(s.picture.astype(np.int16) - bare.picture).max(axis=2)
            every = np.concatenate((s.corners, s.hidden))
            for quad in s.corners:
                middle = quad.mean(axis=0)
                inner, near, far = (np.zeros(changed.shape, np.uint8) for _ in range(3))
                for mask, grow in ((inner, 0.88), (near, 1.35), (far, 1.9)):
                    cv2.fillConvexPoly(mask, np.round((quad - middle) * grow + middle).astype(np.int32), 1)
                ring = (far > 0) & (near == 0)
                for other in every:  # a neighbour's plate changes its own place
                    centre = other.mean(axis=0)
                    grown = np.round((other - centre) * 1.35 + centre).astype(np.int32)
                    blot = np.zeros(changed.shape, np.uint8)
                    cv2.fillConvexPoly(blot, grown, 1)
                    ring &= blot == 0
                within = float(changed[inner > 0].mean())
                around = float(changed[ring].mean()) if ring.sum() > 20 else 0.0
                assert within > 6
                assert within > 3 * around
                looked += 1
    assert looked >= 6


def test_without_its_plates_a_scene_tells_none() -> None:
    for layout in LAYOUTS:
        bare = scene(1, layout, False)
        assert len(bare.corners) == 0
        assert len(bare.hidden) == 0


@pytest.mark.parametrize("seed", range(6))
def test_look_alikes_alone_give_no_label(seed: int) -> None:
    s = scene(seed, "nothing")
    assert len(s.corners) == 0
    assert len(s.hidden) == 0


def test_scenes_of_chance_hold_plates_of_many_heights_and_some_hidden_ones() -> None:
    drawn = [scene(seed, layout) for seed in (1, 2, 3) for layout in LAYOUTS]
    heights = [float(np.hypot(*(q[3] - q[0]))) for s in drawn for q in s.corners]
    assert len(heights) > 15
    assert min(heights) < 16
    assert max(heights) > 60
    assert sum(len(s.hidden) for s in drawn) > 0


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1), st.integers(20, 200))
def test_a_plate_is_told_as_hidden_as_soon_as_less_than_three_quarters_can_be_seen(covered: float, tall: int) -> None:
    wide = tall * 2.4
    canvas = Canvas(np.full((420, 700, 3), 90, np.uint8))
    quad = np.asarray([(100, 100), (100 + wide, 100), (100 + wide, 100 + tall), (100, 100 + tall)], np.float32)
    art = np.full((40, 96, 4), 230, np.uint8)
    art[..., 3] = 255
    canvas.plate(art, quad, "ABC1235", "car")
    canvas.stamp(np.full((8, 8, 4), 255, np.uint8), 99, 60, max(1.0, wide * covered + 1))
    curtain = np.asarray(
        [(99, 90), (99 + wide * covered + 1, 90), (99 + wide * covered + 1, 400), (99, 400)], np.float32
    )
    canvas.lay(np.full((8, 8, 4), 255, np.uint8), curtain)
    shown, hidden = canvas.truth()
    if covered < 0.25 - 4 / tall:
        assert [m.text for m in shown] == ["ABC1235"]
    elif covered > 0.25 + 4 / tall:
        assert not shown
        assert len(hidden) == (1 if canvas.visible(1) > 0.02 else 0)


def test_a_plate_cut_by_the_frame_is_told_by_what_is_left_of_it() -> None:
    art = np.full((40, 96, 4), 230, np.uint8)
    for left, told in ((-10, True), (-60, False)):
        canvas = Canvas(np.zeros((300, 300, 3), np.uint8))
        quad = np.asarray([(left, 100), (left + 96, 100), (left + 96, 140), (left, 140)], np.float32)
        canvas.plate(art, quad, "ABC1235", "car")
        shown, hidden = canvas.truth()
        assert bool(shown) is told
        assert bool(hidden) is not told


def test_a_trailer_has_two_plates_beside_one_another() -> None:
    for seed in range(4):
        s = scene(seed, "trailer")
        both = np.concatenate((s.corners, s.hidden))
        assert len(both) == 2
        a, b = both.mean(axis=1)
        assert abs(a[1] - b[1]) < abs(a[0] - b[0])


def test_what_a_wet_street_mirrors_is_no_plate() -> None:
    dry, wet = (Canvas(np.full((720, 960, 3), 100, np.uint8)) for _ in range(2))
    for canvas, share in ((dry, 0.0), (wet, 0.4)):
        matrix = plane(2.0, (92, 150), (480, 420), 0, 0, 0, 1000)
        put_card(np.random.default_rng(4), canvas, card("rear", 1), matrix, 0.9, 0, plates=1.0, wet=share)
    assert np.abs(wet.picture[440:600].astype(int) - dry.picture[440:600]).max() > 30
    assert len(wet.truth()[0]) == len(dry.truth()[0]) == 1
    assert np.array_equal(wet.truth()[0][0].quad, dry.truth()[0][0].quad)


@pytest.mark.parametrize("sort", sorted(VARIANTS))
def test_a_card_has_its_plate_within_it_and_solid_ground_behind(sort: str) -> None:
    for number in range(2):
        c = card(sort, number)
        h, w = c.picture.shape[:2]
        assert w / h == pytest.approx(c.width_cm / c.height_cm, rel=0.01)
        x, y = c.plate_cm[0] * w / c.width_cm, c.plate_cm[1] * h / c.height_cm
        assert c.picture[int(y), int(x), 3] > 200


@pytest.mark.parametrize("turn", [-60.0, -20.0, 0.0, 35.0, 70.0])
def test_the_plate_of_a_turned_vehicle_is_not_mirrored_and_lies_on_it(turn: float) -> None:
    for body in (Body.SUV, Body.SCOOTER):
        seen = sprite_for(np.random.default_rng(3), body, turn, 120.0)
        quad = seen.plate_quad(30, 14)
        across, down = quad[1] - quad[0], quad[3] - quad[0]
        assert across[0] > 0
        assert across[0] * down[1] - across[1] * down[0] > 0
        h, w = seen.picture.shape[:2]
        x, y = quad.mean(axis=0)
        assert 0 < x < w
        assert 0 < y < h
        assert seen.picture[int(y), int(x), 3] > 100 or body is Body.SCOOTER
        squeezed = float(np.hypot(*across)) / max(1.0, float(np.hypot(*down))) / (30 / 14)
        assert squeezed < 1.25


def test_a_real_ground_never_shows_a_plate_that_nobody_told() -> None:
    view = street_with_a_plate()
    for seed in range(12):
        part = plateless_part(np.random.default_rng(seed), [view], (960, 544))
        if part is not None:
            magenta = (part.picture[..., 0] > 200) & (part.picture[..., 1] < 60)
            assert not magenta.any()


def test_a_real_plate_gives_way_to_a_drawn_one_in_its_place_or_is_told() -> None:
    view = street_with_a_plate()
    kinds = set()
    for seed in range(14):
        s = draw_scene(np.random.default_rng((5, seed)), [view], layout="real")
        kinds.add("none" if not len(s.corners) and not len(s.hidden) else "kept" if None in s.texts else "drawn")
        if len(s.corners) == 1:
            scale = s.picture.shape[1] / 960
            own = {(356.5 * scale, 423.5 * scale), ((959 - 356.5) * scale, 423.5 * scale)}
            middle = s.corners[0].mean(axis=0)
            assert min(float(np.hypot(middle[0] - x, middle[1] - y)) for x, y in own) < 4
            assert area(s.corners[0]) == pytest.approx(113 * 47 * scale**2, rel=0.2)
    assert "drawn" in kinds


def test_a_ground_with_untold_plates_makes_an_open_scene() -> None:
    assert draw_scene(np.random.default_rng(1), [street_with_a_plate(complete=False)], layout="real").complete is False
    assert draw_scene(np.random.default_rng(1), [street_with_a_plate()], layout="real").complete is True
    assert scene(1, "rank").complete is True


def test_later_eras_show_other_plates() -> None:
    now = draw_scene(np.random.default_rng(8), layout="trailer")
    later = draw_scene(np.random.default_rng(8), layout="trailer", era=500)
    assert set(now.texts) != set(later.texts)
    assert all(text == draw_plate(np.random.default_rng(1), text=text).text for text in now.texts if text)


def test_an_unknown_layout_is_refused() -> None:
    with pytest.raises(KeyError):
        draw_scene(np.random.default_rng(1), layout="parade")


def test_the_contact_sheet_is_the_same_for_a_seed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.png", "b.png"):
        assert main([str(tmp_path / name), "--seed", "1", "--count", "2", "--layout", "close-up"]) == 0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert "2 scenes, 2400x300 px" in capsys.readouterr().out

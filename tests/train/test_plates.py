"""Plates drawn for training: true to their series, true about themselves, the same for a seed."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.domain.series import SERIES_BY_ID
from train.plates import RenderedPlate, draw_plate, fonts
from train.plates.art import style_for
from train.plates.glyphs import PRESSES, glyph
from train.plates.lookalikes import KINDS, common_number_in, lookalike, words_for
from train.plates.sheet import contact_sheet, main
from train.plates.snap import snap
from train.plates.styles import STYLES
from train.plates.text import draw_layout, series_for
from train.plates.view import height_of

seeds = st.integers(0, 2**31)
cv2.setNumThreads(1)


def rng(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def same(a: RenderedPlate, b: RenderedPlate) -> bool:
    return np.array_equal(a.picture, b.picture) and (a.layout, a.style, a.middles) == (b.layout, b.style, b.middles)


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_one_seed_draws_one_plate_and_one_snap_to_the_byte(seed: int) -> None:
    a, b = draw_plate(rng(seed)), draw_plate(rng(seed))
    assert same(a, b)
    one, two = snap(rng(seed, 1), a), snap(rng(seed, 1), b)
    assert np.array_equal(one.picture, two.picture)
    assert np.array_equal(one.corners, two.corners)


def test_other_seeds_draw_other_plates() -> None:
    assert len({draw_plate(rng(i)).picture.tobytes() for i in range(12)}) == 12


@settings(max_examples=300, deadline=None)
@given(seeds, st.sampled_from(sorted(STYLES)))
def test_every_number_fits_a_series_that_prints_its_dash_there(seed: int, style: str) -> None:
    layout = draw_layout(rng(seed), style)
    text = layout.replace("-", "")
    series = series_for(layout)
    assert series.fits(text)
    assert series.display(text) == layout


@settings(max_examples=300, deadline=None)
@given(seeds, st.sampled_from(sorted(STYLES)))
def test_no_plate_has_the_letter_o_and_no_current_one_an_i_or_a_four(seed: int, style: str) -> None:
    text = draw_layout(rng(seed), style).replace("-", "")
    assert "O" not in text
    if STYLES[style].generation == 2012:
        assert not set("I4") & set(text)


def test_every_character_stands_often_enough_in_every_place_it_may_have() -> None:
    r = rng(4)
    layouts = [draw_layout(r, "moto-2012") for _ in range(1500)] + [draw_layout(r, "car-2012") for _ in range(1500)]
    for place in (1, 2):
        seen = [sum(layout[place] == c for layout in layouts) for c in "ABCDEFGHJKLMNPQRSTUVWXYZ"]
        assert min(seen) > 3000 / 24 / 2
    for place in range(4, 8):
        assert min(sum(layout[place] == c for layout in layouts) for c in "012356789") > 3000 / 9 / 2
    assert len({layout[0] for layout in layouts}) == 24
    old = "".join(draw_layout(r, "moto-1992") for _ in range(1500))
    assert 0 < old.count("I") < old.count("M") / 2, "a third of it, by the odds that are drawn with"


def test_every_style_comes_up() -> None:
    r = rng(11)
    drawn = [style_for(r, None, None) for _ in range(4000)]
    assert set(drawn) == set(STYLES)
    assert drawn.count("car-2012") > drawn.count("moto-1980") > 0


def test_every_vehicle_and_every_character_comes_up() -> None:
    plates = [draw_plate(rng(11, i)) for i in range(110)]
    assert {p.vehicle for p in plates} == {"car", "motorcycle", "truck", "bus"}
    assert set("".join(p.text for p in plates)) >= set("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ")


@pytest.mark.parametrize("style", sorted(STYLES))
def test_a_style_that_is_asked_for_is_drawn_in_its_colours(style: str) -> None:
    plate = draw_plate(rng(3), style=style)
    sort = STYLES[style]
    assert plate.style == style
    assert plate.vehicle in sort.vehicles
    assert SERIES_BY_ID[plate.series].fits(plate.text)
    h, w = plate.picture.shape[:2]
    assert 6 <= w / plate.width_cm <= 12
    assert plate.width_cm / plate.height_cm == pytest.approx(w / h, rel=0.02)
    assert plate.picture[0, 0, 3] < 60 < plate.picture[h // 2, w // 2, 3], "round corners let the ground through"
    colours = np.array([draw_plate(rng(3, i), style=style).picture[..., :3].reshape(-1, 3).mean(0) for i in range(6)])
    want = np.array(sort.face, float)
    other = np.array(sort.ink, float)
    assert np.linalg.norm(np.median(colours, 0) - want) < np.linalg.norm(np.median(colours, 0) - other)


def test_a_number_that_is_asked_for_is_drawn_on_a_plate_that_carries_it() -> None:
    assert draw_plate(rng(1), text="ABC1235").layout == "ABC-1235"
    assert (
        draw_plate(rng(1), text="3022-JM").style.startswith("car-1992")
        or "1992" in draw_plate(rng(1), text="3022-JM").style
    )
    assert draw_plate(rng(1), text="366TBM").vehicle == "motorcycle"
    assert draw_plate(rng(1), text="TAX-5566", style="taxi").style == "taxi"
    with pytest.raises(ValueError, match="no series prints"):
        draw_plate(rng(1), text="HELLO")
    with pytest.raises(ValueError, match="no plate style"):
        draw_plate(rng(1), vehicle="boat")


def test_middles_lie_over_the_ink_of_their_characters() -> None:
    """Columns around a middle hold more ink than the gaps half way between two middles."""
    better = total = 0
    for i in range(60):
        plate = draw_plate(rng(21, i), style=("car-2012", "moto-1992", "car-1992", "moto-large-yellow")[i % 4])
        h, w = plate.picture.shape[:2]
        x0, y0, x1, y1 = plate.number_box
        band = cv2.cvtColor(plate.picture[int(y0 * h) : int(y1 * h), :, :3], cv2.COLOR_BGR2GRAY).astype(float)
        ink = band.max() - band.mean(axis=0)
        half = max(2, int(0.35 * (plate.middles[1] - plate.middles[0]) * w))
        assert list(plate.middles) == sorted(plate.middles)
        assert len(plate.middles) == len(plate.text)
        assert x0 - 0.02 <= plate.middles[0] <= plate.middles[-1] <= x1 + 0.02
        for a, b in zip(plate.middles, plate.middles[1:], strict=False):
            gap = int((a + b) / 2 * w)
            at = int(a * w)
            total += 1
            better += ink[max(0, at - half) : at + half].mean() > ink[gap - 1 : gap + 2].mean()
    assert better / total > 0.93


def test_corners_enclose_the_plate_and_nothing_else() -> None:
    """On a plain background without faults of light or lens, inside the corners is plate and outside is ground."""
    ground = np.full((64, 64, 3), (200, 20, 200), np.uint8)
    for i in range(25):
        plate = draw_plate(rng(31, i), style="moto-large-yellow")
        taken = snap(rng(32, i), plate, height_px=60, hardness=0, background=ground)
        h, w = taken.picture.shape[:2]
        inside = np.zeros((h, w), np.uint8)
        cv2.fillConvexPoly(inside, np.round(taken.corners).astype(np.int32), 1)
        magenta = np.abs(taken.picture.astype(int) - (200, 20, 200)).max(axis=2) < 40
        assert magenta[inside == 1].mean() < 0.06
        assert (taken.corners >= 0).all()
        assert (taken.corners < (w, h)).all()
        d1, d2 = taken.corners[1] - taken.corners[0], taken.corners[3] - taken.corners[0]
        assert d1[0] * d2[1] - d1[1] * d2[0] > 0, "clockwise from the top left"


@settings(max_examples=60, deadline=None)
@given(seeds, st.floats(8, 120), st.floats(0, 2))
def test_a_snap_is_as_high_as_it_was_asked_to_be(seed: int, height: float, hardness: float) -> None:
    plate = draw_plate(rng(seed % 7))
    taken = snap(rng(seed), plate, height_px=height, hardness=hardness)
    assert height_of(taken.corners) == pytest.approx(height, rel=0.001)
    assert taken.picture.dtype == np.uint8
    assert taken.picture.shape[2] == 3
    assert taken.corners.dtype == np.float32
    assert (taken.text, taken.layout, taken.middles) == (plate.text, plate.layout, plate.middles)


def test_a_straightened_easy_snap_shows_the_plate_upright() -> None:
    """Warped back by its own corners, a snap agrees with the art it was taken from."""
    for i in range(8):
        plate = draw_plate(rng(41, i), style="car-2012")
        taken = snap(rng(42, i), plate, height_px=100, hardness=0)
        h, w = plate.picture.shape[:2]
        target = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32) - 0.5
        back = cv2.warpPerspective(taken.picture, cv2.getPerspectiveTransform(taken.corners, target), (w, h))
        art = plate.picture[..., :3]
        a, b = (
            cv2.GaussianBlur(cv2.cvtColor(p, cv2.COLOR_BGR2GRAY), (0, 0), 2)[8:-8, 8:-8].ravel() for p in (art, back)
        )
        assert np.corrcoef(a, b)[0, 1] > 0.93


def test_hard_light_comes_up_by_day_and_night_and_infra_red() -> None:
    plate = draw_plate(rng(5))
    kinds = [snap(rng(51, i), plate, height_px=20).light for i in range(120)]
    assert {"day", "dark", "infrared"} == set(kinds)
    assert kinds.count("day") > 60


def test_clearness_falls_as_pictures_get_worse() -> None:
    def mean(height: float, hardness: float) -> float:
        return float(
            np.mean(
                [snap(rng(71, i), draw_plate(rng(i)), height_px=height, hardness=hardness).clearness for i in range(14)]
            )
        )

    easy, small, hard = mean(60, 0), mean(8, 0), mean(60, 2)
    assert easy > 0.93
    assert easy > small + 0.1
    assert easy > hard + 0.1


def test_heights_out_of_reason_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be photographed"):
        snap(rng(1), draw_plate(rng(1)), height_px=2)


def test_characters_of_presses_differ_but_stay_apart_from_their_likes() -> None:
    """Two presses of one sign are nearer to each other than the sign is to the one it is mixed up with, on the whole."""
    for a, b in (("M", "W"), ("Q", "0"), ("0", "D"), ("1", "7"), ("B", "8"), ("5", "S"), ("2", "Z"), ("6", "G")):
        own = np.mean([np.abs(glyph(a, 2012, i) - glyph(a, 2012, i + 1)).mean() for i in range(0, PRESSES - 1, 8)])
        other = np.mean([np.abs(glyph(a, 2012, i) - glyph(b, 2012, i)).mean() for i in range(0, PRESSES, 8)])
        assert own > 0.001
        assert other > 0.02
    assert not np.array_equal(glyph("1", 1992, 0), glyph("1", 2012, 0))


def test_plates_and_look_alikes_are_drawn_without_any_font_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    caches = (fonts._faces, fonts._sign, fonts.other_glyph)
    monkeypatch.setattr(fonts, "_SYSTEM", ("/nowhere/none.ttf",) * (fonts.OTHER_FONTS - 1))
    monkeypatch.setattr(fonts, "_SYSTEM_CJK", ())
    try:
        for cache in caches:
            cache.cache_clear()
        for place in ("台灣省", "金門縣", "連江縣", "電動車"):
            ink = fonts.line_of(place, 24)
            thirds = np.array_split(ink, 3, axis=1)
            assert all(third.mean() > 0.1 for third in thirds), place
        assert fonts.other_glyph("M", 5, 40, 80).mean() > 0.2
        assert np.array_equal(fonts.other_glyph("M", 5, 40, 80), fonts.other_glyph("M", 0, 40, 80))
        for i in range(12):
            assert draw_plate(rng(81, i)).picture.size
            assert lookalike(rng(81, i))[0].size
    finally:
        for cache in caches:
            cache.cache_clear()


@settings(max_examples=200, deadline=None)
@given(seeds, st.sampled_from(KINDS))
def test_no_look_alike_carries_a_number_of_a_common_series(seed: int, kind: str) -> None:
    lines = words_for(rng(seed), kind)
    assert not any(common_number_in(line) for line in lines), lines


def test_the_check_of_look_alikes_knows_a_number_when_it_sees_one() -> None:
    assert common_number_in("ABC-1235")
    assert common_number_in("3022-JM")
    assert common_number_in("GLC300")
    assert not common_number_in("(02)2695-8284")


def test_look_alikes_of_every_kind_come_up_and_are_pictures() -> None:
    seen = set()
    for i in range(100):
        picture, kind = lookalike(rng(61, i))
        seen.add(kind)
        assert picture.dtype == np.uint8
        assert picture.shape[2] == 4
        assert picture[..., 3].max() > 200
    assert seen == set(KINDS)


def test_the_contact_sheet_is_the_same_for_a_seed_and_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert np.array_equal(contact_sheet(1, 3), contact_sheet(1, 3))
    assert not np.array_equal(contact_sheet(1, 3), contact_sheet(2, 3))
    assert main([str(tmp_path / "a.png"), "--seed", "1", "--count", "3"]) == 0
    assert main([str(tmp_path / "b.png"), "--seed", "1", "--count", "3"]) == 0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert re.search(r"3 plates, \d+x\d+ px", capsys.readouterr().out)

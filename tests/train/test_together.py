"""Several models from one stream: nobody sees what it is measured on, and each gets its shares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="training needs PyTorch: make training")

import torch

from guardian.evaluation.folds import fold_of
from train import detector, together
from train.detector import DetectorSettings, View, cut_out
from train.together import EVERY, FOLDS, GROUPS, RENDERED, Bank, DetectorStream, Made, Plan, Pupil, run, without


@given(st.text("ABCDEFGH0123456789", min_size=2, max_size=8))
def test_a_fold_is_the_groups_that_its_pupil_does_not_see(text: str) -> None:
    """`guardian evaluate --fold 0/4` shows what the pupil `fold0` never saw."""
    fold = fold_of(text, FOLDS)
    seen_by = [k for k in range(FOLDS) if fold_of(text, GROUPS) in without(k)]
    assert sorted([*seen_by, fold]) == list(range(FOLDS))


def _made(groups: list[int], start: int = 0) -> Made:
    where = np.asarray(groups)
    return Made((np.arange(start, start + len(groups)), where.astype(np.float32)), where, where != RENDERED)


@settings(max_examples=40, deadline=None)
@given(
    groups=st.lists(st.integers(RENDERED, GROUPS - 1), min_size=1, max_size=60),
    may_see=st.sets(st.integers(0, GROUPS - 1)),
    real=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_a_draw_shows_only_what_the_pupil_may_see_in_its_shares(
    groups: list[int], may_see: set[int], real: float, seed: int
) -> None:
    bank = Bank(64, torch.device("cpu"))
    bank.put(_made(groups))
    pupil = Pupil("p", tuple(sorted(may_see)), real, 1.0)
    some_real, some_drawn = any(g in may_see for g in groups), RENDERED in groups
    if not (some_real or some_drawn):
        return
    _, shown = bank.draw(np.random.default_rng(seed), pupil, 20)
    assert set(shown.int().tolist()) <= may_see | {RENDERED}
    wanted = round(20 * real) if some_real and some_drawn else 20 if some_real else 0
    assert int((shown >= 0).sum()) == wanted


@settings(max_examples=40, deadline=None)
@given(
    groups=st.lists(st.lists(st.integers(RENDERED, 1), min_size=1, max_size=9), min_size=1, max_size=9),
    most=st.integers(0, 30),
)
def test_a_pupil_with_a_limit_sees_only_the_first_rendered_items(groups: list[list[int]], most: int) -> None:
    bank = Bank(32, torch.device("cpu"))
    start, drawn = 0, []
    for some in groups:
        bank.put(_made(some, start))
        drawn += [start + i for i, group in enumerate(some) if group == RENDERED]
        start += len(some)
    allowed = set(drawn[:most]) & set(range(max(0, start - 32), start))
    pupil = Pupil("p", (), 0.0, 1.0, drawn_max=most)
    if not allowed:
        return
    shown, _ = bank.draw(np.random.default_rng(1), pupil, 200)
    assert set(shown.tolist()) <= allowed
    assert len(allowed) > 20 or set(shown.tolist()) == allowed


def test_the_oldest_items_make_room() -> None:
    bank = Bank(4, torch.device("cpu"))
    bank.put(_made([0, 1, 2], start=10))
    bank.put(_made([3, 4], start=20))
    assert bank.rows[0].tolist() == [21, 11, 12, 20]
    assert bank.groups.tolist() == [4, 1, 2, 3]


def test_a_view_shows_pictures_of_its_own_group_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Grounds and fillings too: each group's pictures have a grey of their own here."""
    stream = DetectorStream.__new__(DetectorStream)
    stream.settings = DetectorSettings(batch=12, rendered=0.25, cut_out=0.2, seed=5)
    quad = np.asarray([[(100, 100), (200, 100), (200, 145), (100, 145)]], np.float32)
    stream.views = [
        [View(np.full((300, 400, 3), 20 + 25 * g, np.uint8), quad, np.ones(1, np.float32), True, "made")] for g in EVERY
    ]
    stream.odds = [np.ones(1) for _ in EVERY]
    stream.share = np.full(GROUPS, 1 / GROUPS)
    monkeypatch.setattr(detector, "light", lambda rng, picture, strength: picture)
    monkeypatch.setattr(detector, "lens", lambda rng, picture, scale, strength: picture)
    monkeypatch.setattr(detector, "drawn_view", lambda rng, views, era: views[0])
    monkeypatch.setattr(detector, "chance", lambda rng, share: share > 0.3 and bool(rng.random() < share))
    made = stream.fresh(3)
    assert len(made.groups) == 12
    assert (~made.real).sum() == 3
    for frame, group in zip(made.arrays[0], made.groups, strict=True):
        greys = set(np.unique(frame[(frame == frame[..., :1]).all(axis=2)]).tolist())
        foreign = {20 + 25 * g for g in EVERY if g != group}
        share = sum(float((frame == grey).all(axis=2).mean()) for grey in greys & foreign)
        assert share < 0.02, "what is left at edges between two pictures may have any grey"


def test_a_step_makes_the_same_whoever_asks() -> None:
    stream = together.ReaderStream.__new__(together.ReaderStream)
    from train.reader import ReaderSettings, Sample

    rng = np.random.default_rng(1)
    picture = rng.integers(0, 255, (60, 160, 3), np.uint8)
    corners = np.asarray([(10, 10), (150, 10), (150, 50), (10, 50)], np.float32)
    stream.settings = ReaderSettings(batch=6, seed=3)
    stream.samples = [Sample(picture, corners, "ABC-1234", True, "made")]
    stream.groups, stream.odds = np.asarray([5]), np.ones(1)
    one, other = stream.fresh(17), stream.fresh(17)
    for a, b in zip(one.arrays, other.arrays, strict=True):
        assert np.array_equal(a, b)
    assert not np.array_equal(one.arrays[0], stream.fresh(18).arrays[0])
    assert set(one.groups.tolist()) <= {5, RENDERED}
    assert ((one.arrays[1] >= 0).sum(axis=1)[one.real] == 8).all(), "a text of eight signs has eight numbers"


class _Toy:
    """Numbers; a pupil is to say the mean of those that it sees."""

    hosted: tuple[int, ...] = ()

    def fresh(self, step: int) -> Made:
        groups = np.random.default_rng(step).integers(0, GROUPS, 16)
        return Made((groups.astype(np.float32)[:, None],), groups, np.ones(16, bool))

    @staticmethod
    def loss(model: Any, rows: tuple[Any, ...]) -> Any:
        return ((model(torch.ones_like(rows[0])) - rows[0]) ** 2).mean()


def test_each_pupil_learns_from_its_own_groups_and_is_kept(tmp_path: Path) -> None:
    pupils = [Pupil("low", (0, 1), 1.0, 1.0), Pupil("high", (6, 7), 1.0, 1.0)]
    torch.manual_seed(1)
    toys = [(p, torch.nn.Sequential(torch.nn.Linear(1, 1, bias=False))) for p in pupils]
    run(_Toy(), toys, tmp_path, Plan(steps=300, minutes=5, count=16, again=2, bank=64, peak=0.1, device="cpu"))  # type: ignore[arg-type]
    said = {p.name: float(torch.load(tmp_path / f"{p.name}.pt", weights_only=True)["0.weight"]) for p in pupils}
    assert said["low"] == pytest.approx(0.5, abs=0.4)
    assert said["high"] == pytest.approx(6.5, abs=0.4)
    assert (tmp_path / "low-70.pt").exists(), "what 70 % of the way gave is kept, should the end be cut off"


def test_a_run_ends_with_its_minutes(tmp_path: Path) -> None:
    toys = [(Pupil("p", EVERY, 1.0, 1.0), torch.nn.Sequential(torch.nn.Linear(1, 1, bias=False)))]
    run(_Toy(), toys, tmp_path, Plan(steps=10**6, minutes=0.02, count=16, again=1, bank=64, device="cpu"))  # type: ignore[arg-type]
    assert (tmp_path / "p.pt").exists()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), left=st.integers(0, 230), top=st.integers(0, 240), lean=st.integers(-20, 20))
def test_a_plate_that_is_cut_out_keeps_its_corners(seed: int, left: int, top: int, lean: int) -> None:
    picture = np.random.default_rng(3).integers(0, 255, (300, 400, 3), np.uint8)
    quad = np.asarray(
        [(left, top), (left + 150, top + lean), (left + 150, top + 50 + lean), (left, top + 50)], np.float32
    )
    view = View(picture, quad[None], np.ones(1, np.float32), False, "made")
    alone = cut_out(np.random.default_rng(seed), view)
    assert alone.picture.size > 0
    if len(alone.corners):
        by = quad[0] - alone.corners[0][0]
        x, y = int(by[0]), int(by[1])
        h, w = alone.picture.shape[:2]
        assert np.array_equal(alone.picture, picture[y : y + h, x : x + w])
    assert alone.picture.shape[1] <= 150 + 0.7 * 60 + 2

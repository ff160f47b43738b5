"""The measurement of what the shipped reader mixes up: what is counted where, and that it can be done again to the same end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from guardian.domain.confused import SURE_EDGES, Edits, Measured, load
from guardian.evaluation.align import align

train_confusion = pytest.importorskip("train.confusion", reason="needs guardian[device]")


def tally(*pairs: tuple[str, str]) -> train_confusion.Tally:
    counts = train_confusion.Tally()
    for truth, text in pairs:
        counts.add(truth, text, [0.9] * len(text), align(truth, text))
    return counts


def test_what_stands_for_a_character_is_counted_under_the_true_one() -> None:
    stage = tally(("BKD8869", "8KD8B69"), ("BKD8869", "BKD8869")).done()
    assert stage.signs["B"] == {"8": 1, "B": 1} and stage.signs["8"] == {"8": 3, "B": 1}
    assert stage.slips == {"B": {"8": 1}, "8": {"B": 1}}
    assert stage.sign_sure.wrong[SURE_EDGES.index(0.9)] == 2 and sum(stage.sign_sure.right) == 12
    assert sum(stage.text_sure.wrong) == sum(stage.text_sure.right) == 1


def test_a_text_that_is_wrong_in_more_than_two_characters_gives_no_slips() -> None:
    stage = tally(("BKD8869", "8KD0B69"), ("BKD8869", "8KD869")).done()
    assert stage.slips == {"B": {"8": 1}}, "of the second, which lost a character besides"
    assert stage.signs["B"] == {"8": 2}


@pytest.mark.parametrize(
    ("truth", "text", "kind", "what"),
    [
        ("BKD8769", "KD8769", "fitting", {"lost_edge": 1}),  # KD-8769 is a good old number
        ("BKD8769", "BKD876", "fitting", {"lost_edge": 1}),
        ("BKD8769", "BKD769", "fitting", {"lost_inside": 1}),
        ("BKD8869", "BKD869", "fitting", {"lost_doubled": 1}),
        ("BKD8869", "BKDD8869", "odd", {"gained_doubled": 1, "twins": 2}),
        ("BKD8769", "1BKD8769", "odd", {"gained_edge": 1}),
        ("BKD8769", "BKD85769", "odd", {"gained_inside": 1}),
    ],
)
def test_lost_and_gained_characters_are_counted_by_where_they_stand(
    truth: str, text: str, kind: str, what: dict[str, int]
) -> None:
    stage = tally((truth, text)).done()
    assert stage.edits[kind] == Edits(**{"texts": 1, "signs": len(text), **what})
    assert stage.edits["odd" if kind == "fitting" else "fitting"] == Edits()


def test_a_probability_belongs_to_the_bin_that_begins_at_or_below_it() -> None:
    assert [train_confusion._bin(prob) for prob in (0.0, 0.0999, 0.1, 0.9, 0.95, 1.0)] == [0, 0, 1, 9, 10, 15]


def test_generations_of_series() -> None:
    told = [
        train_confusion.issue_of(s) for s in ("2012-3+4", "1992-car-4+2", "3+3-letters-first", "micro-electric-2+5", "")
    ]
    assert told == ["new", "old", "old", "other", "other"]


def _run(folder: Path, name: str, *more: str) -> Measured:
    out = folder / name
    assert train_confusion.main(["--count", "64", "--date", "2026-11-26", "--out", str(out), *more]) == 0
    return load(out)


@pytest.mark.real("torch")
def test_the_shipped_reader_is_measured_and_the_same_seed_gives_the_same_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from guardian.vision.weights import listed

    measured = _run(tmp_path, "a.json")
    assert "64 of 64 plates" in capsys.readouterr().err
    assert measured.reader_sha256 == listed()["reader"].sha256
    assert measured.command == "python -m train.confusion --count 64 --seed 1"
    assert measured.plates == sum(group.plates for group in measured.groups) == 64
    assert {group.source for group in measured.groups} == {"rendered"}
    signs = {true: reads for group in measured.groups for true, reads in group.seen.signs.items()}
    right = sum(g.seen.signs[t].get(t, 0) for g in measured.groups for t in g.seen.signs)
    every = sum(sum(r.values()) for g in measured.groups for r in g.seen.signs.values())
    assert len(signs) > 25 and right > 0.8 * every, "the shipped reader reads rendered plates"
    _run(tmp_path, "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_a_second_reader_is_asked_about_told_texts_of_each_sort_and_no_more() -> None:
    from guardian.domain.opinion import SecondOpinion, opinion_on
    from guardian.vision.ports import Crop, ReadChar, TextRead

    class First:
        def read(self, crops: Sequence[Crop]) -> list[TextRead]:
            return [TextRead(tuple(ReadChar(s, 0.97, (i + 0.5) / 7) for i, s in enumerate("BKD2012"))) for _ in crops]

    class Second:
        name, version, asked = "other", "1", 0

        def opinion(self, read_text: str, crops: Sequence[Crop]) -> SecondOpinion:
            self.asked += 1
            return opinion_on(read_text, "BKD7012", reader="other", reader_version="1", crops=len(crops))

    crop = np.zeros((48, 160, 3), np.uint8)
    shown = [train_confusion.Shown(crop, crop, text, "rendered", "day", "new") for text in ("BKD7012", "BKD2012") * 3]
    second = Second()
    groups, opinions = train_confusion.measure(shown, First(), second, 2, len(shown))
    assert opinions == {"right": {"partly": 2}, "wrong": {"truth": 2}} and second.asked == 4
    (group,) = groups
    assert (group.plates, group.far, group.untold, group.right) == (6, 0, 0, 3)
    assert group.told.signs["7"] == {"2": 3}

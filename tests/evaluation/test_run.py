"""A run over small pictures: everybody sees the same, what is broken off is fair, the command says all of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from guardian.cli import evaluate as command
from guardian.cli import main
from guardian.domain.errors import InputRefusedError
from guardian.evaluation import films
from guardian.evaluation.figures import figures_of
from guardian.evaluation.films import FilmRead, reads_of
from guardian.evaluation.labels import Film, Passed, load_labels
from guardian.evaluation.ports import Looked
from guardian.evaluation.run import begin, evaluate
from guardian.evaluation.stress import KINDS, LEVELS
from guardian.evaluation.stressed import evaluate_stress, sample_of, stressed_of
from guardian.evaluation.subjects import normal_form, open_peer
from guardian.vision.ports import Frame
from tests.evaluation.made import Answers, Folder, looked, quad, read

FIRST = quad(10, 40, 40, 20)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Three scenes with a plate each, one of them twice labelled, and two crops."""
    made = Folder(tmp_path / "plates")
    made.lines(
        "scenes_street.jsonl",
        made.scene("i/a.png", "ABC1235"),
        made.scene("i/bb.png", "ABC1235", "XYZ9876", light="dark"),
        made.scene("i/ccc.png", "ABC1235", complete=False, split="train"),
    )
    made.lines("crops_cuts.jsonl", made.crop("c/a.png", "ABC1235"), made.crop("c/bb.png", "366TBM"))
    return made


def always(text: str = "ABC1235") -> Callable[[Frame], Looked]:
    return lambda frame: looked(read(text, FIRST))


def test_every_subject_sees_the_same_pixels_and_may_spoil_its_own(folder: Folder) -> None:
    def spoil(frame: Frame) -> Looked:
        frame[:] = 0
        return looked()

    spoiler, other = Answers(spoil, name="spoiler"), Answers(always(), name="other")
    evaluate(load_labels(folder.path), [spoiler, other])
    assert len(spoiler.shown) == len(other.shown) == 6  # five pictures, and one look to warm up
    assert all(np.array_equal(a, b) for a, b in zip(spoiler.shown, other.shown, strict=True))


def test_figures_of_a_run_by_hand(folder: Folder) -> None:
    ran = evaluate(load_labels(folder.path), [Answers(always())])
    f = figures_of(ran.notes[0])
    assert (f.whole_plates.right, f.whole_plates.of) == (3, 4)
    assert f.recall is not None and (f.recall.right, f.recall.of) == (3, 4)
    assert f.precision is not None and (f.precision.right, f.precision.of) == (2, 2)  # the incomplete one is left out
    assert (f.complete_pictures, f.sets["cuts"].whole_plates.right, f.sets["cuts"].whole_plates.of) == (2, 1, 2)
    assert f.latency is not None and f.latency.cpu.pictures == 3
    assert not ran.partial and (ran.done, ran.of) == (5, 5)


def test_a_picture_that_cannot_be_opened_or_has_another_size_is_told_and_counted_nowhere(folder: Folder) -> None:
    (folder.path / "i/a.png").write_bytes(b"no picture")
    folder.picture("i/bb.png", width=80, height=60)
    ran = evaluate(load_labels(folder.path), [Answers(always())])
    told = {t.file: t.sentence for t in ran.troubles}
    assert "no picture that can be read" in told["i/a.png"]
    assert "is 80x60 px, its label says 160x120" in told["i/bb.png"]
    assert figures_of(ran.notes[0]).whole_plates.of == 1


def test_a_subject_that_fails_at_a_picture_has_seen_nothing_there_and_the_others_go_on(folder: Folder) -> None:
    def fail(frame: Frame) -> Looked:
        raise ValueError("no such layer")

    ran = evaluate(load_labels(folder.path), [Answers(fail, name="poor"), Answers(always(), name="good")])
    assert {t.sentence for t in ran.troubles} == {"poor failed: ValueError: no such layer"} and len(ran.troubles) == 5
    assert [figures_of(notes).whole_plates.right for notes in ran.notes] == [0, 3]
    assert [figures_of(notes).whole_plates.of for notes in ran.notes] == [4, 4]


def interrupted(after: int) -> Callable[[Frame], Looked]:
    count = 0

    def answer(frame: Frame) -> Looked:
        nonlocal count
        count += 1
        if count > after:
            raise KeyboardInterrupt
        return looked(read("ABC1235", FIRST))

    return answer


@pytest.mark.parametrize("after", [1, 2, 3, 5])
def test_a_run_that_is_broken_off_gives_what_everybody_has_seen(folder: Folder, after: int) -> None:
    ran = evaluate(
        load_labels(folder.path), [Answers(always(), name="first"), Answers(interrupted(after), name="second")]
    )
    assert ran.partial and ran.done == after - 1  # one look went into warming up
    assert [len(notes.pictures) for notes in ran.notes] == [after - 1, after - 1]


def test_under_stress_all_see_the_same_and_one_that_is_broken_off_counts_whole_pictures(folder: Folder) -> None:
    labels = load_labels(folder.path)
    one, two = Answers(always(), name="one"), Answers(always(), name="two")
    ran = begin([one, two])
    assert evaluate_stress(labels, [one, two], ran, number=2) == (2, 2)
    looks = 2 * (1 + len(KINDS) * len(LEVELS))
    assert len(one.shown) == len(two.shown) == looks == len(ran.notes[0].stress)
    assert all(np.array_equal(a, b) for a, b in zip(one.shown, two.shown, strict=True))
    curves = stressed_of(ran.notes[0])
    assert curves.pictures == 2 and list(curves.curves) == list(KINDS)
    broken = begin([one])
    assert evaluate_stress(labels, [Answers(interrupted(60))], broken, number=2) == (1, 2)
    assert broken.partial and len({n.picture for n in broken.notes[0].stress}) == 1


def test_a_larger_sample_contains_the_smaller_and_0_is_all(folder: Folder) -> None:
    labels = load_labels(folder.path)
    assert [s.file for s in sample_of(labels, 2)] == [s.file for s in sample_of(labels, 3)][:2]
    assert len(sample_of(labels, 0)) == 3


def test_reads_of_a_film_belong_to_the_vehicle_that_passes_with_their_text() -> None:
    vehicles = (Passed("ABC1235", 1, 3), Passed("ABC1235", 20, 22), Passed("XYZ9876", 2, 4), Passed(None, 30, 31))
    counts, extra = reads_of(
        vehicles,
        [
            FilmRead("ABC1235", 1.2, 2.8),
            FilmRead("ABC1235", 20.5, 22.5),
            FilmRead("ABC1235", 22.6, 22.9),  # within the slack: the vehicle's second read
            FilmRead("ABC1235", 10, 11),  # no such vehicle passes then
            FilmRead("XYZ9875", 2, 3),
            FilmRead("MMM1111", 30.5, 30.6),  # what no person can read may say anything
        ],
    )
    assert counts == [1, 2, 0, 0]
    assert [(r.text, r.from_s) for r in extra] == [("ABC1235", 10), ("XYZ9875", 2)]


class Watches(Answers):
    """Tells what it is told to, and can be followed."""

    def __init__(self, plates: Callable[[Frame], list[Any]]) -> None:
        super().__init__(lambda frame: looked(), name="watches")
        self.watch = plates


def film(path: Path, frames: int, rate: int = 10) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for i in range(frames):
            image = np.full((96, 160, 3), (i * 7) % 200, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())


def test_a_film_is_played_through_the_tracker_and_a_passing_plate_is_one_read(tmp_path: Path, say: Any) -> None:
    film(tmp_path / "v.mp4", 20)
    at = iter(range(100))

    def plates(frame: Frame) -> list[Any]:
        x = 10.0 + 4 * next(at)
        return [say.seen("ABC-1235", at=(x + 30, 40), height=20)]

    far = Passed("BKD8869", 0, 2, readable=False)
    line = Film("v.mp4", (Passed("ABC1235", 0, 2), Passed("XYZ9876", 0, 2), far))
    passes, noted = films.evaluate_film(tmp_path, line, Watches(plates))
    assert [p.reads for p in passes] == [1, 0]
    assert noted is not None and (noted.reads, noted.wrong_extra, noted.frames) == (1, 0, 20)
    assert noted.seconds == pytest.approx(1.9)


def test_a_peer_whose_reads_cannot_be_followed_is_left_out_of_films_and_a_broken_film_is_refused(
    tmp_path: Path,
) -> None:
    line = Film("v.mp4", ())
    assert films.evaluate_film(tmp_path, line, Answers(always())) == ([], None)
    (tmp_path / "v.mp4").write_bytes(b"no film")
    with pytest.raises(films.FilmError, match=r"v\.mp4 cannot be played"):
        films.evaluate_film(tmp_path, line, Watches(lambda frame: []))


def test_texts_are_brought_to_normal_form_and_an_unknown_peer_is_refused() -> None:
    assert normal_form("ａbc－12 35!") == "ABC1235"
    with pytest.raises(InputRefusedError, match="no engine 'nobody'"):
        open_peer("nobody")


@pytest.fixture
def subjects(monkeypatch: pytest.MonkeyPatch) -> list[Answers]:
    """The command evaluates these in place of real engines."""
    those = [
        Answers(always(), name="ours"),
        Answers(lambda f: looked(anywhere=("ABC1235",)), name="peer", tells_plates=False),
    ]
    monkeypatch.setattr(command, "_subjects", lambda engine, peers, threads: those[: 1 + len(peers)])
    return those


def test_the_json_of_the_command_has_what_a_buyer_asks_for(
    folder: Folder, subjects: list[Answers], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(folder.path), "--json", "--peer", "peer"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["whole_plate_accuracy"] == pytest.approx(2 / 3, abs=1e-6)
    assert told["whole_plates"] == {"right": 2, "of": 3, "share": 0.666667, "low": 0.207660, "high": 0.938508}
    assert told["sets"]["street"]["whole_plate_accuracy"] == pytest.approx(2 / 3, abs=1e-6)
    assert told["sets"]["cuts"]["whole_plate_accuracy"] == 0.5
    assert told["peers"]["peer"]["sets"]["cuts"]["whole_plate_accuracy"] == 0.5
    assert told["peers"]["peer"]["cpu_ratio"] is not None
    assert told["target"]["day"]["whole_plates"]["of"] == 1
    assert {"recall", "precision", "signs", "calibration", "latency", "height", "light", "vehicle", "series"} <= set(
        told
    )
    assert told["partial"] is False and told["runs"][0]["split"] == "test"


def test_nothing_but_the_sheets_and_their_list_names_a_plate_or_a_file(
    folder: Folder, subjects: list[Answers], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    asked = ["evaluate", str(folder.path), "--out", str(out), "--stress", "--stress-sample", "1", "--peer", "peer"]
    assert main([*asked, "--markdown", str(tmp_path / "t.md"), "--confusion", str(tmp_path / "c.json")]) == 0
    shown = capfd.readouterr().out
    written = {p.name for p in out.iterdir()}
    assert written == {
        "calibration.svg",
        "stress.svg",
        "result.json",
        "tables.md",
        "plates.jsonl",
        "wrong-1.png",
        "missed-1.png",
    }
    silent = [shown, *(p.read_text() for p in (tmp_path / "t.md", tmp_path / "c.json"))]
    silent += [(out / name).read_text() for name in ("calibration.svg", "stress.svg", "result.json", "tables.md")]
    for text in silent:
        assert not any(secret in text for secret in ("ABC1235", "XYZ9876", "366TBM", "a.png", "bb.png"))
    listed = [json.loads(line) for line in (out / "plates.jsonl").read_text().splitlines()]
    assert {(line["engine"], line["what"]) for line in listed} >= {
        ("ours", "right"),
        ("ours", "wrong"),
        ("peer", "right"),
    }
    with Image.open(out / "wrong-1.png") as sheet:
        assert sheet.width > 300


def test_a_second_run_leaves_no_sheet_of_the_first(folder: Folder, subjects: list[Answers], tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["evaluate", str(folder.path), "--out", str(out)]) == 0
    assert (out / "wrong-1.png").exists()
    assert main(["evaluate", str(folder.path), "--out", str(out), "--split", "train"]) == 0
    assert not (out / "wrong-1.png").exists()


def test_results_of_folds_are_laid_together_by_the_command(
    folder: Folder, subjects: list[Answers], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    parts = []
    for split in ("test", "train"):
        assert main(["evaluate", str(folder.path), "--json", "--split", split]) == 0
        parts.append(tmp_path / f"{split}.json")
        parts[-1].write_text(capfd.readouterr().out)
    assert main(["evaluate", "--merge", *map(str, parts), "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert (told["whole_plates"]["right"], told["whole_plates"]["of"]) == (3, 4)
    assert main(["evaluate", "--merge", str(parts[0]), str(parts[0])]) == 3
    assert "would count twice" in capfd.readouterr().err


def test_peers_of_an_earlier_run_stand_beside_by_the_command(
    folder: Folder, subjects: list[Answers], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(folder.path), "--json", "--split", "test", "--peer", "peer"]) == 0
    earlier = tmp_path / "earlier.json"
    earlier.write_text(capfd.readouterr().out)
    peer = subjects.pop()
    assert main(["evaluate", str(folder.path), "--json", "--split", "test", "--beside", str(earlier)]) == 0
    told = json.loads(capfd.readouterr().out)
    assert list(told["peers"]) == [peer.name] and told["peers"][peer.name]["cpu_ratio"] is None
    out = tmp_path / "out"
    assert main(["evaluate", str(folder.path), "--split", "test", "--beside", str(earlier), "--out", str(out)]) == 0
    assert f"| {subjects[0].name} 1 | {peer.name} 1 |" in (out / "tables.md").read_text()
    assert '"engine":"peer"' not in (out / "plates.jsonl").read_text(), "nobody saw its pictures in this run"
    capfd.readouterr()
    assert main(["evaluate", str(folder.path), "--split", "all", "--beside", str(earlier)]) == 3
    assert "has not seen" in capfd.readouterr().err


def test_ctrl_c_gives_what_was_done_and_says_that_it_is_partial(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "_subjects", lambda *asked: [Answers(interrupted(3))])
    assert main(["evaluate", str(folder.path), "--json", "--split", "all"]) == 130
    said = capfd.readouterr()
    told = json.loads(said.out)
    assert told["partial"] is True and (told["runs"][0]["done"], told["runs"][0]["of"]) == (2, 5)
    assert len(told["notes"][0]["pictures"]) == 2
    assert "partial, broken off" in said.err


def test_a_picture_that_cannot_be_opened_makes_the_exit_code_1(
    folder: Folder, subjects: list[Answers], capfd: pytest.CaptureFixture[str]
) -> None:
    (folder.path / "i/a.png").write_bytes(b"")
    assert main(["evaluate", str(folder.path)]) == 1
    said = capfd.readouterr()
    assert "i/a.png is empty" in said.err or "a.png is empty" in said.err
    assert "1 times a file of plates could not be opened" in " ".join(said.out.split())


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (["here", "there"], "One folder at a time"),
        (["nothere"], "no folder"),
        (["--merge", "nothere.json"], "nothere.json cannot be read"),
        (["here", "--fold", "5/5"], "no folder"),
        (["here", "--markdown", "no/such/folder/t.md"], "its folder is not there"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_in_a_sentence(
    asked: list[str], says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", *asked]) == 3
    said = capfd.readouterr().err
    assert says in said and "Traceback" not in said


@pytest.mark.shared
def test_a_handful_of_real_pictures_is_read_by_the_day_one_engine_and_its_peer_in_one_run(
    shared_plates: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "images").symlink_to(shared_plates / "images")
    lines = (shared_plates / "scenes_misc.jsonl").read_text("utf-8").splitlines()[:3]
    Folder(tmp_path).lines("scenes_misc.jsonl", *lines)
    assert main(["evaluate", str(tmp_path), "--peer", "rapidocr", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["whole_plates"]["of"] == 3 and told["whole_plates"]["right"] >= 2
    assert told["peers"]["rapidocr"]["whole_plates"]["right"] >= 2
    assert told["peers"]["rapidocr"]["precision"] is None and told["precision"] is not None
    assert told["latency"]["stages_cpu"]["detect"]["median"] > told["latency"]["stages_cpu"]["read"]["median"] > 0

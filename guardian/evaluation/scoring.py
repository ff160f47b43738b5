"""The rules by which one picture is scored. Pure: labels and reads in, notes out.

- A plate is *found* when the upright boxes of a read and of the label overlap by `FOUND_IOU` (intersection over union);
  a read finds one plate, a plate is found by one read, the best overlaps first.
- A plate is *right* when a read whose box overlaps it by more than `READ_IOU` has its whole text. One look, one picture.
- A plate that no person can read is neither a miss nor, when found, a false alarm; what is read there is not judged.
- In a picture that is not labelled completely no find is a false alarm.
- A read that overlaps a readable plate is right or wrong; one that touches no labelled plate (overlap below `TOUCH_IOU`)
  of a complete picture is false.
- A subject that reads every text (`tells_plates` false) is right when the number stands anywhere in what it read, in one
  text or in several that follow one another; on each plate only one read of it is judged; found and false are not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from guardian.domain.read import Corners
from guardian.evaluation.align import Pair, align, signs_right
from guardian.evaluation.geometry import corner_error, iou
from guardian.evaluation.labels import CropPicture, LabelledPlate, Scene, series_named
from guardian.evaluation.notes import PlateNote, ReadNote, Verdict, picture_key
from guardian.evaluation.ports import Looked, PlateRead

FOUND_IOU = 0.5
READ_IOU = 0.3
TOUCH_IOU = 0.1
AGREE_MIN = 0.5
"""A read is only counted for the confusion of signs when so much of it is right: a dealer's name is no misread plate."""


class Finding(msgspec.Struct, frozen=True):
    """Something for a contact sheet or for `plates.jsonl`: holds the text of a real plate.

    `what`: `right`, `wrong` (another text stands there), `missed` (nothing was read there), `false` (no plate is there).
    `corners` are px of the picture: those of the plate, of a false read those of the read; None for a crop.
    """

    what: Literal["right", "wrong", "missed", "false"]
    file: str
    set: str
    truth: str
    read: str
    confidence_prob: float
    corners: Corners | None
    height_px: float = 0.0
    light: str = ""


class Scored(msgspec.Struct):
    """What came of one picture. The time is put in by who measured it."""

    plates: list[PlateNote] = []
    reads: list[ReadNote] = []
    pairs: list[tuple[str, list[Pair]]] = []  # series of the plate, its aligned signs
    findings: list[Finding] = []
    hits: int | None = None
    false_finds: int | None = None
    false_reads: int | None = None
    unreadable_found: int = 0
    unreadable: int = 0


def score_scene(scene: Scene, looked: Looked, *, tells_plates: bool = True) -> Scored:
    """Score a whole picture; corners of the reads are px of the upright picture, as those of the labels."""
    out = Scored()
    key = picture_key(scene.file)
    matched = _match(scene.plates, looked.plates) if tells_plates else {}
    for place, label in enumerate(scene.plates):
        if label.text is None:
            out.unreadable += 1
            out.unreadable_found += place in matched
            continue
        near = sorted(
            (read for read in looked.plates if iou(read.corners, label.corners) > READ_IOU),
            # The right one of several; else the one that covers the plate best.
            key=lambda read, label=label: (read.text == label.text, iou(read.corners, label.corners)),  # type: ignore[misc]
            reverse=True,
        )
        best = near[0] if near else None
        right = best is not None and best.text == label.text
        if not tells_plates and not right and _stands_in(label.text, looked.anywhere):
            right = True
            best = best or PlateRead(label.text, 0.0, label.corners)
            best = msgspec.structs.replace(best, text=label.text)
        series = series_named(label.text)
        pairs = align(label.text, best.text if best is not None else "")
        good = signs_right(pairs)
        finder = looked.plates[matched[place]] if place in matched else None
        out.plates.append(
            PlateNote(
                key,
                "scene",
                scene.set,
                scene.light,
                label.vehicle,
                series,
                round(label.height_px, 1),
                place in matched if tells_plates else None,
                best is not None,
                right,
                good,
                len(label.text),
                round(max((iou(read.corners, label.corners) for read in looked.plates), default=0.0), 4),
                round(corner_error(finder.corners, label.corners), 4)
                if finder is not None and label.corners_quality == "fitted"
                else None,
            )
        )
        if best is not None and good >= AGREE_MIN * max(len(label.text), len(best.text)):
            out.pairs.append((series, pairs))
        if not tells_plates and best is not None:
            out.reads.append(_read(key, "scene", scene.set, scene.light, best, "right" if right else "wrong"))
        out.findings.append(
            Finding(
                "right" if right else "wrong" if best is not None else "missed",
                scene.file,
                scene.set,
                label.text,
                best.text if best is not None else "",
                best.confidence_prob if best is not None else 0.0,
                label.corners,
                round(label.height_px, 1),
                scene.light,
            )
        )
    if tells_plates:
        _judge_reads(scene, looked, matched, key, out)
    return out


def _judge_reads(scene: Scene, looked: Looked, matched: dict[int, int], key: str, out: Scored) -> None:
    finders = set(matched.values())
    false_finds = 0
    for number, read in enumerate(looked.plates):
        near = max(scene.plates, key=lambda label: iou(read.corners, label.corners), default=None)
        overlap = iou(read.corners, near.corners) if near is not None else 0.0
        on_it = near is not None and overlap > READ_IOU
        if near is not None and on_it and near.text is None:
            continue
        false_finds += number not in finders
        verdict: Verdict
        if near is not None and on_it:
            verdict = "right" if read.text == near.text else "wrong"
        elif scene.complete and overlap < TOUCH_IOU:
            verdict = "false"
            out.findings.append(
                Finding(
                    "false", scene.file, scene.set, "", read.text, read.confidence_prob, read.corners, 0.0, scene.light
                )
            )
        else:
            continue
        out.reads.append(_read(key, "scene", scene.set, scene.light, read, verdict))
    if scene.complete:
        out.hits = sum(scene.plates[place].text is not None for place in matched)
        out.false_finds = false_finds
        out.false_reads = sum(note.verdict == "false" for note in out.reads)


def score_crop(crop: CropPicture, looked: Looked, *, tells_plates: bool = True) -> Scored:
    """Score a picture that is one plate: found by definition, so that only its text is judged."""
    out = Scored()
    key = picture_key(crop.file)
    best = max(looked.plates, key=lambda read: (read.text == crop.text, read.confidence_prob), default=None)
    right = best is not None and best.text == crop.text
    if not tells_plates and not right and _stands_in(crop.text, looked.anywhere):
        right = True
        best = msgspec.structs.replace(best or PlateRead("", 0.0, ((0.0, 0.0),) * 4), text=crop.text)
    series = series_named(crop.text, crop.layout)
    pairs = align(crop.text, best.text if best is not None else "")
    good = signs_right(pairs)
    out.plates.append(
        PlateNote(
            key,
            "crop",
            crop.set,
            crop.light,
            crop.vehicle,
            series,
            float(crop.height),
            None,
            best is not None,
            right,
            good,
            len(crop.text),
        )
    )
    if best is not None:
        if good >= AGREE_MIN * max(len(crop.text), len(best.text)):
            out.pairs.append((series, pairs))
        out.reads.append(_read(key, "crop", crop.set, crop.light, best, "right" if right else "wrong"))
    out.findings.append(
        Finding(
            "right" if right else "wrong" if best is not None else "missed",
            crop.file,
            crop.set,
            crop.text,
            best.text if best is not None else "",
            best.confidence_prob if best is not None else 0.0,
            None,
            float(crop.height),
            crop.light,
        )
    )
    return out


def _read(
    key: str, kind: Literal["scene", "crop"], name: str, light: str, read: PlateRead, verdict: Verdict
) -> ReadNote:
    return ReadNote(key, kind, name, light, round(read.confidence_prob, 4), verdict)


def _match(labels: Sequence[LabelledPlate], reads: Sequence[PlateRead]) -> dict[int, int]:
    """Which label (by place) is found by which read (by place)."""
    overlaps = sorted(
        (
            (iou(read.corners, label.corners), -place, -number)
            for place, label in enumerate(labels)
            for number, read in enumerate(reads)
        ),
        reverse=True,
    )
    out: dict[int, int] = {}
    taken: set[int] = set()
    for overlap, place, number in overlaps:
        if overlap >= FOUND_IOU and -place not in out and -number not in taken:
            out[-place] = -number
            taken.add(-number)
    return out


def _stands_in(text: str, anywhere: Sequence[str]) -> bool:
    """Whether a number stands in one of the texts, or in them said one after another."""
    return any(text in one for one in anywhere) or text in "".join(anywhere)

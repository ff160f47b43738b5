"""Labelled folders: what their files hold, and the refusal of lines that cannot be trusted.

A folder holds any of these, one JSON object a line:

`scenes_<set>.jsonl`, whole pictures
    `file` (below the folder), `width`, `height` (px, as a viewer shows it), `split` (train, test or another word; test
    where left out),
    `light` (day, dark; left out: not said), `plates`, and `complete`, which is true where left out. `false` says that
    plates may stand in the picture that nobody labelled: it counts for recall, and no find in it is a false alarm.
    A plate has `text` (normal form; null where a person cannot read it: it is then neither a miss when it is not found nor a false
    alarm when it is), `corners` (four [x, y], px, clockwise from the top left), `vehicle`, and `corners_quality`
    (`fitted` ones also measure the corners).

`crops_<set>.jsonl`, single plates that are cut out
    `file`, `width`, `height`, `split`, `text`, and `layout`, the text with its dash.

`videos.jsonl`, films
    `file`, `split`, `light`, `vehicles`, and `complete` as above. A vehicle has `text` (or null), `from_s` and `to_s`: the
    seconds from the start of the film between which its plate can be seen (a second's slack is given at both ends), and
    `vehicle`. A vehicle that passes twice stands there twice. `readable` false says that its text is known from
    elsewhere and cannot be read in the film: no read of it is then no miss, and a right one no fault.

Fields that are not named here are passed over, since folders carry notes of their own (`source`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from guardian.domain.errors import InputRefusedError
from guardian.domain.plate import ALPHABET, Plate
from guardian.domain.read import Corners
from guardian.domain.series import series_of
from guardian.evaluation.geometry import box_of, height_of

NOT_SAID = "not said"
"""The light of a picture, or the kind of a vehicle, of which the label says nothing."""
NO_SERIES = "no known series"
_SET = re.compile(r"(scenes|crops)_([a-z0-9][a-z0-9_-]*)\.jsonl")

_T = TypeVar("_T")


class LabelError(InputRefusedError):
    """A folder or a line of it cannot be used; the sentence names file and line."""

    reference = "label-refused"


class LabelledPlate(msgspec.Struct, frozen=True):
    """One plate in a picture. `text` None: it is there, and a person cannot read it."""

    text: str | None
    corners: Corners
    vehicle: str = NOT_SAID
    corners_quality: str = "approx"

    @property
    def height_px(self) -> float:
        """Mean of the plate's two sides."""
        return height_of(self.corners)


class Scene(msgspec.Struct, frozen=True):
    """One whole picture."""

    file: str
    width: int
    height: int
    plates: tuple[LabelledPlate, ...]
    split: str = "test"
    light: str = NOT_SAID
    complete: bool = True
    set: str = ""


class CropPicture(msgspec.Struct, frozen=True):
    """One plate, cut out."""

    file: str
    width: int
    height: int
    text: str
    split: str = "test"
    layout: str | None = None
    light: str = NOT_SAID
    vehicle: str = NOT_SAID
    set: str = ""


class Passed(msgspec.Struct, frozen=True):
    """One vehicle that passes in a film."""

    text: str | None
    from_s: float
    to_s: float
    vehicle: str = NOT_SAID
    readable: bool = True


class Film(msgspec.Struct, frozen=True):
    """One film."""

    file: str
    vehicles: tuple[Passed, ...]
    split: str = "test"
    light: str = NOT_SAID
    complete: bool = True


class Labels(msgspec.Struct, frozen=True):
    """All labels of one folder, or a part of them."""

    folder: Path
    scenes: tuple[Scene, ...] = ()
    crops: tuple[CropPicture, ...] = ()
    films: tuple[Film, ...] = ()

    @property
    def sets(self) -> tuple[str, ...]:
        """Names of the sets, scenes first."""
        return tuple(dict.fromkeys([*(s.set for s in self.scenes), *(c.set for c in self.crops)]))

    @property
    def splits(self) -> tuple[str, ...]:
        """Splits that stand in these labels."""
        return tuple(
            sorted({*(s.split for s in self.scenes), *(c.split for c in self.crops), *(f.split for f in self.films)})
        )

    def part(self, *, split: str = "all", sets: tuple[str, ...] = ()) -> Labels:
        """The lines of one split and of some sets (none named: of each, and the films).

        Args:
            split: `all` for each; empty for all that no model may have been taught on, whatever it is called.

        Raises:
            LabelError: a set that is not there, or nothing is left.
        """
        unknown = [name for name in sets if name not in self.sets and name != "videos"]
        if unknown:
            raise LabelError(
                f"There is no set '{unknown[0]}' in {self.folder.name}.",
                hint=f"There: {', '.join([*self.sets, *(['videos'] if self.films else [])])}.",
                reference="no-such-set",
            )

        def wanted(line: Scene | CropPicture | Film, name: str) -> bool:
            of_split = line.split != "train" if split == "" else split in ("all", line.split)
            return of_split and (not sets or name in sets)

        part = Labels(
            self.folder,
            tuple(s for s in self.scenes if wanted(s, s.set)),
            tuple(c for c in self.crops if wanted(c, c.set)),
            tuple(f for f in self.films if wanted(f, "videos")),
        )
        if not (part.scenes or part.crops or part.films):
            where = f"in its split '{split}'" if split else "beside its training split"
            raise LabelError(
                f"{self.folder.name} has nothing {where}{' of these sets' if sets else ''}.",
                hint=f"Splits there: {', '.join(self.splits)}; --split all takes each.",
                reference="nothing-to-evaluate",
            )
        return part


def series_named(text: str | None, layout: str | None = None) -> str:
    """The id of the likeliest series of a text; the dash of its layout decides where it is known."""
    if not text:
        return NO_SERIES
    dash_after = layout.index("-") if layout and layout.count("-") == 1 else None
    fitting = series_of(text, dash_after)
    return fitting[0].id if fitting else NO_SERIES


def display_named(text: str) -> str:
    """A text as it is printed, for people."""
    return Plate(text).display


def load_labels(folder: Path | str) -> Labels:
    """Read all labels of a folder; pictures are only opened when their turn comes.

    Raises:
        LabelError: no such folder, no labels in it, or a line that cannot be used, by file and line.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise LabelError(
            f"{folder.name} is no folder.", hint="Name a folder with scenes_*.jsonl.", reference="not-a-folder"
        )
    scenes: list[Scene] = []
    crops: list[CropPicture] = []
    for path in sorted(folder.glob("*_*.jsonl")):
        match = _SET.fullmatch(path.name)
        if match is None:
            continue
        if match[1] == "scenes":
            for number, scene in _lines(path, Scene):
                _check_file(folder, scene.file, path.name, number)
                for place, plate in enumerate(scene.plates, 1):
                    _check_plate(plate, scene, f"{path.name} line {number}, plate {place}")
                scenes.append(msgspec.structs.replace(scene, set=match[2]))
        else:
            for number, crop in _lines(path, CropPicture):
                _check_file(folder, crop.file, path.name, number)
                _check_text(crop.text, f"{path.name} line {number}")
                crops.append(msgspec.structs.replace(crop, set=match[2]))
    both = {s.set for s in scenes} & {c.set for c in crops}
    if both:
        name = min(both)
        raise LabelError(
            f"'{name}' names a set of scenes and a set of crops; figures by set would be mixed.",
            hint=f"Rename one of scenes_{name}.jsonl and crops_{name}.jsonl.",
            reference="set-twice",
        )
    films = list(_films(folder))
    if not (scenes or crops or films):
        raise LabelError(
            f"{folder.name} holds no labels.",
            hint="Name a folder with scenes_*.jsonl, crops_*.jsonl or videos.jsonl.",
            reference="no-labels",
        )
    _check_once(scenes, crops, films)
    return Labels(folder, tuple(scenes), tuple(crops), tuple(films))


def _films(folder: Path) -> Iterator[Film]:
    path = folder / "videos.jsonl"
    if not path.exists():
        return
    for number, film in _lines(path, Film):
        _check_file(folder, film.file, path.name, number)
        for place, passed in enumerate(film.vehicles, 1):
            where = f"{path.name} line {number}, vehicle {place}"
            if passed.text is not None:
                _check_text(passed.text, where)
            if not 0 <= passed.from_s <= passed.to_s:
                raise LabelError(
                    f"{where}: it passes from {passed.from_s:g} s to {passed.to_s:g} s; nothing was evaluated.",
                    hint="from_s comes first, and neither is below 0.",
                )
        yield film


def _lines(path: Path, kind: type[_T]) -> Iterator[tuple[int, _T]]:
    """The lines of a file with their numbers, from 1."""
    decoder = msgspec.json.Decoder(kind)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LabelError(f"{path.name} cannot be read: {error.strerror}.") from error
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield number, decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise LabelError(
                f"{path.name} line {number}: {str(error).rstrip('.')}; nothing was evaluated.",
                hint="Mend the line; guardian.evaluation.labels says what it holds.",
            ) from error


def _check_file(folder: Path, file: str, name: str, number: int) -> None:
    path = folder / file
    if file.startswith("/") or ".." in Path(file).parts:
        raise LabelError(f"{name} line {number}: {file} lies outside the folder; nothing was evaluated.")
    if not path.exists():
        raise LabelError(
            f"{name} line {number}: {file} is not there; nothing was evaluated.",
            hint="Fetch the pictures again, or take the line out.",
        )


def _check_plate(plate: LabelledPlate, scene: Scene, where: str) -> None:
    if plate.text is not None:
        _check_text(plate.text, where)
    left, top, right, bottom = box_of(plate.corners)
    if right - left < 2 or bottom - top < 2:
        raise LabelError(f"{where}: its corners enclose nothing; nothing was evaluated.", hint="Label it again.")
    # Plates may be cut by the frame, so corners may lie a little outside of it; none lies wholly outside.
    if right <= 0 or bottom <= 0 or left >= scene.width or top >= scene.height:
        raise LabelError(
            f"{where}: it lies outside the picture of {scene.width}x{scene.height} px; nothing was evaluated.",
            hint="Corners are px of the upright picture.",
        )
    # Clockwise in a picture, whose y goes down, is a positive area by the shoelace formula.
    p = plate.corners
    area = sum(p[i][0] * p[(i + 1) % 4][1] - p[(i + 1) % 4][0] * p[i][1] for i in range(4))
    if area <= 0:
        raise LabelError(
            f"{where}: its corners do not run clockwise; nothing was evaluated.",
            hint="Top left, top right, bottom right, bottom left.",
        )


def _check_text(text: str, where: str) -> None:
    if not text or any(sign not in ALPHABET for sign in text):
        raise LabelError(
            f"{where}: '{text}' is no plate in normal form; nothing was evaluated.",
            hint="A-Z and 0-9 without the dash; null where a person cannot read it.",
        )


def _check_once(scenes: list[Scene], crops: list[CropPicture], films: list[Film]) -> None:
    seen: set[str] = set()
    for file in [*(s.file for s in scenes), *(c.file for c in crops), *(f.file for f in films)]:
        if file in seen:
            raise LabelError(f"{file} is labelled twice; it would count twice.", hint="Take one of the lines out.")
        seen.add(file)

"""`guardian read`: every plate in each picture, for people or as JSON. The same engine as the device's."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import App, Parameter
from rich.console import Console
from rich.text import Text

from guardian.domain.errors import GuardianError, InputRefusedError
from guardian.domain.plate import Plate
from guardian.domain.read import DOUBTFUL_PROB

if TYPE_CHECKING:
    from guardian.vision.engine import Engine
    from guardian.vision.judge import PlateSeen
    from guardian.vision.picture import Picture
    from guardian.vision.ports import VehicleLooker, VehicleSeen

_FILES_MAX = 1_000_000
_SKIPPED_NAMES = {"thumbs.db", "desktop.ini"}

_EXAMPLES = """\
Examples:
  guardian read photo.jpg                     numbers, how sure, who wears them
  guardian read folder --show out             pictures with boxes and texts
  guardian read folder --json > reads.jsonl   one JSON object for each picture
  guardian read crops --crops                 each picture is one plate, cut out
  guardian read photo.jpg --vehicles          and which vehicle wears each

Folders are read with all that is in them, in order of name. What is in a file
decides, not its ending. A file that is no picture is said and the others go on;
the exit code is then 1. Doubtful characters are marked.
"""

app = App(
    name="read",
    usage="Usage: guardian read FILE_OR_FOLDER… [--json] [--show OUT] [--crops] …",
    help_format="plaintext",
    help_epilogue=_EXAMPLES,
)


@app.default
def read(
    paths: Annotated[tuple[Path, ...], Parameter(name="FILE_OR_FOLDER", negative=())],
    /,
    *,
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    show: Annotated[Path | None, Parameter(name="--show")] = None,
    crops: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    vehicles: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    engine: Annotated[str, Parameter(name="--engine")] = "guardian",
    threads: Annotated[int, Parameter(name="--threads", show_default=False)] = 0,
) -> int:
    """Read every plate in each picture.

    Parameters
    ----------
    paths
        Pictures, or folders of pictures.
    json
        One object a line: file, width, height, plates, elapsed_ms; or file, error.
    show
        A folder for pictures with boxes and texts; made when it is not there.
    crops
        Each picture is one plate, already cut out.
    vehicles
        Say kind, colour and body of the vehicles as well.
    engine
        Who reads: guardian (our own models) or day-one.
    threads
        Processor cores to use; 0 is all but one, four at most.
    """
    if not paths:
        raise InputRefusedError("No picture was named.", hint="guardian read photo.jpg", reference="nothing-to-read")
    from guardian.vision.engine import open_engine

    opened = open_engine(engine, threads=threads if threads > 0 else max(1, min(4, (os.cpu_count() or 2) - 1)))
    if show is not None:
        _make_folder(show)
    report = _JSONReport() if json else _Report()
    looker: VehicleLooker | None = None
    if vehicles:
        from guardian.vision.vehicles import VehicleFinder

        looker = VehicleFinder()
    return _read_all(opened, paths, report, show, crops, looker)


def _read_all(
    engine: Engine,
    paths: tuple[Path, ...],
    report: _Report,
    show: Path | None,
    crops: bool,
    looker: VehicleLooker | None = None,
) -> int:
    from guardian.vision.picture import load_picture

    pictures = plates = failed = 0
    drawn: set[str] = set()
    for path in _files(paths):
        report.begins(path)
        started = time.perf_counter()
        try:
            picture = load_picture(path)
            if crops:
                found = engine.look_at_crop(picture.frame)
                seen = [found] if found is not None else []
            else:
                seen = engine.look(picture.frame)
            around = looker.vehicles(picture.frame, [p.corners for p in seen]) if looker is not None else None
        except GuardianError as error:
            failed += 1
            report.error(path, error)
            continue
        elapsed_ms = (time.perf_counter() - started) * 1000
        seen = [_scaled(plate, picture.scale) for plate in seen if picture.holds(plate.corners)]
        if around is not None:
            around = [_scaled_box(vehicle, picture.scale) for vehicle in around]
        pictures, plates = pictures + 1, plates + len(seen)
        report.picture(path, picture, seen, elapsed_ms, around)
        if show is not None:
            _draw(picture, seen, show, path, drawn)
    report.ends(pictures, plates, failed, show)
    if not pictures and not failed:
        raise InputRefusedError(
            f"There is no picture in {', '.join(_said(path) for path in paths[:3])}.",
            hint="Name a photo, or a folder that holds some (hidden files are passed over).",
            reference="no-picture-there",
        )
    return 1 if failed else 0


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    """Every file that was named or lies in a named folder, in order of name; each real folder once, whatever links to it."""
    folders_seen: set[tuple[int, int]] = set()
    count = 0
    stack = list(reversed(paths))
    named = {str(p) for p in paths}
    while stack:
        path = stack.pop()
        try:
            facts = path.stat()
        except OSError:
            yield path  # opening it says what is wrong
            continue
        if stat.S_ISDIR(facts.st_mode):
            key = (facts.st_dev, facts.st_ino)
            if key in folders_seen:
                continue
            folders_seen.add(key)
            try:
                names = sorted(entry.name for entry in path.iterdir())
            except OSError:
                yield path
                continue
            stack.extend(path / name for name in reversed(names))
            continue
        hidden = path.name.startswith(".") or path.name.lower() in _SKIPPED_NAMES
        if (hidden or not stat.S_ISREG(facts.st_mode)) and str(path) not in named:
            continue
        count += 1
        if count > _FILES_MAX:
            raise InputRefusedError(
                f"More than {_FILES_MAX:,} files; the rest was not read.", hint="Name fewer folders."
            )
        yield path


def _scaled(plate: PlateSeen, scale: float) -> PlateSeen:
    if scale == 1:
        return plate
    a, b, c, d = ((x * scale, y * scale) for x, y in plate.corners)
    return msgspec.structs.replace(plate, corners=(a, b, c, d))


def _scaled_box(vehicle: VehicleSeen, scale: float) -> VehicleSeen:
    x0, y0, x1, y1 = vehicle.box
    return msgspec.structs.replace(vehicle, box=(x0 * scale, y0 * scale, x1 * scale, y1 * scale))


def _said(path: Path) -> str:
    """A path as text that every terminal and JSON reader takes, whatever bytes its name holds."""
    return os.fsencode(path).decode("utf-8", "replace")


def plate_as_json(plate: PlateSeen) -> dict[str, Any]:
    """One plate as `--json` gives it."""
    number = plate.number
    value = Plate(number.text, number.series.dash_after)
    return {
        "text": number.text,
        "display": value.display,
        "confidence_prob": round(plate.confidence_prob, 4),
        "char_probs": [round(p, 4) for p in number.char_probs],
        "corners": [[round(x, 1), round(y, 1)] for x, y in plate.corners],
        "series": number.series.id,
        "vehicle_classes": [str(c) for c in value.vehicle_classes],
        "raw_text": plate.raw_text,
    }


def vehicle_as_json(vehicle: VehicleSeen) -> dict[str, Any]:
    """One vehicle as `--json --vehicles` gives it; "" is cannot tell, or not known."""
    return {
        "box": [round(v, 1) for v in vehicle.box],
        "kind": vehicle.kind,
        "kind_prob": round(vehicle.kind_prob, 4),
        "colour": vehicle.colour,
        "colour_prob": round(vehicle.colour_prob, 4),
        "body": vehicle.body,
        "body_prob": round(vehicle.body_prob, 4),
        "make": vehicle.make,
        "model": vehicle.model,
    }


class _Report:
    """What a person sees: a line for each picture, a line for each plate, and one at the end."""

    def __init__(self) -> None:
        self.out = Console(highlight=False, soft_wrap=True)
        self.talk = Console(stderr=True, highlight=False)
        self.status = self.talk.status("loading") if self.talk.is_terminal and not self.out.is_terminal else None

    def begins(self, path: Path) -> None:
        if self.status is not None:
            self.status.start()
            self.status.update(f"reading {_said(path)}")

    def picture(
        self,
        path: Path,
        picture: Picture,
        plates: list[PlateSeen],
        elapsed_ms: float,
        vehicles: list[VehicleSeen] | None = None,
    ) -> None:
        line = Text(_said(path), style="bold")
        line.append(f"  {picture.width}×{picture.height}  {elapsed_ms:.0f} ms", style="dim")
        self.out.print(line)
        for warning in picture.warnings:
            self.out.print(Text(f"  ! {warning}", style="yellow"))
        for plate in plates:
            text = _plate_line(plate)
            if vehicles is not None:
                text.append(f"  {_vehicle_said(plate, vehicles)}")
            self.out.print(text)
        if not plates:
            self.out.print(Text("  no plate found", style="dim"))

    def error(self, path: Path, error: GuardianError) -> None:
        self.out.print(Text(_said(path), style="bold"))
        self.out.print(Text(f"  not read: {error.sentence} {error.hint}".rstrip(), style="red"))

    def ends(self, pictures: int, plates: int, failed: int, show: Path | None) -> None:
        if self.status is not None:
            self.status.stop()
        said = f"{pictures} picture{'s' * (pictures != 1)}, {plates} plate{'s' * (plates != 1)}"
        if failed:
            said += f", {failed} file{'s' * (failed != 1)} not read"
        said += f"; drawn into {_said(show)}" if show is not None else "; --show OUT draws them, --json says all"
        self.talk.print(said + ".")


def _plate_line(plate: PlateSeen) -> Text:
    number = plate.number
    value = Plate(number.text, number.series.dash_after)
    line = Text("  ")
    for place, sign in enumerate(number.text):
        if place and place == number.series.dash_after:
            line.append("-", style="bold")
        doubtful = number.char_probs[place] < DOUBTFUL_PROB
        line.append(sign, style="bold black on yellow" if doubtful else "bold")
    line.append(" " * max(1, 10 - len(value.display)))
    line.append(
        f"{plate.confidence_prob * 100:3.0f} %", style="green" if plate.confidence_prob >= DOUBTFUL_PROB else "yellow"
    )
    doubts = [f"{number.text[i]} (place {i + 1})" for i, p in enumerate(number.char_probs) if p < DOUBTFUL_PROB]
    classes = [str(c).replace("_", " ") for c in value.vehicle_classes]
    said = "no known series" if not number.series.id else ", ".join(classes) if len(classes) <= 4 else "any vehicle"
    line.append(f"  {said}", style="dim")
    if doubts:
        line.append(f"  doubtful: {', '.join(doubts)}", style="yellow")
    return line


def _vehicle_said(plate: PlateSeen, vehicles: list[VehicleSeen]) -> str:
    from guardian.vision.vehicles import carrier_of

    place = carrier_of(plate.corners, vehicles)
    if place is None:
        return "no vehicle seen"
    vehicle = vehicles[place]
    return " ".join((vehicle.colour or "colour?", vehicle.body or vehicle.kind))


class _JSONReport(_Report):
    """One JSON object a line on stdout, at once, so that a following program may work while we read on."""

    def picture(
        self,
        path: Path,
        picture: Picture,
        plates: list[PlateSeen],
        elapsed_ms: float,
        vehicles: list[VehicleSeen] | None = None,
    ) -> None:
        line: dict[str, Any] = {
            "file": _said(path),
            "width": picture.width,
            "height": picture.height,
            "plates": [plate_as_json(p) for p in plates],
            "elapsed_ms": round(elapsed_ms, 1),
        }
        if vehicles is not None:
            from guardian.vision.vehicles import carrier_of

            for plate, said in zip(plates, line["plates"], strict=True):
                said["vehicle"] = carrier_of(plate.corners, vehicles)
            line["vehicles"] = [vehicle_as_json(v) for v in vehicles]
        if picture.warnings:
            line["warning"] = "; ".join(picture.warnings)
        self._write(line)

    def error(self, path: Path, error: GuardianError) -> None:
        self._write(
            {"file": _said(path), "error": f"{error.sentence} {error.hint}".rstrip(), "reference": error.reference}
        )

    def ends(self, pictures: int, plates: int, failed: int, show: Path | None) -> None:
        if self.status is not None:
            self.status.stop()

    @staticmethod
    def _write(line: dict[str, Any]) -> None:
        sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
        sys.stdout.flush()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputRefusedError(
            f"The folder {_said(folder)} cannot be made: {error.strerror}. Nothing was read.",
            hint="Name a folder that you may write to: --show out",
            reference="show-folder",
        ) from error
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise InputRefusedError(
            f"{_said(folder)} is no folder that this user may write to. Nothing was read.",
            hint="Name another one: --show out",
            reference="show-folder",
        )


def _draw(picture: Picture, plates: list[PlateSeen], folder: Path, path: Path, drawn: set[str]) -> None:
    from guardian.vision.show import draw_plates

    stem = os.fsencode(path.stem)[:200].decode("utf-8", "ignore") or "picture"
    name, number = stem, 1
    while name in drawn:
        number += 1
        name = f"{stem}-{number}"
    drawn.add(name)
    draw_plates(picture.frame, plates, scale=picture.scale).save(folder / f"{name}.jpg", quality=90)

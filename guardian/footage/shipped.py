"""The demo's drive as it ships in the package, and reading what lies beside a film.

It is `demo_spec()` as filmed by `render_drive`, so that the demo starts without minutes of drawing;
`guardian footage render OUT --demo` makes it anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from guardian.domain.errors import InputRefusedError
from guardian.footage.model import DriveFiles, Pass, TrackPoint

_T = TypeVar("_T")
_DEMO = Path(__file__).parent / "data" / "demo"


def files_in(folder: Path) -> DriveFiles:
    """Names of the parts of a drive in a folder; they need not be there."""
    return DriveFiles(
        video=folder / "drive.mp4",
        truth=folder / "truth.jsonl",
        track=folder / "track.jsonl",
        nmea=folder / "track.nmea",
        spec=folder / "spec.json",
    )


def demo_drive() -> DriveFiles:
    """The drive that ships with the package: 60 s at dusk along 信義路三段."""
    return files_in(_DEMO)


def load_track(path: Path) -> list[TrackPoint]:
    """Fixes of a track file, in its order.

    Raises:
        InputRefusedError: a line that is no fix.
    """
    return _load_lines(path, TrackPoint)


def load_truth(path: Path) -> list[Pass]:
    """Vehicles of a truth file.

    Raises:
        InputRefusedError: a line that is no vehicle.
    """
    return _load_lines(path, Pass)


def start_at(points: Iterable[TrackPoint], start_ms: int) -> list[TrackPoint]:
    """The same track with its first frame at another time: a film that plays now is captured now."""
    return [msgspec.structs.replace(point, captured_ms=start_ms + round(point.video_s * 1000)) for point in points]


def _load_lines(path: Path, kind: type[_T]) -> list[_T]:
    out: list[_T] = []
    decoder = msgspec.json.Decoder(kind)
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            out.append(decoder.decode(line))
        except msgspec.DecodeError as error:
            raise InputRefusedError(
                f"Line {number} of '{path.name}' is not of a drive.", reference="drive-file-broken"
            ) from error
    return out

"""Drives of our own as a labelled folder for `guardian evaluate`: the shipped one, and any that `guardian footage` rendered.

    python -m bench.films OUT                        the shipped drive
    python -m bench.films OUT out/night out/rain     drives beside it
    guardian evaluate OUT                            reads per passing vehicle

A vehicle passes from the first to the last frame in which its plate stands. One whose plate never comes near enough to be
read is labelled so: no read of it is no miss.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import av
import msgspec

from guardian.domain.series import VehicleClass
from guardian.footage.model import DriveFiles, Pass
from guardian.footage.shipped import demo_drive, files_in, load_truth

MOTORCYCLES = {str(c) for c in VehicleClass if "motorcycle" in c or c is VehicleClass.MICRO_ELECTRIC}


def line_of(drive: DriveFiles, file: str) -> dict[str, object]:
    """One line of `videos.jsonl`."""
    with av.open(str(drive.video)) as container:
        rate = float(container.streams.video[0].average_rate or 12)
    light = msgspec.json.decode(drive.spec.read_bytes())["light"] if drive.spec.exists() else "day"
    return {
        "file": file,
        "split": "test",
        "light": "dark" if light == "night" else light,
        "vehicles": [_passed(vehicle, rate) for vehicle in load_truth(drive.truth) if vehicle.views],
        "source": "rendered by guardian footage",
    }


def _passed(vehicle: Pass, rate: float) -> dict[str, object]:
    motorcycle = set(vehicle.vehicle_classes) <= MOTORCYCLES
    return {
        "text": vehicle.plate,
        "from_s": round(vehicle.views[0].frame / rate, 2),
        "to_s": round(vehicle.views[-1].frame / rate, 2),
        "vehicle": "motorcycle" if motorcycle else "car",
        "readable": vehicle.readable_frames > 0,
    }


def main() -> int:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("drives", type=Path, nargs="*")
    asked = parser.parse_args()
    drives = {folder.name: files_in(folder) for folder in asked.drives} or {"shipped": demo_drive()}
    (asked.out / "videos").mkdir(parents=True, exist_ok=True)
    lines: list[bytes] = []
    for name, drive in drives.items():
        file = f"videos/{name}{drive.video.suffix}"
        shutil.copyfile(drive.video, asked.out / file)
        lines.append(msgspec.json.encode(line_of(drive, file)))
    (asked.out / "videos.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    print(f"{len(lines)} films in {asked.out}; guardian evaluate {asked.out} counts the reads per vehicle.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""`guardian footage`: street drives of our own, to try a device on."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from guardian.footage.light import Light

app = App(name="footage", help="Make street drives of our own, with the truth beside them.")


@app.command(
    help_epilogue="""\
Examples:
  guardian footage render out/night --light night --seed 7
  guardian footage render out/rain --seconds 20 --rain --size 1920x1080
  guardian footage render out/demo --demo       the drive of guardian demo
  guardian device run out/night/drive.mp4 --track out/night/track.jsonl

The same seed makes the same drive. The truth beside it says which vehicle is
where in which frame, and from when on its plate can be read.
"""
)
def render(
    out: Annotated[Path, Parameter(help="The folder; made when it is not there.")],
    /,
    *,
    seconds: Annotated[float, Parameter(help="How long.")] = 60.0,
    light: Annotated[
        Light | None, Parameter(help="Time of day; day, and dusk with --demo, where none is given.")
    ] = None,
    seed: Annotated[int, Parameter(help="Another seed, other traffic.")] = 7,
    rain: Annotated[bool, Parameter(negative=(), help="Rain on road and lens.")] = False,
    size: Annotated[str, Parameter(help="Width and height in pixels.")] = "1280x720",
    fps: Annotated[float, Parameter(help="Frames a second.")] = 12.0,
    area: Annotated[str, Parameter(help="The area whose roads are driven.")] = "taipei-daan",
    road: Annotated[
        list[str] | None, Parameter(negative=(), help="Roads to follow, in order; else chosen by the seed.")
    ] = None,
    mount: Annotated[Literal["car", "motorcycle"], Parameter(help="What carries the camera.")] = "car",
    preset: Annotated[str, Parameter(help="x264's preset: the slower, the smaller the file.")] = "veryfast",
    crf: Annotated[int, Parameter(help="x264's quality: lower is better and larger.")] = 25,
    demo: Annotated[bool, Parameter(negative=(), help="The demo's drive, with vehicles of its watchlist.")] = False,
    quiet: Annotated[bool, Parameter(negative=(), help="No progress.")] = False,
) -> int:
    """Film a drive into the folder OUT: drive.mp4, truth.jsonl, track.jsonl, track.nmea."""
    import msgspec

    from guardian.domain.errors import InputRefusedError
    from guardian.footage import DriveSpec, demo_spec, render_drive

    try:
        width, height = (int(part) for part in size.lower().split("x"))
    except ValueError as error:
        raise InputRefusedError(f"'{size}' is no size.", hint="Write 1280x720.", reference="drive-size") from error
    base = (
        demo_spec(seconds=seconds, light=light or Light.DUSK, seed=seed)
        if demo
        else DriveSpec(seconds=seconds, light=light or Light.DAY, seed=seed)
    )
    spec = msgspec.structs.replace(
        base, rain=rain, width_px=width, height_px=height, frames_per_s=fps, area=area, mount=mount
    )
    if road:
        spec = msgspec.structs.replace(spec, roads=tuple(road))
    started = time.monotonic()

    def tell(done: int, whole: int) -> None:
        if quiet or not sys.stderr.isatty():
            return
        spent = time.monotonic() - started
        left = spent / done * (whole - done)
        print(f"\rFrame {done} of {whole}, {left:.0f} s left ", end="", file=sys.stderr, flush=True)

    files = render_drive(spec, out, tell, coder=(preset, crf))
    if not quiet and sys.stderr.isatty():
        print(file=sys.stderr)
    passes = [msgspec.json.decode(line) for line in files.truth.read_bytes().splitlines()]
    readable = sum(1 for item in passes if item["readable_frames"])
    print(
        f"{files.video}: {seconds:g} s in {time.monotonic() - started:.0f} s, {len(passes)} vehicles with a plate in sight, "
        f"{readable} near enough to read. Next: guardian device run {files.video}"
    )
    return 0


@app.command(
    help_epilogue="""\
Example:
  guardian footage stills guardian/footage/data/demo/stills
"""
)
def stills(out: Annotated[Path, Parameter(help="The folder.")], /) -> int:
    """Film the vehicles that the demo's simulated units hit, as single pictures, into the folder OUT."""
    from guardian.footage import demo_drive, load_truth
    from guardian.footage.shift import BODY_OF, SEEN_TWICE
    from guardian.footage.stills import render_stills

    colours = {one.plate: one.colour for one in load_truth(demo_drive().truth)}
    again = {plate: BODY_OF[plate] for plate in SEEN_TWICE}
    made = render_stills(out, BODY_OF, colours, again, lambda name: print(name, file=sys.stderr))
    print(f"{len(made)} stills in {out}")
    return 0

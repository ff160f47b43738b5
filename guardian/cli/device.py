"""`guardian device`: the patrol device on this machine."""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from guardian.domain.errors import InputRefusedError

app = App(
    name="device",
    help="The patrol device: reads plates, alarms, keeps every read, sends it when there is a line.",
    help_epilogue="""\
In this order:
  guardian device enrol …          once, with a code from the console (設備)
  guardian device run SOURCE       reads, alarms, sends
  guardian device status           how it is
""",
)

ROOM_MB_MIN = 16
DEFAULT_HOME = Path("~/.guardian/device")

Home = Annotated[Path, Parameter(name="--home", env_var="GUARDIAN_DEVICE_HOME")]


@app.command(
    help_epilogue="""\
Example:
  guardian device enrol --cloud http://127.0.0.1:8480 \\
                        --code 7K3M-Q2XD --name "大安 3 號"
"""
)
def enrol(
    *, cloud: str, code: str, name: str, kind: Literal["car", "motorcycle", "foot"] = "car", home: Home = DEFAULT_HOME
) -> int:
    """Join a cloud with the one-time code that an operator gave you.

    The device makes its own key; the cloud learns only the public half.

    Parameters
    ----------
    cloud
        The cloud's address, as in http://127.0.0.1:8480.
    code
        The one-time code from the console (設備).
    name
        What the device is called on screens, as in "大安 3 號".
    kind
        What carries it.
    home
        The device's folder.
    """
    from guardian.device.enrol import enrol as join
    from guardian.device.identity import Identity

    identity = Identity(home.expanduser())
    file = join(identity, cloud=cloud, code=code, name=name, kind=kind)
    print(f"Enrolled as {file.unit or file.name} ({file.device_id}).", file=sys.stderr)
    print("Next: guardian device run SOURCE", file=sys.stderr)
    return 0


@app.command(
    help_epilogue="""\
Examples:
  guardian device run drive.mp4 --track track.jsonl   a film with its track
  guardian device run photos/                         a folder of photos
  guardian device run camera --gps gpsd               USB camera and receiver
  guardian device run rtsp://192.0.2.7/main --stats   a network camera, with
                                                      each stage's time
"""
)
def run(
    source: str,
    /,
    *,
    stats: Annotated[bool, Parameter(negative=())] = False,
    track: Path | None = None,
    gps: str = "none",
    speed: Literal["real", "fast"] = "real",
    loop: Annotated[bool, Parameter(negative=())] = False,
    every_frame: Annotated[bool, Parameter(negative=())] = False,
    page: int = 8710,
    silent: Annotated[bool, Parameter(negative=())] = False,
    room_mb: int = 2048,
    numerals: Literal["radio", "plain"] = "radio",
    threads: int = 2,
    home: Home = DEFAULT_HOME,
) -> int:
    """Read from SOURCE until it ends, or until Ctrl-C: a film, a folder of photos, /dev/video0, or rtsp://…

    Works without a network and without a cloud: reads are kept, and sent when there is a line. The alarm has the whole terminal (Enter: 收到, N: 不是) and a page of its own on this machine, with sound.

    Parameters
    ----------
    source
        A film, a folder, a photo, a USB camera (camera, camera:1, /dev/video0) or an address (rtsp://, http://).
    stats
        Show what each stage does and costs.
    track
        The film's track, as guardian footage writes it: JSON lines with video_s, lat_deg, lon_deg.
    gps
        none, gpsd, gpsd://HOST:PORT, nmea://HOST:PORT, /dev/ttyUSB0, a file of NMEA, LAT,LON, or simulated.
    speed
        Films: in their own time, or as fast as they can be read.
    loop
        Films: begin again at the end.
    every_frame
        Look at every frame, even if that takes longer than the film.
    page
        Port of the alarm page; 0 takes a free one.
    silent
        No sound from this machine; the page can still sound.
    room_mb
        Room for what waits to be sent, in MB.
    numerals
        How digits are said: radio (洞 么 兩 拐 勾) or plain.
    threads
        Processor cores for looking.
    home
        The device's folder.
    """
    from guardian.device import terminal
    from guardian.device.gps import open_feed
    from guardian.device.identity import require_writable
    from guardian.device.logfile import open_log
    from guardian.device.run import Device, Options

    home = home.expanduser()
    if not 0 <= page <= 65535:
        raise InputRefusedError(f"There is no port {page}.", hint="Write --page 8710, or --page 0 for a free one.")
    if room_mb < ROOM_MB_MIN:
        raise InputRefusedError(
            f"{room_mb} MB hold no reads.", hint=f"Give the spool at least {ROOM_MB_MIN} MB: --room-mb 2048"
        )
    require_writable(home)
    open_log(home)
    options = Options(
        source=source,
        home=home,
        track=track,
        feed=open_feed(gps),
        speed=speed,
        loop=loop,
        every_frame=every_frame,
        page_port=page,
        muted=silent,
        room_bytes=room_mb << 20,
        numerals=numerals,
        threads=max(1, threads),
    )
    device = Device(options)
    stop = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: stop.set())
    if device.page is not None:
        print(f"Alarm page: {device.page.address}", file=sys.stderr)
    shown = threading.Event()
    drawing = threading.Thread(target=terminal.show, args=(device, shown), kwargs={"stats": stats}, daemon=True)
    drawing.start()
    try:
        summary = device.run(stop)
    finally:
        shown.set()
        drawing.join(timeout=2)
    for saying in summary.sayings:
        print(f"! {saying}", file=sys.stderr)
    lost = summary.reads_lost + summary.reads_in_memory
    if lost:
        print(
            f"! {lost:,} reads are lost: the disk was full and nothing took them. Free some room before the next run.",
            file=sys.stderr,
        )
    unsent = (
        f", {summary.waiting:,} reads and {summary.photos_waiting:,} photos still to be sent"
        if (summary.waiting or summary.photos_waiting)
        else ""
    )
    dropped = f" ({summary.frames_dropped:,} passed over)" if summary.frames_dropped else ""
    latency = f", alarm after {summary.alarm_ms_p99:.0f} ms (p99)" if summary.alarms else ""
    print(
        f"{summary.frames:,} frames{dropped}, {summary.reads:,} reads, {summary.alarms:,} alarms{latency}{unsent}; "
        f"{summary.elapsed_s:.1f} s.",
        file=sys.stderr,
    )
    return 3 if summary.unreadable and not summary.frames else 0


@app.command(
    help_epilogue="""\
Examples:
  guardian device status          for people
  guardian device status --json   for machines
"""
)
def status(*, json: Annotated[bool, Parameter(negative=())] = False, home: Home = DEFAULT_HOME) -> int:
    """Say how the device on this machine is, from what it wrote down last.

    Parameters
    ----------
    json
        Everything, as one JSON object.
    home
        The device's folder.
    """
    import msgspec
    from rich.console import Console

    from guardian.device.alarm import DeskView
    from guardian.device.identity import Identity
    from guardian.device.screen import render_status
    from guardian.device.status import DeviceStatus
    from guardian.device.telling import STATUS_FILE

    home = home.expanduser()
    path = home / STATUS_FILE
    if not path.exists():
        identity = Identity(home) if (home / "device.json").exists() else None
        known = (
            f"enrolled as {identity.file.unit or identity.file.name}, has"
            if identity is not None
            else "is not enrolled and has"
        )
        print(f"The device in this folder {known} never run. Next: guardian device run SOURCE", file=sys.stderr)
        return 1
    raw = path.read_bytes()
    if json:
        print(raw.decode())
        return 0
    told = msgspec.json.decode(raw, type=DeviceStatus)
    age_s = time.time() - path.stat().st_mtime
    if age_s > 10:
        print(f"Not running now; this is how it was {age_s / 60:.0f} min ago.", file=sys.stderr)
    Console().print(render_status(DeskView(0, None, 0, (), None), told, stats=True))
    return 0

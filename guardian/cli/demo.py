"""`guardian demo`: a station and a patrol car on this machine, with footage of our own.

Starts the cloud and one patrol device as their own processes, gives the cloud a watchlist, plays a rendered drive through
the device, lets a simulator stand in for the rest of the shift (`cli.shift`; `--alone` goes without), and ends what it
started, whatever happens. With `--seconds` it looks for itself whether reads, a hit and a
found search really came out, and says so by its exit code.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import webbrowser
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from guardian.domain.errors import GuardianError, NeighbourUnreachableError

DEVICE_NAME = "示範巡邏車"
PURPOSE, CASE = "偵辦刑案", "大安分局 115-0832"
START_LIMIT_S = 60


class _Cloud:
    """The demo's own browser: one signed-in session over the public routes."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def ask(self, method: str, path: str, body: object = None, *, raw: tuple[bytes, str] | None = None) -> Any:
        data, kind = raw if raw else (json.dumps(body).encode() if body is not None else None, "application/json")
        request = urllib.request.Request(  # noqa: S310 - loopback only
            f"{self.address}{path}",
            data=data,
            method=method,
            headers={"content-type": kind, "origin": self.address, "accept": "application/json"},
        )
        try:
            with self._opener.open(request, timeout=30) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")
            raise NeighbourUnreachableError(f"{method} {path} answered {error.code}: {said[:300]}") from error
        return json.loads(text) if text else None


def _free_port(wanted: int) -> int:
    """The wanted loopback port, or another where it is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # our own last run is no hindrance
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise NeighbourUnreachableError("No loopback port is free.")


@contextlib.contextmanager
def _running(command: list[str], log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A child that ends with us: asked first, then made to."""
    with log.open("wb") as out:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
        )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait(5)


def _say(text: str) -> None:
    print(text, flush=True)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-12:])


def _wait_for(address: str, child: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_LIMIT_S
    while time.monotonic() < until:
        if child.poll() is not None:
            raise GuardianError(f"The cloud ended at once ({child.returncode}).\n{_tail(log)}", reference="demo-cloud")
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/api/health", timeout=1) as answer:  # noqa: S310
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise GuardianError(f"The cloud did not answer within {START_LIMIT_S} s.\n{_tail(log)}", reference="demo-cloud")


def _wait_for_picture(cloud: _Cloud) -> None:
    """Until the patrol device sees its film: loading its engine is not what the seconds are for. Bounded; judged later."""
    until = time.monotonic() + START_LIMIT_S
    while time.monotonic() < until:
        beat = _patrol_device(cloud).get("heartbeat")
        if beat and beat.get("picture_since_ms"):
            return
        time.sleep(0.5)


def _patrol_device(cloud: _Cloud) -> dict[str, Any]:
    return next(d for d in cloud.ask("GET", "/api/devices")["devices"] if d["name"] == DEVICE_NAME)


def _footage(home: Path, light: str, seed: int) -> tuple[Path, Path]:
    """The clip and its track: the drive in the package (dusk, seed 7), or one rendered once and kept."""
    from guardian.footage import Light, demo_drive, demo_spec, files_in, render_drive

    if (light, seed) == ("dusk", 7):
        drive = demo_drive()
        _say(f"  {drive.video.name} from the package: 60 s at dusk")
        return drive.video, drive.track
    drive = files_in(home / "footage" / f"{light}-{seed}")
    if not drive.spec.exists():
        shown = -1

        def progress(done: int, total: int) -> None:
            nonlocal shown
            percent = 100 * done // max(1, total)
            if percent >= shown + 10:
                shown = percent
                _say(f"  rendering {percent} %")

        drive = render_drive(demo_spec(light=Light(light), seed=seed), drive.video.parent, progress)
    _say(f"  {drive.video.name}: 60 s, {light}")
    return drive.video, drive.track


_LIST_OF = {
    "stolen": "stolen",
    "misappropriated": "misappropriated",
    "plate_cancelled": "plates",
    "plate_cloned": "plates",
    "case_linked": "cases",
    "missing": "missing",
    "wanted": "wanted",
}
"""The list of a new house that holds a category."""


def _put_watchlist(cloud: _Cloud) -> int:
    """Enter the demo's vehicles (all made up), each in the list of its category; gives the last version."""
    from guardian.domain.plate import display_of
    from guardian.footage import demo_watchlist

    lists = cloud.ask("GET", "/api/lists")
    version, known = int(lists["version"]), {one["id"] for one in lists["lists"]}
    by_list: dict[str, list[dict[str, Any]]] = {}
    for e in demo_watchlist():
        list_id = _LIST_OF.get(str(e.category), "stolen")
        draft = {
            "plate": display_of(e.text),
            "category": str(e.category),
            "reason": e.reason,
            "case_number": e.case_number,
            "priority": int(e.priority),
            "source": e.source,
            "colour": e.colour,
            "kind": e.kind,
            "make": e.make,
            "warning": e.warning,
            "remark": e.remark,
        }
        by_list.setdefault(list_id if list_id in known else lists["lists"][0]["id"], []).append(draft)
    for list_id, drafts in by_list.items():
        change = {"base_version": version, "put": drafts, "remove": [], "confirmed_twins": True}
        version = int(cloud.ask("POST", f"/api/lists/{list_id}/changes", change)["version"])
    return version


@contextlib.contextmanager
def _shift(cloud: _Cloud, seed: int) -> Iterator[None]:
    """The rest of the shift, simulated, until the block ends."""
    from guardian.cli.shift import ShiftThread
    from guardian.footage import demo_drive, load_truth
    from guardian.footage.shift import UNITS, Shift
    from guardian.roads import BUNDLED, RoadGraph, load_roads

    codes = [cloud.ask("POST", "/api/devices/codes", {"unit": unit.name, "kind": unit.kind})["code"] for unit in UNITS]
    colours = {one.plate: one.colour for one in load_truth(demo_drive().truth)}
    graph = RoadGraph(load_roads(BUNDLED["taipei-daan"]))
    shift = Shift(graph, seed=seed, now_ms=_now_ms(), colours=colours)
    thread = ShiftThread(cloud.address, codes, shift, now_ms=_now_ms, tell=_say)
    thread.start()
    _say(f"  {len(UNITS)} further units and {len(shift.history)} earlier reads are simulated (--alone goes without)")
    try:
        yield
    finally:
        thread.stop()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _milliseconds(values: list[float]) -> str:
    if not values:
        return "–"
    ordered = sorted(values)
    return f"median {ordered[len(ordered) // 2]:.0f} ms, largest {ordered[-1]:.0f} ms"


def _search(cloud: _Cloud, **question: object) -> Any:
    """Ask as a detective would; again while the archive is still taking in the newest."""
    asked = {"purpose": PURPOSE, "case_number": CASE, "page_size": 200, **question}
    answer = cloud.ask("POST", "/api/searches", asked)
    for _ in range(10):
        if not answer["behind"]:
            break
        time.sleep(0.3)
        answer = cloud.ask("POST", "/api/searches", asked)
    return answer


def _judge(cloud: _Cloud, address: str, device_id: str, device_status: dict[str, Any]) -> int:
    """Print what the patrol device brought; 0 only if reads, a hit and a found search came out of it.

    What the simulator sent is not counted: it would hide a device that reads nothing.
    """
    hits = [hit for hit in cloud.ask("GET", "/api/live")["hits"] if hit["device_id"] == device_id]
    stored = _search(cloud, device_ids=[device_id], from_ms=_now_ms() - 3_600_000)
    reads = stored["rows"]
    found = 0
    if hits:
        answer = _search(cloud, plate=hits[-1]["read_display"])
        found = int(answer["count"]) if any(row["device_id"] == device_id for row in answer["rows"]) else 0
    exact = sum(h["strength"] == "exact" for h in hits)
    arrival = [r["received_ms"] - r["captured_ms"] for r in reads]
    raised = [
        h["raised_ms"] - next((r["received_ms"] for r in reads if r["id"] == h["read_id"]), h["raised_ms"])
        for h in hits
    ]
    _say("")
    _say(f"  reads stored        {stored['count']} of the patrol device")
    _say(f"  hits                {len(hits)} ({exact} exact, {len(hits) - exact} look-alike)")
    _say(f"  capture → stored    {_milliseconds(arrival)}")
    _say(f"  stored → hit        {_milliseconds([float(r) for r in raised])}")
    if device_status.get("alarm_ms_p99") is not None:
        _say(f"  frame → alarm       p99 {device_status['alarm_ms_p99']:.0f} ms on the device")
    _say(f"  search for the plate of a hit: {found} read(s) found")
    _say(f"  console             {address}")
    if reads and hits and found:
        _say("The demo works: reads, a hit and a found search came out.")
        return 0
    missing = [name for name, there in (("reads", reads), ("a hit", hits), ("a found search", found)) if not there]
    _say(f"The demo did not work: no {', no '.join(missing)}.")
    return 1


app = App(
    name="demo",
    help_format="plaintext",
    help_epilogue="""\
A simulator stands in for the other units of the shift and for what they have
read in the last seven hours. Everything is made up and stays on loopback.
Ctrl-C ends it and leaves nothing running.

Examples:
  guardian demo                            until Ctrl-C, with the console open
  guardian demo --light night --seed 3     a drive of its own; takes minutes
  guardian demo --seconds 60 --no-browser  judged: ends with 0 only if reads, a
                                           hit and a found search came out
""",
)


@app.default
def demo(
    *,
    seconds: Annotated[
        int | None, Parameter(help="Run so long without a screen, then judge. Default: until Ctrl-C.")
    ] = None,
    browser: Annotated[bool, Parameter(help="Open the console in a browser.")] = True,
    alone: Annotated[
        bool, Parameter(negative=(), help="Only the one patrol device: no simulated units, no earlier reads.")
    ] = False,
    light: Annotated[Literal["day", "dusk", "night"], Parameter(help="Time of day of the drive.")] = "dusk",
    seed: Annotated[int, Parameter(help="Another seed, other traffic.")] = 7,
    port: Annotated[int, Parameter(help="The console's port; a free one where it is taken.")] = 8480,
    page_port: Annotated[int, Parameter(help="The port of the car's card; likewise.")] = 8481,
    home: Annotated[Path, Parameter(help="Folder of the demo; its data is made anew at each start.")] = Path(
        "var/demo"
    ),
) -> int:
    """Show the product on this machine: the cloud, one patrol car, footage, a watchlist, the console.

    A simulator stands in for the other units of the shift and for what they have read in the last seven hours. Everything
    is made up and stays on loopback. Ctrl-C ends it and leaves nothing running.
    """
    from guardian.serve.run import make_link

    for asked in (signal.SIGINT, signal.SIGTERM):  # both end the children too, also where a shell had SIGINT ignored
        signal.signal(asked, signal.default_int_handler)
    home = home.absolute()
    for part in ("cloud", "device"):
        shutil.rmtree(home / part, ignore_errors=True)
    home.mkdir(parents=True, exist_ok=True)
    port, page_port = _free_port(port), _free_port(page_port)
    address = f"http://127.0.0.1:{port}"
    guardian = [sys.executable, "-m", "guardian"]
    _say("1/4 Footage of a drive through 大安")
    video, track = _footage(home, light, seed)
    with contextlib.ExitStack() as stack:
        _say("2/4 The cloud, on its embedded engines")
        log = home / "cloud.log"
        cloud_home = home / "cloud"
        child = stack.enter_context(
            _running([*guardian, "serve", "--home", str(cloud_home), "--port", str(port), "--quiet"], log)
        )
        _wait_for(address, child, log)
        cloud = _Cloud(address)
        link = asyncio.run(make_link("示範值勤員", role="operator", agency="大安分局", home=cloud_home, config=None))
        cloud.ask("POST", "/api/session", {"token": link.split("#token=", 1)[1]})
        version = _put_watchlist(cloud)
        _say(f"  watchlist version {version}")
        if not alone:
            stack.enter_context(_shift(cloud, seed))
        _say("3/4 One patrol device")
        device_home = home / "device"
        code = cloud.ask("POST", "/api/devices/codes", {"unit": "大安 3 號", "kind": "car"})["code"]
        enrol = subprocess.run(
            [
                *guardian,
                "device",
                "enrol",
                "--cloud",
                address,
                "--code",
                code,
                "--name",
                DEVICE_NAME,
                "--home",
                str(device_home),
            ],
            capture_output=True,
            text=True,
        )
        if enrol.returncode:
            raise GuardianError(f"The device could not enrol.\n{enrol.stdout}{enrol.stderr}", reference="demo-device")
        device_log = home / "device.log"
        device = stack.enter_context(
            _running(
                [
                    *guardian,
                    "device",
                    "run",
                    str(video),
                    "--track",
                    str(track),
                    "--home",
                    str(device_home),
                    "--page",
                    str(page_port),
                    "--speed",
                    "real",
                    "--loop",
                ],
                device_log,
            )
        )
        for_person = asyncio.run(
            make_link("示範值勤員", role="operator", agency="大安分局", home=cloud_home, config=None)
        )
        console = f"{address}{for_person}"
        _say("4/4 Running")
        _say(f"  console             {console}")
        _say(f"  the car's card      http://127.0.0.1:{page_port}/alarm")
        if seconds is None:
            _say("  Ctrl-C ends the demo.")
        if browser and seconds is None:
            webbrowser.open(console)
        try:
            if seconds is not None:
                _wait_for_picture(cloud)
            began = time.monotonic()
            while seconds is None or time.monotonic() - began < seconds:
                time.sleep(0.5)
                if child.poll() is not None:
                    raise GuardianError(f"The cloud ended ({child.returncode}).\n{_tail(log)}", reference="demo-cloud")
                if device.poll() is not None:
                    raise GuardianError(
                        f"The device ended ({device.returncode}).\n{_tail(device_log)}", reference="demo-device"
                    )
        except KeyboardInterrupt:
            _say("\nEnding the demo …")
            return 0
        status = subprocess.run(
            [*guardian, "device", "status", "--home", str(device_home), "--json"], capture_output=True, text=True
        )
        known: dict[str, Any] = {}
        with contextlib.suppress(ValueError):
            known = json.loads(status.stdout)
        return _judge(cloud, address, _patrol_device(cloud)["id"], known)

"""A network camera: GStreamer's RTSP server on loopback. Run by Debian's own Python, which has its bindings; imports nothing
of ours.

    /usr/bin/python3 rtsp_camera.py PORT [PICTURE.png]

Addresses: /h264 and /jpeg (live pictures, 15 a second, of PICTURE or of a test pattern), /sound (no picture at all),
/strange (a stream that no player knows). Lines on stdin: `freeze` (the connection stays, no packet comes any more), `thaw`,
`drop` (every watcher is cut off). "ready" on stdout says that it listens, "ok" that a line was carried out; it ends with stdin.
"""

from __future__ import annotations

import sys
import threading

import gi  # type: ignore[import-not-found]

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # type: ignore[import-not-found]  # noqa: E402

Gst.init(None)
port, picture = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
scene = (
    f"filesrc location={picture} ! pngdec ! imagefreeze is-live=true"
    if picture
    else "videotestsrc is-live=true pattern=ball"
)
raw = f"{scene} ! videoconvert ! video/x-raw,format=I420,framerate=15/1 ! identity name=tap"
STREAMS = {
    "/h264": f"( {raw} ! openh264enc gop-size=15 ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=1 )",
    "/jpeg": f"( {raw} ! jpegenc ! rtpjpegpay name=pay0 pt=26 )",
    "/sound": "( audiotestsrc is-live=true ! audio/x-raw,rate=8000,channels=1 ! mulawenc ! rtppcmupay name=pay0 pt=0 )",
    "/strange": f"( {raw} ! rtpgstpay name=pay0 pt=98 )",
}
taps: list[object] = []


def on_media(_factory: object, media: object) -> None:
    tap = media.get_element().get_by_name_recurse_up("tap")  # type: ignore[attr-defined]
    if tap is not None:
        taps.append(tap)


server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(port)
for path, launch in STREAMS.items():
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(launch)
    factory.set_shared(True)
    factory.connect("media-configure", on_media)
    server.get_mount_points().add_factory(path, factory)
loop = GLib.MainLoop()


def obey(line: str) -> bool:
    if line in ("freeze", "thaw"):
        for tap in taps:
            tap.set_property("drop-probability", 1.0 if line == "freeze" else 0.0)  # type: ignore[attr-defined]
    elif line == "drop":
        taps.clear()
        server.client_filter(lambda _server, _client: GstRtspServer.RTSPFilterResult.REMOVE)
    print("ok", flush=True)
    return False


def listen() -> None:
    for line in sys.stdin:
        GLib.idle_add(obey, line.strip())
    GLib.idle_add(loop.quit)


if not server.attach(None):
    sys.exit(f"port {port} is taken")
print("ready", flush=True)
threading.Thread(target=listen, daemon=True).start()
loop.run()

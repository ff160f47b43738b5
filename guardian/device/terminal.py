"""The device's terminal while it runs: draws what `screen.py` renders, and takes the two keys of a card.

Without a terminal (a service, a pipe) each alarm is one line, and nothing is drawn.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live

from guardian.device.screen import alarm_line, render

if TYPE_CHECKING:
    from guardian.device.run import Device

DRAW_S = 0.1
STATUS_S = 0.5


@contextlib.contextmanager
def _single_keys() -> Iterator[bool]:
    """Keys without Enter, where stdin is a terminal; put back on the way out."""
    if not sys.stdin.isatty():
        yield False
        return
    import termios
    import tty

    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    tty.setcbreak(fd)
    try:
        yield True
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def _press(device: Device, key: str) -> None:
    card = device.desk.view().card
    if card is None:
        return
    if key in ("\n", "\r", " "):
        device.desk.answer(card.id, "received")
    elif key in ("n", "N"):
        device.desk.answer(card.id, "not_this")


def show(device: Device, stop: threading.Event, *, stats: bool) -> None:
    """Draw until stopped."""
    console = Console(stderr=True)
    if not console.is_terminal:
        _tell_lines(device, stop, console)
        return
    with _single_keys() as keys, Live(console=console, screen=True, auto_refresh=False) as live:
        seen, status = -1, device.telling.status()
        waited = 0.0
        while not stop.is_set():
            view = device.desk.wait_for_change(seen, DRAW_S)
            waited += DRAW_S
            if view.version != seen or waited >= STATUS_S:
                seen, waited, status = view.version, 0.0, device.telling.status()
                size = console.size
                live.update(render(view, status, stats=stats, width=size.width, height=size.height), refresh=True)
            if keys and select.select([sys.stdin], [], [], 0)[0]:
                _press(device, os.read(sys.stdin.fileno(), 1).decode("ascii", "ignore"))


def _tell_lines(device: Device, stop: threading.Event, console: Console) -> None:
    seen, told = -1, ""
    banners: set[str] = set()
    while not stop.is_set():
        view = device.desk.wait_for_change(seen, 0.5)
        seen = view.version
        if view.card is not None and view.card.id != told:
            told = view.card.id
            console.print(alarm_line(view.card), highlight=False, markup=False, soft_wrap=True)
        for banner in view.banners:
            if banner.sentence not in banners:
                console.print(f"! {banner.sentence}", highlight=False, markup=False, soft_wrap=True)
        banners = {banner.sentence for banner in view.banners}

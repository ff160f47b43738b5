"""G27 on the device: the card shows the list's version and age; a removal reaches the device as soon as it is on line."""

from __future__ import annotations

from pathlib import Path

import msgspec

from guardian.device.alarm import AlarmDesk
from guardian.device.card import make_card
from guardian.device.page import render_view
from guardian.device.screen import render_card
from guardian.device.status import DeviceStatus
from tests.device.rig import NOW_MS, entry, make_read
from tests.device.station import open_station

HOUR = 3_600_000


def test_a_hit_on_an_old_list_carries_its_version_and_age_everywhere_and_the_removal_arrives_on_line(
    tmp_path: Path,
) -> None:
    from rich.console import Console

    watched = entry("ABC1235")
    with open_station(tmp_path) as s:
        s.cloud.give_list(41, [watched])
        s.uplink.fetch_list(wait_s=0)
        s.cloud.answer_with = 503  # off line since the list came
        s.clock.advance(2 * HOUR)
        held = s.lists.in_force
        read = make_read(1, text="ABC1235", captured_ms=s.clock.wall)
        (match,) = held.matcher.match(read.text, read.char_probs, at_ms=read.captured_ms)
        card = make_card(read, match, watched, list_version=held.version, list_issued_ms=held.issued_ms)
        assert (card.list_version, card.list_issued_ms) == (41, NOW_MS)

        console = Console(width=100, record=True, file=Path("/dev/null").open("w"))  # noqa: SIM115
        console.print(render_card(card, 0, s.clock.wall, 100, 34))
        assert "名單第 41 版 · 2 小時前" in console.export_text()
        desk = AlarmDesk(s.clock.mono_ms)
        desk.raise_card(card)
        shown = msgspec.json.decode(render_view(desk.view(), DeviceStatus(at_ms=s.clock.wall, device_id="car-1")))
        assert shown["card"]["list_version"] == 41
        assert shown["card"]["list_issued_ms"] == NOW_MS

        s.cloud.answer_with = None
        s.cloud.give_list(42, [], base=41, removed=("e1",), whole=[])
        assert s.uplink.fetch_list(wait_s=0)
        assert s.lists.in_force.version == 42
        assert not s.lists.in_force.matcher.match("ABC1235", at_ms=s.clock.wall), "seconds after coming on line"

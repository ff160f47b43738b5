"""The device asks its own list about a number that is still being watched: an alarm must not wait for a surer reading."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from guardian.device.run import Device
from guardian.watch.matcher import Matcher
from tests.device.rig import NOW_MS, HandClock, entry
from tests.pictures import Say


def _device(*entries: object, clock: HandClock | None = None) -> Device:
    device = Device.__new__(Device)
    device.clock = clock or HandClock()
    device.lists = SimpleNamespace(in_force=SimpleNamespace(matcher=Matcher(list(entries))))  # type: ignore[assignment, arg-type]
    return device


@pytest.mark.parametrize(
    ("listed", "told"),
    [("BKD-8869", True), ("BKD-8863", True), ("ABC-1235", False)],
)
def test_a_number_or_its_look_alike_on_the_list_is_not_waited_for(say: Say, listed: str, told: bool) -> None:
    doubtful = (0.99, 0.99, 0.99, 0.99, 0.99, 0.99, 0.5)
    number = say.number("BKD-8869", doubtful, {7: {"3": 0.4}})
    assert _device(entry(listed.replace("-", "")))._would_hit(number) == told


def test_what_is_out_of_date_is_waited_for_unless_the_clock_was_never_set(say: Say) -> None:
    number = say.number("BKD-8869")
    over = entry("BKD8869", expires_ms=NOW_MS - 1)
    assert not _device(over)._would_hit(number)
    unset = HandClock(wall_ms=60_000)
    assert not unset.plausible
    assert _device(entry("BKD8869", expires_ms=1), clock=unset)._would_hit(number), "as for a read that is told (G14)"

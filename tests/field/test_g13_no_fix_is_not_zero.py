"""G13: a receiver without a fix says zeros, old dates, or the last place again and again: none of it becomes a position."""

from __future__ import annotations

from functools import reduce

from guardian.device.nmea import NMEAListener
from guardian.device.position import Fix, PositionKeeper
from guardian.domain.moment import parse_instant
from tests.device.rig import HandClock


def sentence(body: str) -> str:
    return f"${body}*{reduce(lambda a, b: a ^ b, body.encode()):02X}"


def listening() -> tuple[HandClock, PositionKeeper, NMEAListener]:
    clock = HandClock(wall_ms=0)
    keeper = PositionKeeper(clock)
    return clock, keeper, NMEAListener(keeper)


def test_empty_and_zero_sentences_give_no_position_and_no_time_of_2005() -> None:
    clock, keeper, listener = listening()
    for line in (
        "$GPGGA,010222.00,,,,,0,00,99.99,,,,,,*65",
        "$GPRMC,000000.00,A,0.000,N,0.000,E,0.0,0.0,050505,0.0,E*6D",
        "$GPRMC,,V,,,,,,,,,,N*53",
        sentence("GPRMC,000000.00,A,0.000,N,0.000,E,0.0,0.0,050505,0.0,E"),
        sentence("GPRMC,010203.00,V,2501.9800,N,12133.9240,E,0.0,0.0,251126,,,N"),
        "$GPRMC,garbage*00",
        "no sentence",
    ):
        listener.hear(line)
    assert keeper.at(clock.mono) is None
    assert not clock.verified
    assert listener.broken > 0


def test_a_good_fix_carries_place_speed_heading_accuracy_and_sets_the_clock() -> None:
    clock, keeper, listener = listening()
    listener.hear(sentence("GPGGA,021000.00,2501.9800,N,12133.9240,E,1,08,1.2,20.0,M,,M,,"))
    listener.hear(sentence("GPRMC,021000.00,A,2501.9800,N,12133.9240,E,21.6,87.5,251126,,,A"))
    position = keeper.at(clock.mono)
    assert position is not None
    assert abs(position.lat_deg - 25.033) < 1e-6
    assert abs(position.lon_deg - 121.5654) < 1e-6
    assert position.speed_kmh is not None
    assert abs(position.speed_kmh - 40.0) < 0.1
    assert position.heading_deg == 87.5
    assert position.accuracy_m == 6.0
    assert clock.source == "gps"
    assert clock.now_ms() == parse_instant("2026-11-25T02:10:00Z")
    assert position.fixed_ms == clock.now_ms()


def test_in_a_tunnel_the_last_fix_stays_with_its_age_and_a_growing_radius() -> None:
    clock, keeper, listener = listening()
    listener.hear(sentence("GPRMC,021000.00,A,2501.9800,N,12133.9240,E,21.6,87.5,251126,,,A"))
    fixed = clock.now_ms()
    radii = []
    for minute in range(20):
        clock.advance(60_000)
        listener.hear(sentence(f"GPRMC,02{10 + minute:02d}30.00,V,2501.9800,N,12133.9240,E,21.6,87.5,251126,,,N"))
        position = keeper.at(clock.mono)
        assert position is not None
        assert position.fixed_ms == fixed, "the age is that of the fix, not of the last word"
        assert position.heading_deg is None
        assert position.speed_kmh is None
        radii.append(position.accuracy_m or 0)
    assert radii == sorted(radii)
    assert radii[0] > 1_000
    assert radii[-1] == 20_000, "and bounded"


def test_a_receiver_that_says_valid_zeros_after_a_fix_does_not_move_us() -> None:
    clock, keeper, _ = listening()
    keeper.tell(Fix(25.0, 121.5, clock.mono))
    assert not keeper.tell(Fix(0.0, 0.0, clock.mono))
    assert not keeper.tell(Fix(float("nan"), 121.0, clock.mono))
    position = keeper.at(clock.mono)
    assert position is not None
    assert position.lat_deg == 25.0
    assert keeper.refused == 2

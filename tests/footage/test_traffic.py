"""Who drives: plates that fit their series and vehicle, red lights that hold, ordered numbers that come by."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from guardian.domain.plate import CONFUSABLE, Plate, inspect_plate
from guardian.domain.series import VehicleClass
from guardian.footage import DEMO_PLATES, Body, demo_spec, demo_watchlist
from guardian.footage.plate_art import STYLES
from guardian.footage.render import lay_way
from guardian.footage.traffic import Actor, invent_plate, plan_traffic
from guardian.watch.matcher import LIKELIHOOD_MIN

TWO_WHEELS = {
    VehicleClass.MOTORCYCLE, VehicleClass.LIGHT_MOTORCYCLE, VehicleClass.LARGE_MOTORCYCLE, VehicleClass.ELECTRIC_MOTORCYCLE,
}  # fmt: skip


@given(st.integers(0, 2**32), st.sampled_from(list(Body)))
def test_an_invented_number_fits_a_series_of_its_vehicle(seed: int, body: Body) -> None:
    text, style = invent_plate(np.random.default_rng(seed), body)
    plate = Plate(text)
    assert plate.series is not None
    assert inspect_plate(plate.display).refusal is None
    assert style in STYLES
    classes = set(plate.vehicle_classes)
    if body is Body.SCOOTER:
        assert classes & TWO_WHEELS
    elif body is Body.TAXI:
        assert VehicleClass.TAXI in classes
    else:
        assert classes - TWO_WHEELS


@given(st.integers(0, 2**32), st.sampled_from(list(Body)))
def test_numbers_of_the_current_series_come_from_blocks_not_yet_in_use(seed: int, body: Body) -> None:
    text, _ = invent_plate(np.random.default_rng(seed), body)
    if len(text) == 7:
        assert text[1] in "XYZ"


def test_the_lists_look_alike_differs_in_one_confusable_character() -> None:
    passing = {plate for plate, _ in DEMO_PLATES}
    entries = {entry.text for entry in demo_watchlist()}
    assert len(passing & entries) == 5
    near = [
        (entry, plate)
        for entry in entries - passing
        for plate in passing
        if len(entry) == len(plate) and sum(a != b for a, b in zip(entry, plate, strict=True)) == 1
    ]
    assert near == [("CYQ0819", "CYD0819")]
    assert CONFUSABLE["Q"]["D"] > LIKELIHOOD_MIN
    assert len({entry.priority for entry in demo_watchlist()}) == 3
    assert all(inspect_plate(entry.text).refusal is None for entry in demo_watchlist())


WAY, CROSSINGS = lay_way(demo_spec())
TRAFFIC = plan_traffic(demo_spec(), CROSSINGS, np.random.default_rng((demo_spec().seed, 1)))
MOVING = [a for a in TRAFFIC.actors if not a.parked]
OURS = [a for a in MOVING if abs(a.turn) < 0.5]
ONCOMING = [a for a in MOVING if abs(a.turn) > 2]


def test_every_ordered_number_comes_by() -> None:
    for plate, body in DEMO_PLATES:
        (actor,) = [a for a in TRAFFIC.actors if a.plate == plate]
        assert actor.body is body
        near = [t for t in np.arange(0, 60, 0.25) if 9 < actor.at(float(t))[0] - TRAFFIC.ego(float(t)) < 17]
        assert len(near) * 0.25 >= 2.0


def test_nobody_passes_a_red_light() -> None:
    assert TRAFFIC.red_until
    for place, green in TRAFFIC.red_until.items():
        width = next(c for c in CROSSINGS if c.s_m == place).width_m
        for actors, sign in ((OURS, 1.0), (ONCOMING, -1.0)):
            edge = sign * place - width / 2
            for actor in actors:
                before, after = sign * actor.at(green - 9.0)[0], sign * actor.at(green - 0.2)[0]
                assert not before < edge - 6 < edge < after, actor.number
        assert TRAFFIC.ego_speed(green - 2.0) < 0.2


@given(st.floats(0, 59))
def test_vehicles_never_roll_back(t: float) -> None:
    assert all(a.at(t + 0.25)[0] >= a.at(t)[0] - 1e-6 for a in OURS)
    assert all(a.at(t + 0.25)[0] <= a.at(t)[0] + 1e-6 for a in ONCOMING)


def _length(actor: Actor) -> float:
    return {Body.BUS: 11.0, Body.TRUCK: 5.4, Body.SCOOTER: 1.9}.get(actor.body, 4.6)


@given(st.floats(0, 59))
def test_nobody_stands_within_another_in_the_same_lane(t: float) -> None:
    ego = TRAFFIC.ego(t)
    cars = [(a, *a.at(t)) for a in OURS + ONCOMING if a.body is not Body.SCOOTER]
    near = [item for item in cars if -5 < item[1] - ego < 70]
    for index, (a, s, u) in enumerate(near):
        assert not (abs(u) < 1.2 and abs(s - ego) < 2.0)
        for b, other_s, other_u in near[index + 1 :]:
            apart = abs(s - other_s) >= (_length(a) + _length(b)) / 2 * 0.9
            assert apart or abs(u - other_u) > 1.7, (a.number, b.number)

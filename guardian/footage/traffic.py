"""Who is on the road in a drive: the camera's own speed, parked rows, vehicles ahead, overtaking and oncoming.

All of it is planned before the first frame is drawn, as functions of time, from one random generator. Numbers are
drawn from blocks that were not in use when this was written (letters X, Y, Z in second place), so that no plate here
should be anybody's; for the series before 2012 nothing of the kind is known, and chance has to do.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

import msgspec
import numpy as np

from guardian.footage.model import DriveSpec
from guardian.footage.path import Crossing
from guardian.footage.plate_art import STYLES
from guardian.footage.vehicles import Body

COLOURS: dict[str, tuple[float, float, float]] = {
    "white": (228, 230, 230), "silver": (178, 180, 182), "grey": (108, 108, 106), "black": (50, 48, 46),
    "blue": (130, 78, 36), "red": (44, 36, 160), "green": (70, 96, 50), "brown": (60, 80, 104), "yellow": (24, 186, 244),
}  # fmt: skip
_CAR_COLOURS = (
    "white",
    "white",
    "white",
    "silver",
    "silver",
    "grey",
    "grey",
    "black",
    "black",
    "blue",
    "red",
    "brown",
    "green",
)
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_DIGITS = "012356789"

# Lateral places, metres to the right of the camera's lane.
LANE_M = 3.2
_STOP_LINE_M = 5.6  # from the edge of the crossing road back to the line
_NEAR_M = 10.5  # the middle of a vehicle before us, from the lens
_FASTER = 2.0  # metres a second by which the left lane flows faster than we do
_BOX_M = 5.0  # the scooters' box before it (機車停等區)
PARKED_U = 2.95
PAVEMENT_U = 4.25
RANK_U = 5.15
WALL_U = 6.6
SHOP_U = 9.8
CENTRE_U = -LANE_M * 1.5 - 0.1
ONCOMING_U = (CENTRE_U - 1.75, CENTRE_U - 1.75 - LANE_M)
FAR_KERB_U = ONCOMING_U[1] - 4.0
FAR_WALL_U = FAR_KERB_U - 2.6


class Actor(msgspec.Struct):
    """One vehicle. Along and aside are given at times (s) and joined smoothly; `away` turns it against our direction."""

    number: int
    body: Body
    plate: str
    style: str
    colour: str
    paint: tuple[float, float, float]
    times: tuple[float, ...]
    along_m: tuple[float, ...]
    aside_m: tuple[float, ...]
    turn: float = 0.0  # radians added to the direction of the road
    parked: bool = False
    rider: bool = True
    lamps: bool = True
    cloth: tuple[float, float, float] = (90, 70, 50)
    helmet: tuple[float, float, float] = (60, 60, 60)

    def at(self, t: float) -> tuple[float, float]:
        """Place along and aside at a time."""
        if len(self.times) == 1:
            return self.along_m[0], self.aside_m[0]
        after = bisect_right(self.times, t)
        if after == 0:
            return self.along_m[0], self.aside_m[0]
        if after == len(self.times):
            return self.along_m[-1], self.aside_m[-1]
        before = after - 1
        share = (t - self.times[before]) / (self.times[after] - self.times[before])
        return (
            self.along_m[before] + (self.along_m[after] - self.along_m[before]) * share,
            self.aside_m[before] + (self.aside_m[after] - self.aside_m[before]) * share,
        )


class Traffic(msgspec.Struct):
    """The plan of a drive."""

    seconds: float
    ego_times: list[float]
    ego_along: list[float]
    actors: list[Actor]
    red_until: dict[float, float]  # crossing's place → time at which its light turns green

    def ego(self, t: float) -> float:
        """Where the camera is along the way."""
        step = self.ego_times[1] - self.ego_times[0]
        before = min(max(int(t / step), 0), len(self.ego_along) - 2)
        share = (t - self.ego_times[before]) / step
        return self.ego_along[before] + (self.ego_along[before + 1] - self.ego_along[before]) * min(
            max(share, 0.0), 1.0
        )

    def ego_speed(self, t: float) -> float:
        """Metres a second."""
        return (self.ego(t + 0.1) - self.ego(t - 0.1)) / 0.2 if t > 0.1 else (self.ego(t + 0.1) - self.ego(t)) / 0.1


def invent_plate(rng: np.random.Generator, body: Body) -> tuple[str, str]:
    """A number and the style of its plate, fitting a body."""

    def new(first: str) -> str:
        letters = first + "XYZ"[int(rng.integers(3))] + _LETTERS[int(rng.integers(len(_LETTERS)))]
        return letters + "".join(_DIGITS[int(i)] for i in rng.integers(0, len(_DIGITS), 4))

    def digits(count: int) -> str:
        return "".join(str(d) for d in rng.integers(0, 10, count))

    chance = rng.random()
    if body is Body.TAXI:
        return new("T"), "taxi"
    if body is Body.BUS:
        return new("K"), "heavy"
    if body is Body.TRUCK:
        return new("K" if chance < 0.6 else "R"), "heavy" if chance < 0.6 else "car-2012"
    if body is Body.SCOOTER:
        if chance < 0.62:
            return new("MN"[int(rng.integers(2))]), "moto"
        if chance < 0.80:
            return new("E"), "moto-electric"
        if chance < 0.90:
            return digits(3) + "Z" + "".join(_LETTERS[int(i)] for i in rng.integers(0, 24, 2)), "moto"
        return new("L"), "moto-large-yellow"
    if chance < 0.66:
        return new("C"), "car-2012"
    if chance < 0.74:
        return new("E"), "electric"
    if chance < 0.80:
        return new("R"), "car-2012"
    if chance < 0.90:
        return digits(4) + "Z" + "XYZ"[int(rng.integers(3))], "car-1992"
    return digits(4) + "Z" + "WXY"[int(rng.integers(3))], "car-1992-legend"


def style_of(plate: str, body: Body) -> str:
    """The plate style of a given number on a body."""
    if body is Body.TAXI:
        return "taxi"
    if body is Body.SCOOTER:
        if plate[0] == "E" and len(plate) == 7:
            return "moto-electric"
        return "moto-large-yellow" if plate[0] == "L" and len(plate) == 7 else "moto"
    if body in (Body.BUS, Body.TRUCK) and plate[0] in "KFPHJ":
        return "heavy"
    if len(plate) == 7:
        return "electric" if plate[0] == "E" else "car-2012"
    return "car-1992"


def plan_traffic(spec: DriveSpec, crossings: Sequence[Crossing], rng: np.random.Generator) -> Traffic:
    """Plan the camera's speed and every vehicle of a drive."""
    ego_times, ego_along, stops = _plan_ego(spec, crossings)
    traffic = Traffic(spec.seconds, ego_times, ego_along, [], {c.s_m: until for c, _, until in stops})
    end = ego_along[-1]
    actors = traffic.actors

    def cast(body: Body, **place: object) -> Actor:
        plate, style = invent_plate(rng, body)
        colour = "yellow" if body is Body.TAXI else str(rng.choice(_CAR_COLOURS))
        if body is Body.BUS:
            colour = str(rng.choice(("white", "green", "blue")))
        blue, green, red = (float(v * rng.uniform(0.92, 1.06)) for v in COLOURS[colour])
        cloth_b, cloth_g, cloth_r = (float(v) for v in rng.uniform(40, 150) + rng.uniform(-28, 28, 3))
        helmet = ((40, 40, 44), (220, 222, 224), (60, 50, 180), (160, 120, 60), (180, 190, 240))[int(rng.integers(5))]
        actor = Actor(
            number=len(actors), body=body, plate=plate, style=style, colour=colour, paint=(blue, green, red), cloth=(cloth_b, cloth_g, cloth_r), helmet=helmet,
            **place,  # type: ignore[arg-type]
        )  # fmt: skip
        actors.append(actor)
        return actor

    def near_crossing(s: float, room: float) -> bool:
        return any(abs(s - c.s_m) < c.width_m / 2 + room for c in crossings)

    # Parked along the kerb: cars in rows, gaps with ranks of scooters on the pavement.
    s = -6.0
    while s < end + 150:
        if rng.random() < 0.68:
            for _ in range(int(rng.integers(2, 6))):
                body = Body(
                    str(
                        rng.choice(
                            ["sedan", "sedan", "hatchback", "suv", "suv", "van", "truck"],
                            p=[0.2, 0.2, 0.18, 0.15, 0.13, 0.09, 0.05],
                        )
                    )
                )
                if not near_crossing(s, 7.0):
                    jitter = float(rng.uniform(-0.14, 0.10))
                    cast(
                        body,
                        times=(0.0,),
                        along_m=(s,),
                        aside_m=(PARKED_U + jitter,),
                        turn=float(rng.normal(0, 0.015)),
                        parked=True,
                        lamps=False,
                    )
                s += 5.7 + float(rng.uniform(0.2, 1.3))
        else:
            for _ in range(int(rng.integers(5, 11))):
                if not near_crossing(s, 3.0):
                    cast(Body.SCOOTER, times=(0.0,), along_m=(s,), aside_m=(RANK_U - 0.35 + float(rng.normal(0, 0.06)),),
                         turn=-1.12 + float(rng.normal(0, 0.06)), parked=True, rider=False, lamps=False)  # fmt: skip
                s += 0.78 + float(rng.uniform(0, 0.10))
            s += 2.2
    # The far side: parked, against us.
    s = 0.0
    while s < end + 150:
        body = Body(str(rng.choice(["sedan", "hatchback", "suv", "van"])))
        if rng.random() < 0.7 and not near_crossing(s, 7.0):
            cast(body, times=(0.0,), along_m=(s,), aside_m=(FAR_KERB_U + 1.3,), turn=math.pi, parked=True, lamps=False)
        s += 6.4 + float(rng.uniform(0, 2.0))
    _plan_moving(traffic, spec, cast, rng, stops)
    _hand_out(traffic, spec.plates)
    return traffic


def _plan_ego(
    spec: DriveSpec, crossings: Sequence[Crossing]
) -> tuple[list[float], list[float], list[tuple[Crossing, float, float]]]:
    """The camera's place over time: steady patrol speed, and a red light now and then."""
    cruise = spec.speed_kmh / 3.6
    step = 0.1
    t, s, v = 0.0, 0.0, cruise
    times, along = [0.0], [0.0]
    stops: list[tuple[Crossing, float, float]] = []
    waiting = [c for c in crossings if c.signals and c.s_m > 60] if spec.stops else []
    wait_until = 0.0
    while t < spec.seconds + 4:
        target = cruise * (1 + 0.10 * math.sin(t * 0.35))
        if waiting:
            halt = waiting[0].s_m - waiting[0].width_m / 2 - _STOP_LINE_M - 17.6
            left = halt - s
            if left < 0.7 and wait_until == 0.0:
                wait_until = t + 9.0
                stops.append((waiting[0], t, wait_until))
            if wait_until and t >= wait_until:
                waiting, wait_until = [c for c in waiting if c.s_m > s + 160], 0.0
            elif left < 22:
                target = 0.0 if left < 0.5 else min(target, math.sqrt(2 * 1.1 * max(left, 0.0)) * 0.92 + 0.15)
        v += max(-2.0 * step, min(1.3 * step, target - v))
        v = max(v, 0.0)
        s += v * step
        t += step
        times.append(t)
        along.append(s)
    return times, along, stops


def _plan_moving(
    traffic: Traffic,
    spec: DriveSpec,
    cast: object,
    rng: np.random.Generator,
    stops: list[tuple[Crossing, float, float]],
) -> None:
    """Vehicles ahead, overtaking, waiting at the light, and oncoming."""
    from collections.abc import Callable
    from typing import cast as typed

    make = typed(Callable[..., Actor], cast)
    grid = np.arange(0.0, spec.seconds + 4, 0.25)
    ego = np.array([traffic.ego(t) for t in grid])

    def ride(body: Body, ahead: np.ndarray, u: np.ndarray | float, **more: object) -> Actor:
        return make(
            body, times=tuple(grid.tolist()), along_m=tuple(np.maximum.accumulate(ego + ahead).tolist()),
            aside_m=tuple(np.broadcast_to(np.asarray(u, float), grid.shape).tolist()), **more,
        )  # fmt: skip

    def draw(bodies: str, weights: Sequence[float]) -> Body:
        return Body(str(rng.choice(bodies.split(), p=np.array(weights) / sum(weights))))

    # The left lane flows a little faster than we do, all at one speed, so that nobody there drives into anybody. Now and
    # then one of them draws in before us and stays for a while, after the one before it has gone ahead.
    def busy(t: float) -> bool:
        return any(arrived - 9.0 < t < green + 8.0 for _, arrived, green in stops)

    slots: list[tuple[float, Body]] = []
    t0 = 0.5
    while t0 < spec.seconds:
        body = draw("sedan suv taxi van hatchback truck bus", (24, 20, 22, 10, 12, 7, 5))
        t0 += 5.0 if body is Body.BUS else 0.0
        slots.append((t0, body))
        t0 += float(rng.uniform(6.5, 8.5)) + (5.0 if body is Body.BUS else 0.0)
    drawing_in: list[tuple[float, float]] = []  # slot, moment
    for t0, body in slots:
        moment = t0 + (_NEAR_M + 9.0) / _FASTER
        last = drawing_in[-1][1] if drawing_in else -3.0
        if body not in (Body.BUS, Body.TRUCK) and moment - last > 11.0 and not busy(moment):
            drawing_in.append((t0, moment))
    leaves = [moment - 5.5 for _, moment in drawing_in] + [1e9]
    first = draw("sedan suv hatchback", (4, 4, 3))
    ride(first, _NEAR_M + 0.9 * np.clip(grid - leaves[0], 0, 9) ** 2, 0.12 * np.sin(grid * 0.3))
    for t0, body in slots:
        ahead = -9.0 + (grid - t0) * _FASTER
        mine = [k for k, (slot, _) in enumerate(drawing_in) if slot == t0]
        aside: np.ndarray | float = -LANE_M + float(rng.normal(0, 0.10))
        if mine:
            moment, leave = drawing_in[mine[0]][1], leaves[mine[0] + 1]
            ahead = np.minimum(ahead, _NEAR_M) + 0.9 * np.clip(grid - leave, 0, 9) ** 2
            share = np.clip((grid - moment + 1.5) / 3.0, 0, 1)
            aside = -LANE_M * (1 - share**2 * (3 - 2 * share))
        ride(body, ahead, aside)
    # Scooters between the lanes and beside the parked row.
    t0 = 2.5
    while t0 < spec.seconds:
        side = -LANE_M / 2 if rng.random() < 0.6 else 1.30
        ride(Body.SCOOTER, -5.0 + (grid - t0) * _FASTER, side + 0.15 * np.sin(grid * 0.7 + t0))
        t0 += float(rng.uniform(6.5, 9.5))
    # Oncoming, both lanes.
    long = spec.seconds + 4
    for lane in ONCOMING_U:
        s0 = 40.0
        while s0 < traffic.ego_along[-1] + 9.0 * long:
            body = draw("sedan suv taxi van scooter truck bus hatchback", (20, 15, 18, 8, 20, 7, 4, 8))
            speed = 8.5 if lane == ONCOMING_U[0] else 7.0
            make(
                body, times=tuple(grid.tolist()), along_m=tuple((s0 - speed * grid).tolist()),
                aside_m=(lane,) * len(grid), turn=math.pi,
            )  # fmt: skip
            s0 += float(rng.uniform(17, 34)) + (7.0 if body is Body.BUS else 0.0)
    for crossing, arrived, green in stops:
        _hold_at_red(traffic, crossing, arrived - 5.0, green, against_us=False)
        _hold_at_red(traffic, crossing, arrived - 5.0, green, against_us=True)
        for k, t0 in enumerate(np.arange(arrived - 11.5, green - 14.0, 2.1)):  # the other road has green meanwhile
            body = draw("sedan taxi scooter suv van", (1, 1, 1, 1, 1))
            from_left = k % 2 == 0
            u0, u1 = (-90.0, 90.0) if from_left else (90.0, -90.0)
            place = crossing.s_m + (-2.2 if from_left else 2.2)
            make(
                body, times=(float(t0), float(t0) + 19.5), along_m=(place, place), aside_m=(u0, u1),
                turn=-math.pi / 2 if from_left else math.pi / 2,
            )  # fmt: skip


def _hold_at_red(traffic: Traffic, crossing: Crossing, red: float, green: float, *, against_us: bool) -> None:
    """Let nobody drive over a red light: vehicles queue at the line, each behind the one before."""
    sign = -1.0 if against_us else 1.0
    line = sign * crossing.s_m - crossing.width_m / 2 - _STOP_LINE_M
    last: dict[int, float] = {}

    def place(actor: Actor) -> float:
        return sign * actor.at(red)[0]

    coming = [
        a for a in traffic.actors
        if not a.parked and (abs(a.turn) > 2) is against_us and abs(abs(a.turn) - 1.57) > 0.2 and place(a) < line - 1.0
    ]  # fmt: skip
    for actor in sorted(coming, key=lambda a: -place(a)):
        scooter = actor.body is Body.SCOOTER
        half = 0.95 if scooter else 5.6 if actor.body is Body.BUS else 2.7 if actor.body is Body.TRUCK else 2.4
        between = scooter and not against_us  # ours ride between the lanes and wait in their box
        lane = round(actor.at(red)[1] * 2) * 10 if between else round(actor.at(red)[1])
        limit = min(line - half - (0.5 if between else _BOX_M), last.get(lane, math.inf) - half)
        along = [sign * s for s in actor.along_m]
        held = False
        for index in range(1, len(along)):
            t, step = actor.times[index], actor.times[index] - actor.times[index - 1]
            wanted = max(along[index], along[index - 1])
            if red <= t < green + 0.4 and along[index - 1] <= limit + 0.01:
                left = limit - along[index - 1]
                slow = along[index - 1] + max(0.0, left) * min(1.0, step * 0.9)
                if wanted > slow and left < 16:
                    held = True
                    wanted = slow
                wanted = min(wanted, limit)
            elif held:
                wanted = min(wanted, along[index - 1] + min(9.5, 1.2 + 1.6 * (t - green)) * step)
            along[index] = wanted
        actor.along_m = tuple(sign * s for s in along)
        if held:
            last[lane] = limit - half - 1.2


def _hand_out(traffic: Traffic, reserved: Sequence[tuple[str, Body]]) -> None:
    """Give the ordered numbers, and bodies, to moving vehicles whose plates stay in sight, spread over the drive."""
    if not reserved:
        return
    count = len(reserved)
    taken: set[int] = set()
    for place, (plate, body) in enumerate(reserved):
        wanted_t = (place + 0.5) / count * traffic.seconds
        best: tuple[float, Actor] | None = None
        for actor in traffic.actors:
            two_wheels = Body.SCOOTER in (actor.body, body) and actor.body is not body
            if two_wheels or actor.parked or actor.number in taken or abs(actor.turn) > 0.5 or actor.body is Body.BUS:
                continue
            near = 0.0  # seconds for which its plate can be read, fewer the further from the wanted moment
            for t in np.arange(max(0.0, wanted_t - 9), min(traffic.seconds, wanted_t + 9), 0.25):
                s, u = actor.at(float(t))
                if 10.2 < s - traffic.ego(float(t)) < 17.0 and abs(u) < 3.4:
                    near += 0.25 * (1 - abs(t - wanted_t) / 14)
            if near > 0 and (best is None or near > best[0]):
                best = (near, actor)
        if best is not None:
            actor = best[1]
            taken.add(actor.number)
            if actor.body is not body and Body.TAXI in (actor.body, body):
                actor.colour = "yellow" if body is Body.TAXI else "silver"
                actor.paint = COLOURS[actor.colour]
            actor.body = body
            actor.plate, actor.style = plate, style_of(plate, actor.body)
    assert all(actor.style in STYLES for actor in traffic.actors)  # noqa: S101

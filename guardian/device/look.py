"""What the device can say of a vehicle's look: so far only its kind, and that only where the number leaves no choice."""

from __future__ import annotations

from collections.abc import Sequence

from guardian.domain.read import DOUBTFUL_PROB, VehicleLook
from guardian.domain.series import VehicleClass, classes_of

_TWO_WHEELS = frozenset(
    {
        VehicleClass.MOTORCYCLE,
        VehicleClass.LIGHT_MOTORCYCLE,
        VehicleClass.LARGE_MOTORCYCLE,
        VehicleClass.ELECTRIC_MOTORCYCLE,
        VehicleClass.MICRO_ELECTRIC,
    }
)
_CARS = frozenset(
    {
        VehicleClass.CAR,
        VehicleClass.TAXI,
        VehicleClass.RENTAL,
        VehicleClass.ELECTRIC_CAR,
        VehicleClass.ACCESSIBLE,
    }
)


def look_of(text: str, dash_after: int | None, char_probs: Sequence[float]) -> VehicleLook:
    """The kind, where every series that the number fits is worn by that kind alone and no character is doubtful.

    Heavy vehicles stay open: a bus and a truck wear the same series.
    """
    classes = set(classes_of(text, dash_after))
    if not classes or min(char_probs, default=0.0) < DOUBTFUL_PROB:
        return VehicleLook()
    if classes <= _TWO_WHEELS:
        return VehicleLook(kind="motorcycle")
    return VehicleLook(kind="car") if classes <= _CARS else VehicleLook()

"""What the device can say of a vehicle's look: its kind where the number leaves no choice, and what the picture shows of it.

The picture is the read's overview, looked at once for each read (some 20 ms of one core), never for each frame.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import structlog

from guardian.domain.errors import GuardianError
from guardian.domain.read import DOUBTFUL_PROB, Corners, VehicleLook
from guardian.domain.series import VehicleClass, classes_of
from guardian.vision.ports import Frame, VehicleLooker, VehicleSeen
from guardian.vision.vehicles import carrier_of

log = structlog.get_logger("device.look")
KIND_PROB_MIN = 0.6

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


def look_of(
    text: str, dash_after: int | None, char_probs: Sequence[float], seen: VehicleSeen | None = None
) -> VehicleLook:
    """The kind by the number, where every series that it fits is worn by that kind alone and no character is doubtful, else as
    the vehicle was seen; colour, body and make as it was seen. What is not known stays empty."""
    if seen is None:
        return VehicleLook(kind=_kind_of(text, dash_after, char_probs))
    kind = _kind_of(text, dash_after, char_probs) or (seen.kind if seen.kind_prob >= KIND_PROB_MIN else "")
    return VehicleLook(kind=kind, colour=seen.colour, body=seen.body, make=seen.make)


def _kind_of(text: str, dash_after: int | None, char_probs: Sequence[float]) -> str:
    """Heavy vehicles stay open: a bus and a truck wear the same series."""
    classes = set(classes_of(text, dash_after))
    if not classes or min(char_probs, default=0.0) < DOUBTFUL_PROB:
        return ""
    if classes <= _TWO_WHEELS:
        return "motorcycle"
    return "car" if classes <= _CARS else ""


class Onlooker:
    """Says what carries a plate. Fails open: what it cannot do leaves the look not known, and is logged once.

    Args:
        opens: opens the model, when the first read is made; left out, nobody looks.
    """

    def __init__(self, opens: Callable[[], VehicleLooker] | None = None) -> None:
        self._opens = opens
        self._looker: VehicleLooker | None = None

    def warm(self) -> None:
        """Open the model and look once at nothing, so that the first alarm need not wait for it."""
        grey = np.full((64, 96, 3), 90, np.uint8)
        self.seen(grey, ((40.0, 30.0), (56.0, 30.0), (56.0, 36.0), (40.0, 36.0)))

    def seen(self, overview: Frame | None, corners: Corners | None) -> VehicleSeen | None:
        """The vehicle around a plate, by the read's overview and the plate's corners in its px; None where none is seen."""
        if self._opens is None or overview is None or corners is None:
            return None
        try:
            self._looker = self._looker or self._opens()
            vehicles = self._looker.vehicles(overview, [corners])
        except (GuardianError, RuntimeError) as error:
            log.warning("vehicles-not-looked-at", error=type(error).__name__)
            self._opens = None
            return None
        place = carrier_of(corners, vehicles)
        return vehicles[place] if place is not None else None

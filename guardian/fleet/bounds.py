"""What a heartbeat may hold: bounds that every honest device keeps by far. Pure.

A heartbeat lies in the records and stands on every operator's page, so one that is out of bounds is refused whole: a figure
that no column holds would else fail at each try, and a text of megabytes would be shown to everybody.
"""

from __future__ import annotations

import math

import msgspec

from guardian.domain.errors import InputRefusedError
from guardian.domain.wire import Heartbeat

BODY_BYTES_MAX = 256 * 1024
NUMBER_MAX = 2**53
COUNT_MAX = 2**31 - 1
TEXT_CHARS_MAX = 200
STAGES_MAX = 64
ANSWERS_MAX = 500
OPINIONS_MAX = 500


def refuse_odd(beat: Heartbeat) -> None:
    """Pass a heartbeat whose every figure and text is one.

    Raises:
        InputRefusedError: it is not; names the field, never the value.
    """
    if len(beat.answers) > ANSWERS_MAX:
        raise _odd(f"It carries more than {ANSWERS_MAX} answers")
    if len(beat.opinions) > OPINIONS_MAX:
        raise _odd(f"It carries more than {OPINIONS_MAX} opinions")
    if len(beat.stages) > STAGES_MAX:
        raise _odd(f"It names more than {STAGES_MAX} stages")
    if not -COUNT_MAX <= beat.reads_last_hour <= COUNT_MAX:
        raise _odd("reads_last_hour is no count")
    # Not the position: see `without_odd_place`.
    parts: list[msgspec.Struct] = [beat, *beat.stages, *beat.answers, *beat.opinions]
    for part in parts:
        for name in part.__struct_fields__:
            value = getattr(part, name)
            if isinstance(value, int | float) and not _is_measure(value):
                raise _odd(f"{name} is no number, or outside every measure")
            if isinstance(value, str) and (len(value) > TEXT_CHARS_MAX or "\x00" in value):
                raise _odd(f"{name} is longer than {TEXT_CHARS_MAX} characters, or holds a zero character")


def without_odd_place(beat: Heartbeat) -> Heartbeat:
    """The heartbeat without a position that holds something that is no number (field case G13): a receiver that raves must
    not make its device fall silent."""
    place = beat.position
    figures = () if place is None else msgspec.structs.astuple(place)
    if all(_is_measure(figure) for figure in figures if isinstance(figure, int | float)):
        return beat
    return msgspec.structs.replace(beat, position=None)


def _is_measure(value: float) -> bool:
    return math.isfinite(value) and -NUMBER_MAX <= value <= NUMBER_MAX


def _odd(said: str) -> InputRefusedError:
    return InputRefusedError(f"The heartbeat was not kept: {said}.", reference="heartbeat-form")

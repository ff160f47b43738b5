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


def refuse_odd(beat: Heartbeat) -> None:
    """Pass a heartbeat whose every figure and text is one.

    Raises:
        InputRefusedError: it is not; names the field, never the value.
    """
    if len(beat.answers) > ANSWERS_MAX:
        raise _odd(f"It carries more than {ANSWERS_MAX} answers")
    if len(beat.stages) > STAGES_MAX:
        raise _odd(f"It names more than {STAGES_MAX} stages")
    if not -COUNT_MAX <= beat.reads_last_hour <= COUNT_MAX:
        raise _odd("reads_last_hour is no count")
    parts: list[msgspec.Struct] = [beat, *beat.stages, *beat.answers]
    if beat.position is not None:
        parts.append(beat.position)
    for part in parts:
        for name in part.__struct_fields__:
            value = getattr(part, name)
            if isinstance(value, int) and not -NUMBER_MAX <= value <= NUMBER_MAX:
                raise _odd(f"{name} is outside every measure")
            if isinstance(value, float) and not math.isfinite(value):
                raise _odd(f"{name} is no number")
            if isinstance(value, str) and (len(value) > TEXT_CHARS_MAX or "\x00" in value):
                raise _odd(f"{name} is longer than {TEXT_CHARS_MAX} characters, or holds a zero character")


def _odd(said: str) -> InputRefusedError:
    return InputRefusedError(f"The heartbeat was not kept: {said}.", reference="heartbeat-form")

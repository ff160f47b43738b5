"""Taiwanese plates, drawn by us, to teach and to test our own reader.

`draw_plate` draws a plate as art; `train.plates.snap` photographs it; `python -m train.plates.sheet` shows what the model
is fed. Everything is deterministic by the generator that the caller gives.
"""

from train.plates.art import draw_plate
from train.plates.model import RenderedPlate

__all__ = ["RenderedPlate", "draw_plate"]

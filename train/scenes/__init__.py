"""Whole pictures with plates in them, rendered by us, to teach and to test our own finder.

`draw_scene` makes one; `python -m train.scenes.sheet` shows what the finder is fed. All is deterministic by the generator
that the caller gives (and by the real views, where it gives some).
"""

from train.scenes.compose import draw_scene
from train.scenes.model import GroundView, Scene

__all__ = ["GroundView", "Scene", "draw_scene"]

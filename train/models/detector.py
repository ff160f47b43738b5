"""Where plates are: a heat map of their centres and the four corners of each, at a quarter of the picture's size.

No anchors. Source of the idea: Zhou et al., Objects as Points (2019); corners instead of boxes as in Silva and Jung,
WPOD-Net (ECCV 2018). Upsampling is by repeating, and all filters are plain or depth-wise: what every runtime has.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from train.models.lite0 import CHANNELS, Lite0, depthwise

STRIDE = 4
CORNER_SCALE_PX = 32.0


class PlateDetector(nn.Module):
    """(N, 3, H, W) RGB in 0..1 → (N, 9, H/4, W/4): a logit of the centre and eight corner offsets in px."""

    def __init__(
        self, width: int = 48, levels: tuple[int, int, int] = (2, 4, 7), wides: Mapping[str, int] | None = None
    ) -> None:
        super().__init__()
        self.backbone = Lite0(levels, wides)
        fine, middle, coarse = (CHANNELS[level] for level in levels)
        self.from_coarse = nn.Conv2d(coarse, width, 1)
        self.from_middle = nn.Conv2d(middle, width, 1)
        self.from_fine = nn.Conv2d(fine, width, 1)
        self.mix_coarse = nn.Sequential(depthwise(width, width, 7), depthwise(width, width, 7))
        self.mix_middle = depthwise(width, width, 5)
        self.mix_fine = depthwise(width, width, 3)
        self.trunk = depthwise(width, width, 3)
        self.heat = nn.Conv2d(width, 1, 1)
        self.corners = nn.Conv2d(width, 8, 1)
        nn.init.constant_(self.heat.bias, -4.6)

    def forward(self, frame: Tensor) -> Tensor:
        fine, middle, coarse = self.backbone(frame * 2 - 1)
        x = self.mix_coarse(self.from_coarse(coarse))
        x = self.mix_middle(self.from_middle(middle) + F.interpolate(x, scale_factor=2.0, mode="nearest"))
        x = self.mix_fine(self.from_fine(fine) + F.interpolate(x, scale_factor=2.0, mode="nearest"))
        x = self.trunk(x)
        return torch.cat([self.heat(x), self.corners(x) * CORNER_SCALE_PX], dim=1)


def detector_of(weights: dict[str, Tensor]) -> PlateDetector:
    """A finder with these weights, as wide as they are."""
    stem = {name: len(weights[f"backbone.stem.{name}.0.weight"]) for name in ("first", "second")}
    marks = ("backbone._blocks.", "._depthwise_conv.weight")
    blocks = {k[len(marks[0]) : -len(marks[1])]: len(v) for k, v in weights.items() if k.endswith(marks[1])}
    model = PlateDetector(len(weights["heat.weight"][0]), wides=stem | blocks)
    model.load_state_dict(weights)
    return model.eval()


class Exported(nn.Module):
    """The detector as it is shipped: probabilities instead of logits."""

    def __init__(self, detector: PlateDetector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, frame: Tensor) -> Tensor:
        out = self.detector(frame)
        return torch.cat([torch.sigmoid(out[:, :1]), out[:, 1:]], dim=1)

"""Where vehicles are, of which kind, in which colour and body: one small look, apart from the plates'.

EfficientNet-Lite0 as published (ImageNet weights, Apache-2.0) up to a stride of 16, its levels 8 and 16 joined, one light
head at stride 8. No anchors: Zhou et al., Objects as Points (2019); sides of the box as in Tian et al., FCOS (2019).
The published blocks stay as they are while there are few labels: then only the head learns, from kept features.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from guardian.vision.vehicles import BODIES, COLOUR_WORDS, KINDS, SIDES, STRIDE_PX
from train.models.lite0 import BLOCKS, CHANNELS, EPS, Block, depthwise, pretrained

FINE, COARSE = 4, 10
CHANNELS_OUT = len(KINDS) + SIDES + len(COLOUR_WORDS) + len(BODIES)


class Published(nn.Module):
    """Lite0 up to block 10 with the published names; gives its maps at a stride of 8 and 16."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = nn.Conv2d(3, 32, 3, 2, 1, bias=False)
        self._bn0 = nn.BatchNorm2d(32, EPS)
        blocks, before = [], 32
        for kernel, stride, expansion, after in BLOCKS:
            blocks.append(Block(before, after, kernel, stride, expansion))
            before = after
        self._blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = F.relu6(self._bn0(self._conv_stem(x)))
        fine = x
        for number, block in enumerate(self._blocks):
            x = block(x)
            if number == FINE:
                fine = x
        return fine, x

    def take_pretrained(self) -> None:
        """Load the ImageNet weights; every tensor of ours must be there."""
        have = pretrained()
        self.load_state_dict({name: have[name] for name in self.state_dict()})


class Head(nn.Module):
    """From the two maps to logits of kinds, logarithms of the sides in cells, logits of colours and of bodies."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.from_coarse = nn.Conv2d(CHANNELS[COARSE], width, 1)
        self.from_fine = nn.Conv2d(CHANNELS[FINE], width, 1)
        self.mix_coarse = nn.Sequential(depthwise(width, width, 7), depthwise(width, width, 7))
        self.trunk = nn.Sequential(depthwise(width, width, 5), depthwise(width, width, 5))
        self.out = nn.Conv2d(width, CHANNELS_OUT, 1)
        nn.init.zeros_(self.out.bias)
        nn.init.constant_(self.out.bias[: len(KINDS)], -4.6)
        nn.init.constant_(self.out.bias[len(KINDS) : len(KINDS) + SIDES], 1.5)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        x = self.mix_coarse(self.from_coarse(coarse))
        x = self.from_fine(fine) + F.interpolate(x, scale_factor=2.0, mode="nearest")
        return self.out(self.trunk(x))


class VehicleNet(nn.Module):
    """(N, 3, H, W) RGB in 0..1 → (N, channels, H/8, W/8) as `Head` gives them."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.backbone = Published()
        self.head = Head(width)

    def features(self, frame: Tensor) -> tuple[Tensor, Tensor]:
        """What the head learns from."""
        fine, coarse = self.backbone(frame * 2 - 1)
        return fine, coarse

    def forward(self, frame: Tensor) -> Tensor:
        return self.head(*self.features(frame))


class Exported(nn.Module):
    """As it is shipped: probabilities, and the sides in px."""

    def __init__(self, net: VehicleNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, frame: Tensor) -> Tensor:
        kinds, sides, colours, bodies = torch.split(
            self.net(frame), [len(KINDS), SIDES, len(COLOUR_WORDS), len(BODIES)], dim=1
        )
        return torch.cat(
            [
                torch.sigmoid(kinds),
                torch.exp(sides.clamp(-3.0, 5.0)) * STRIDE_PX,
                torch.softmax(colours, dim=1),
                torch.softmax(bodies, dim=1),
            ],
            dim=1,
        )

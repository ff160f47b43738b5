"""What a plate says: one column of probabilities for every 4 px of a straightened crop (CTC).

Source: Graves et al., Connectionist Temporal Classification, ICML 2006; a convolutional net without recurrence, as in
Zherzdev and Gruzdev, LPRNet (2018), so that batches are quick and every runtime has its operators.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
BLANK = 0
HEIGHT_PX, WIDTH_PX, STEP_PX = 48, 160, 4


def _conv(
    before: int, after: int, kernel: int | tuple[int, int] = 3, stride: int | tuple[int, int] = 1
) -> nn.Sequential:
    k = (kernel, kernel) if isinstance(kernel, int) else kernel
    return nn.Sequential(
        nn.Conv2d(before, after, k, stride, (k[0] // 2, k[1] // 2), bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """Two filters and a way around them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.one = _conv(channels, channels)
        self.two = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.two(self.one(x)))


class PlateReader(nn.Module):
    """(N, 1, 48, 160) grey in 0..1 → (N, 40, 38) logits. `width` scales the number of channels."""

    def __init__(self, width: float = 1.0, dropout: float = 0.1) -> None:
        super().__init__()
        a, b, c, d = (round(n * width / 8) * 8 for n in (24, 48, 80, 128))
        self.body = nn.Sequential(
            _conv(1, a, 3, 2),  # 24 x 80
            Residual(a),
            _conv(a, b, 3, 2),  # 12 x 40
            Residual(b),
            Residual(b),
            _conv(b, c, 3, (2, 1)),  # 6 x 40
            Residual(c),
            Residual(c),
            nn.Conv2d(c, d, (6, 1), bias=False),  # 1 x 40
            nn.BatchNorm2d(d),
            nn.ReLU(inplace=True),
            _conv(d, d, (1, 5)),
            nn.Dropout2d(dropout),
        )
        self.head = nn.Conv2d(d, len(SIGNS) + 1, 1)

    def forward(self, crops: Tensor) -> Tensor:
        # Each crop by its own light: a plate in the dark is to look like one in the sun.
        mean = crops.mean(dim=(2, 3), keepdim=True)
        spread = ((crops - mean) ** 2).mean(dim=(2, 3), keepdim=True).sqrt()
        return self.head(self.body((crops - mean) / (spread + 0.02)))[:, :, 0].transpose(1, 2)


class Exported(nn.Module):
    """The reader as it is shipped: probabilities, at the temperature that makes them honest."""

    def __init__(self, reader: PlateReader, temperature: float = 1.0) -> None:
        super().__init__()
        self.reader = reader
        self.temperature = temperature

    def forward(self, crops: Tensor) -> Tensor:
        return torch.softmax(self.reader(crops) / self.temperature, dim=2)

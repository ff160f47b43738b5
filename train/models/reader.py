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
SURE_PROB = 0.99
"""A reading whose weakest place has so much, before it is calibrated, is not read twice."""


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


class Pair(nn.Module):
    """Two readers: the larger one is asked only where the smaller is not sure, and there the mean of what both say counts.

    Gives log-probabilities. Not for training: each learns by itself. Of 413 held-out plates the smaller read 6 wrongly, the larger 7,
    both 4; spoilt in six ways each 78.2, 79.7 and 80.9 % were right, and with the larger asked for one in nine (one in two of the
    spoilt) it was 80.8.
    """

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second

    def forward(self, crops: Tensor) -> Tensor:
        said = torch.log_softmax(self.first(crops), dim=2)
        unsure = torch.nonzero(weakest_of(said.exp()) < SURE_PROB)[:, 0]
        other = torch.log_softmax(self.second(crops[unsure]), dim=2)
        mean = torch.log_softmax((said[unsure] + other) / 2, dim=2)
        return torch.index_put(said, (unsure,), mean)


def weakest_of(probs: Tensor) -> Tensor:
    """(N, 40, 38) → (N,): how sure the least sure place of each row is. A place is where signs are likelier than on both sides of it;
    it is as sure as its likeliest sign, or as that none stands there."""
    sign = probs[:, :, 1:].amax(dim=2)
    place = sign >= F.max_pool1d(sign[:, None], 3, 1, 1)[:, 0]
    sure = torch.maximum(sign, probs[:, :, BLANK])
    return torch.where(place, sure, torch.ones_like(sure)).amin(dim=1)


def reader_of(weights: dict[str, Tensor]) -> PlateReader:
    """A reader with these weights, as wide as they are."""
    model = PlateReader(float(weights["head.weight"].shape[1]) / 128)
    model.load_state_dict(weights)
    return model.eval()


class Exported(nn.Module):
    """The reader as it is shipped: probabilities, at the temperature that makes them honest."""

    def __init__(self, reader: nn.Module, temperature: float = 1.0) -> None:
        super().__init__()
        self.reader = reader
        self.temperature = temperature

    def forward(self, crops: Tensor) -> Tensor:
        return torch.softmax(self.reader(crops) / self.temperature, dim=2)

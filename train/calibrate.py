"""Making the reader's probabilities honest, on plates that taught it nothing, and measuring where its signs stand.

One temperature divides the logits before the softmax (Guo et al., On Calibration of Modern Neural Networks, ICML 2017): it
changes no text, only how sure it is said. It is chosen by the likelihood of what is asked of it in service: is the whole text
right, when the product of what the surest steps say is taken as its probability.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from guardian.vision.ctc import runs_of
from train.models.reader import SIGNS, STEP_PX, WIDTH_PX

TEMPERATURES = np.exp(np.linspace(np.log(0.5), np.log(4.0), 61))


def logits_of(model: nn.Module, crops: Tensor) -> Tensor:
    """(N, 40, 38) logits of crops (N, 1, 48, 160)."""
    model.eval()
    with torch.no_grad():
        return torch.cat([model(part) for part in crops.split(128)])


def said(logits: Tensor, temperature: float) -> list[tuple[str, float]]:
    """Text without its dash, and the probability of its weakest sign, of each row."""
    out = []
    for row in torch.softmax(logits / temperature, dim=2).numpy():
        chars = [(SIGNS[c - 1], float(row[k, c])) for c, _, _, k in runs_of(row)]
        signs = [(s, p) for s, p in chars if s != "-"]
        out.append(("".join(s for s, _ in signs), min((p for _, p in signs), default=0.0)))
    return out


def temperature_of(logits: Tensor, texts: Sequence[str]) -> tuple[float, float, float]:
    """The temperature under which the weakest sign's probability says best whether a text is right.

    Returns:
        The temperature, and the mean negative log-likelihood without and with it.
    """

    def cost(temperature: float) -> float:
        rows = said(logits, temperature)
        p = np.clip([q for _, q in rows], 1e-4, 1 - 1e-4)
        right = np.asarray([text == wanted for (text, _), wanted in zip(rows, texts, strict=True)])
        return float(-np.where(right, np.log(p), np.log(1 - p)).mean())

    costs = [cost(float(t)) for t in TEMPERATURES]
    best = float(TEMPERATURES[int(np.argmin(costs))])
    return best, cost(1.0), min(costs)


def lateness_of(logits: Tensor, texts: Sequence[str], middles: Sequence[Sequence[float]]) -> float:
    """By how many steps a sign is named after its middle (`middles`: shares of the crop's width), over rightly read plates."""
    late: list[float] = []
    for row, text, places in zip(logits.numpy(), texts, middles, strict=True):
        runs = [r for r in runs_of(row) if SIGNS[r[0] - 1] != "-"]
        if "".join(SIGNS[r[0] - 1] for r in runs) != text:
            continue
        late += [
            (start + end) / 2 - place * WIDTH_PX / STEP_PX
            for (_, start, end, _), place in zip(runs, places, strict=True)
        ]
    return float(np.median(late)) if late else 0.0

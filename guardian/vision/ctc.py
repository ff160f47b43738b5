"""From a reader's columns of probabilities to characters: the best path.

Source: Graves et al., Connectionist Temporal Classification, ICML 2006, 3.2.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Probs = npt.NDArray[np.float32]


def runs_of(probs: Probs, blank: int = 0) -> Iterator[tuple[int, int, int, int]]:
    """Runs of one sign along the best path: (class, first step, step after the last, the surest step), blanks left out.

    Args:
        probs: (steps, classes) float32, each step sums to 1.
    """
    best = probs.argmax(axis=1).tolist()
    start = 0
    for step in range(1, len(best) + 1):
        if step < len(best) and best[step] == best[start]:
            continue
        if best[start] != blank:
            yield best[start], start, step, start + int(probs[start:step, best[start]].argmax())
        start = step

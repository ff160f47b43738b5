"""A finder with fewer channels inside: those that say least are left out, and it learns on from there.

    python -m train.slim runs/finder/best.pt --data plates --out runs/slim/begin.pt
    guardian train detector --data plates --start runs/slim/begin.pt --out runs/slim

What a channel says is how strong it is on training pictures times how much the next filter makes of it. What stays keeps its weights.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from train.data import load, without_fold
from train.detector import DetectorSettings, batch_of, views_of
from train.loop import weights_of
from train.models.detector import PlateDetector, detector_of

WIDES = {"first": 16, "second": 24, "3": 88, "4": 160, "5": 160, "6": 288, "7": 288}
"""What is left of 24, 32, 144, 240, 240, 480 and 480 channels. Multiples of 8 suit the processor's kernels."""


def strength_of(model: PlateDetector, batches: Sequence[Tensor]) -> dict[str, Tensor]:
    """How much each inner channel says: the root of its mean square behind its filter, times the norm of what reads it."""
    stem = model.backbone.stem
    heard: dict[str, tuple[nn.Module, nn.Conv2d]] = {
        "first": (stem.first, stem.second[0]),  # type: ignore[dict-item]
        "second": (stem.second, stem.project[0]),  # type: ignore[dict-item]
    }
    for number, block in model.backbone._blocks.items():
        heard[number] = (block._bn1, block._project_conv)  # type: ignore[assignment]
    squares: dict[str, list[Tensor]] = {name: [] for name in heard}

    def listening(name: str) -> object:
        def hook(_module: nn.Module, _inputs: object, out: Tensor) -> None:
            squares[name].append(out.clamp(0, 6).square().mean(dim=(0, 2, 3)))

        return hook

    hooks = [module.register_forward_hook(listening(name)) for name, (module, _) in heard.items()]  # type: ignore[arg-type]
    with torch.no_grad():
        for frames in batches:
            model.eval()(frames)
    for hook in hooks:
        hook.remove()
    return {
        name: torch.stack(squares[name]).mean(dim=0).sqrt() * reads.weight.detach().square().sum(dim=(0, 2, 3)).sqrt()
        for name, (_, reads) in heard.items()
    }


def slimmed(
    weights: Mapping[str, Tensor], strength: Mapping[str, Tensor], wides: Mapping[str, int]
) -> dict[str, Tensor]:
    """The weights of the channels that say most."""
    out = dict(weights)
    for name, wide in wides.items():
        kept = strength[name].argsort(descending=True)[:wide].sort().values
        if name in ("first", "second"):
            after = "second" if name == "first" else "project"
            rows, columns = [f"backbone.stem.{name}."], f"backbone.stem.{after}.0.weight"
        else:
            block = f"backbone._blocks.{name}."
            rows = [block + part for part in ("_expand_conv.", "_bn0.", "_depthwise_conv.", "_bn1.")]
            columns = block + "_project_conv.weight"
        for key, value in list(out.items()):
            if value.ndim and any(key.startswith(row) for row in rows):
                out[key] = value[kept]
        out[columns] = out[columns][:, kept]
    return {key: value.clone() for key, value in out.items()}


def main(argv: Sequence[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m train.slim")
    parser.add_argument("weights", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--fold", default="0/8", help="the part of the pictures that the weights never saw")
    asked = parser.parse_args(argv)
    cv2.setNumThreads(1)
    fold, folds = (int(part) for part in asked.fold.split("/"))
    settings = DetectorSettings(seed=71, fold=fold, folds=folds)
    views = views_of(without_fold(load(asked.data), fold, folds)[0])
    weights = weights_of(asked.weights)
    frames = [batch_of(step, settings, views, None)[0] for step in range(24)]
    slim = slimmed(weights, strength_of(detector_of(weights), frames), WIDES)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    torch.save(slim, asked.out)
    numbers = [sum(int(np.prod(v.shape)) for v in some.values()) for some in (weights, slim)]
    print(f"{numbers[0]:,} weights, {numbers[1]:,} left", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

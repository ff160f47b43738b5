"""Put finished weights into the product: calibrated, exported, listed by their SHA-256, with a card.

    python -m train.ship detector --run runs/finder --data plates
    python -m train.ship reader --run runs/reader --mean runs/more.pt --second runs/large/best.pt --data plates

`guardian train --install` does this at the end of one run. Here the weights may be the mean of a run's best and of others on the same
way, which read real plates better than either (decision 0011).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import msgspec
import torch
from torch import Tensor

from guardian.domain.errors import InputRefusedError
from train import export, finish
from train.card import lines_of
from train.data import load
from train.loop import weights_of
from train.reader import ReaderSettings


class Finished(msgspec.Struct, frozen=True):
    """What a run's folder tells of it."""

    folder: Path
    step: int
    best_step: int
    seconds: float
    settings: dict[str, Any]


def finished(run: Path) -> Finished:
    """The run of a folder as it stands."""
    state = torch.load(run / "state.pt", map_location="cpu", weights_only=True)
    best = max(lines_of(run), key=lambda line: line["score"])
    return Finished(run, int(state["step"]), int(best["step"]), float(state["seconds"]), dict(state["settings"]))


def mean_of(files: Sequence[Path]) -> dict[str, Tensor]:
    """The mean of several files of weights of one form; what counts steps is the first one's.

    Raises:
        InputRefusedError: their forms differ.
    """
    all_weights = [weights_of(file) for file in files]
    first = all_weights[0]
    for file, other in zip(files, all_weights, strict=True):
        if {k: v.shape for k, v in other.items()} != {k: v.shape for k, v in first.items()}:
            raise InputRefusedError(
                f"{file.name} holds weights of another form than {files[0].name}; nothing was shipped.",
                hint="Only runs of one size and on one way have a mean.",
                reference="other-form",
            )
    return {
        name: torch.stack([weights[name] for weights in all_weights]).mean(dim=0)
        if value.dtype.is_floating_point
        else value
        for name, value in first.items()
    }


def main(argv: Sequence[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m train.ship")
    parser.add_argument("model", choices=("detector", "reader"))
    parser.add_argument("--run", type=Path, required=True, help="folder of the run whose best weights are shipped")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--mean", type=Path, nargs="*", default=[], help="further weights that count as much")
    parser.add_argument("--second", type=Path, help="weights of a larger reader, asked where this one is not sure")
    parser.add_argument("--made", default="", help="how the weights came about, for the list and the card")
    asked = parser.parse_args(argv)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    done = finished(asked.run)
    weights = asked.run / "shipped.pt"
    torch.save(mean_of([asked.run / "best.pt", *asked.mean]), weights)
    labelled = load(asked.data)
    reader = None
    if asked.model == "detector":
        content, facts = finish.finish_detector(weights)
    else:
        reader = finish.reader_from(weights, asked.second)
        content, facts = finish.finish_reader(reader, msgspec.convert(done.settings, ReaderSettings), labelled)
    made = f"{datetime.now(UTC):%Y-%m-%d}: {asked.made or f'the best weights of {asked.run.name}'}"
    entry = export.install(asked.model, content, version=finish.version_of(done), made=made, facts=facts)
    finish.card_of(asked.model, entry, asked.run, labelled, done, reader)
    print(f"{asked.model} {entry.version}: {entry.bytes / 1e6:.2f} MB, SHA-256 {entry.sha256[:12]}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

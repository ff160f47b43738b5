"""`guardian train detector|reader`: from labelled pictures, or rendered ones alone, to the files that the product reads with."""

from __future__ import annotations

import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from guardian.domain.errors import InputRefusedError

_EXAMPLES = """\
Examples:
  guardian train reader --data plates            learn to read, hours of one core
  guardian train detector --data plates          learn to find plates
  guardian train reader                          from rendered plates alone
  guardian train reader --data plates --fold 0/5 without one fifth, which is looked at
  guardian train reader --data plates --install  and read with it from now on

A run is a folder. It may be cut off at any moment: the same command goes on
from there. Pictures of the test split never teach: a folder in which a plate
stands both in the training part and in another one is refused.
"""

app = App(
    name="train",
    usage="Usage: guardian train detector|reader [--data FOLDER] [--out RUN]",
    help_format="plaintext",
    help_epilogue=_EXAMPLES,
)

_Folder = Annotated[Path | None, Parameter(name="--data", show_default=False)]
_Out = Annotated[Path | None, Parameter(name="--out", show_default=False)]
_Number = Annotated[int, Parameter(show_default=True)]
_Flag = Annotated[bool, Parameter(negative=(), show_default=False)]
_Text = Annotated[str, Parameter(show_default=True)]


@app.command
def detector(
    *,
    data: _Folder = None,
    out: _Out = None,
    steps: _Number = 6000,
    seed: _Number = 1,
    fold: _Text = "0/8",
    start: _Out = None,
    device: _Text = "auto",
    workers: _Number = 0,
    threads: _Number = 1,
    install: _Flag = False,
) -> int:
    """Train the finder of plates.

    Parameters
    ----------
    data
        A folder of labelled pictures; rendered scenes alone without one.
    out
        The run's folder; var/train/detector without it.
    steps
        Batches of eight views.
    seed
        The same seed takes the same way.
    fold
        Which part of the training split is only looked at; 0/0: none.
    start
        Weights (best.pt of another run) to begin with.
    device
        auto, cpu or cuda.
    workers
        Processes that make pictures beside the training.
    threads
        Cores for the training itself.
    install
        Put the finished model where `guardian read` takes it from.
    """
    return _train("detector", data, out, {"steps": steps, "seed": seed}, fold, start, device, workers, threads, install)


@app.command
def reader(
    *,
    data: _Folder = None,
    out: _Out = None,
    steps: _Number = 20000,
    seed: _Number = 1,
    fold: _Text = "0/8",
    start: _Out = None,
    device: _Text = "auto",
    workers: _Number = 0,
    threads: _Number = 1,
    install: _Flag = False,
) -> int:
    """Train the reader of plates.

    Parameters
    ----------
    data
        A folder of labelled pictures; rendered plates alone without one.
    out
        The run's folder; var/train/reader without it.
    steps
        Batches of 64 plates.
    seed
        The same seed takes the same way.
    fold
        Which part of the training split is only looked at; 0/0: none.
    start
        Weights (best.pt of another run) to begin with.
    device
        auto, cpu or cuda.
    workers
        Processes that make pictures beside the training.
    threads
        Cores for the training itself.
    install
        Put the finished model where `guardian read` takes it from.
    """
    return _train("reader", data, out, {"steps": steps, "seed": seed}, fold, start, device, workers, threads, install)


def _train(
    name: str,
    data: Path | None,
    out: Path | None,
    numbers: dict[str, int],
    fold: str,
    start: Path | None,
    device: str,
    workers: int,
    threads: int,
    install: bool,
) -> int:
    try:
        import torch

        from train import finish
        from train.data import load
    except ImportError as error:
        raise InputRefusedError(
            f"Training needs a package that is not here: {error.name}. Nothing was trained.",
            hint="python3 scripts/setup.py train installs what training needs.",
            reference="no-training-here",
        ) from error
    torch.set_num_threads(max(1, threads))
    which, _, of = fold.partition("/")
    if not (which.isdecimal() and of.isdecimal()):
        raise InputRefusedError(f"'{fold}' is no fold.", hint="Write 0/8 for the first of eight.", reference="fold")
    asked: dict[str, Any] = {**numbers, "fold": int(which), "folds": int(of)}
    made = f"{datetime.now(UTC):%Y-%m-%d}: guardian {shlex.join(sys.argv[1:])}"
    folder = out or Path("var/train") / name
    code: int = finish.run(
        name,
        load(data) if data is not None else None,
        folder,
        asked,
        start=start,
        device=device,
        workers=workers,
        install=install,
        made=made,
    )
    return code

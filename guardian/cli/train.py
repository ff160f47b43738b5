"""`guardian train detector|reader|vehicles`: from labelled pictures, or rendered ones alone, to the files that the product reads with."""

from __future__ import annotations

import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from guardian.domain.errors import InputRefusedError

_EXAMPLES = """\
Examples:
  guardian train detector --data plates            learn to find plates
  guardian train reader --data plates              learn to read, in hours
  guardian train reader                            from rendered plates alone
  guardian train vehicles --data plates            learn kinds and bodies
  guardian train reader --data plates --fold 0/5   one fifth is only looked at
  guardian train reader --data plates --width 1.0 --out var/train/large
  guardian train reader --data plates --second var/train/large/best.pt
  guardian train reader --data plates --install    and read with it from now on

A run is a folder. It may be cut off at any moment: the same command goes on
from there. Pictures of the test split never teach: a folder in which a plate
stands both in the training part and in another one is refused.
"""

app = App(
    name="train",
    usage="Usage: guardian train detector|reader|vehicles [--data FOLDER] [--out RUN]",
    help_format="plaintext",
    help_epilogue=_EXAMPLES,
)

_STEPS = {"detector": 6000, "reader": 20000, "vehicles": 3000}


@app.default
def train(
    name: Annotated[Literal["detector", "reader", "vehicles"], Parameter(name="MODEL", negative=())],
    /,
    *,
    data: Annotated[Path | None, Parameter(name="--data")] = None,
    out: Annotated[Path | None, Parameter(name="--out")] = None,
    steps: Annotated[int, Parameter(name="--steps", show_default=False)] = 0,
    seed: Annotated[int, Parameter(name="--seed")] = 1,
    fold: Annotated[str, Parameter(name="--fold", show_default=False)] = "",
    start: Annotated[Path | None, Parameter(name="--start")] = None,
    width: Annotated[float, Parameter(name="--width", show_default=False)] = 0.0,
    second: Annotated[Path | None, Parameter(name="--second")] = None,
    device: Annotated[Literal["auto", "cpu", "cuda"], Parameter(name="--device")] = "auto",
    workers: Annotated[int, Parameter(name="--workers")] = 0,
    threads: Annotated[int, Parameter(name="--threads")] = 1,
    install: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> int:
    """Train one of the models that read plates, or the one that looks at vehicles.

    Parameters
    ----------
    name
        detector finds plates, reader reads them, vehicles says who wears them.
    data
        A folder of labelled pictures; without one all is rendered.
    out
        The run's folder; var/train/MODEL without it.
    steps
        Batches; 6000 of 8 views for the detector, 20000 of 64 plates, 3000 of 8 views of vehicles.
    seed
        The same seed takes the same way.
    fold
        The part of the training split that is only looked at (0/8, of vehicles 0/4); 0/0: none.
    start
        Weights (best.pt of another run) to begin with.
    width
        How large a reader is: 0.75 for the one that reads all plates, 1.0 for a second.
    second
        Weights of a larger reader, which is asked where the one that was trained is not sure.
    device
        Where to compute; auto takes a GPU where there is one.
    workers
        Processes that make pictures beside the training.
    threads
        Cores for the training itself.
    install
        Put the finished model where `guardian read` takes it from.
    """
    fold = fold or ("0/4" if name == "vehicles" else "0/8")
    which, _, of = fold.partition("/")
    if not (which.isdecimal() and of.isdecimal()) or int(which) >= max(1, int(of)):
        raise InputRefusedError(f"'{fold}' is no fold.", hint="Write 0/8 for the first of eight.", reference="fold")
    for file, asked, reference in ((start, "--start", "no-start"), (second, "--second", "no-second")):
        if file is not None and not file.is_file():
            raise InputRefusedError(
                f"There are no weights {file.name}; nothing was trained.",
                hint=f"Name the best.pt of another run, or leave {asked} out.",
                reference=reference,
            )
    if name != "reader" and (second is not None or width):
        raise InputRefusedError(
            f"--width and --second are a reader's; the {name} has neither. Nothing was trained.",
            hint="Leave them out.",
            reference="only-readers",
        )
    if width and not 0.25 <= width <= 2.0:
        raise InputRefusedError(
            f"A reader cannot be {width:g} wide; nothing was trained.", hint="0.25 to 2.", reference="width"
        )
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
    if device == "cuda" and not torch.cuda.is_available():
        raise InputRefusedError(
            "PyTorch sees no GPU here; nothing was trained.", hint="--device auto or cpu.", reference="no-gpu"
        )
    torch.set_num_threads(max(1, threads))
    code: int = finish.run(
        name,
        load(data) if data is not None else None,
        out or Path("var/train") / name,
        {"steps": steps if steps > 0 else _STEPS[name], "seed": seed, "fold": int(which), "folds": int(of)}
        | ({"width": width} if width else {}),
        start=start,
        device=device,
        workers=workers,
        install=install,
        second=second,
        made=f"{datetime.now(UTC):%Y-%m-%d}: guardian {shlex.join(sys.argv[1:])}",
    )
    return code

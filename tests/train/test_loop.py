"""A run that is cut off goes on, and takes the same way as one that was not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from guardian.domain.errors import InputRefusedError

pytestmark = pytest.mark.real("torch")

_TOY = """
import sys
from pathlib import Path
import torch
from torch import nn
from train.loop import Run

def toy(folder, steps=60, stop=None, slow=0.0, peak=1e-2, **settings):
    import time
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    run = Run(Path(folder), model, steps=steps, peak=peak, settings={"steps": steps, **settings}, device="cpu")

    def batch_of(step):
        if stop is not None and step == stop:
            raise KeyboardInterrupt
        time.sleep(slow)
        return torch.rand(16, 4, generator=torch.Generator().manual_seed(step))

    def loss_of(model, x):
        return ((model(x) - x.sum(dim=1, keepdim=True)) ** 2).mean()

    def look(model):
        x = torch.rand(64, 4, generator=torch.Generator().manual_seed(999))
        with torch.no_grad():
            return {"score": -float(loss_of(model, x))}

    run.train(batch_of, loss_of, look, score="score", look_every=10, save_every_s=0.0)
    return run
"""


def _toy() -> Any:
    space: dict[str, Any] = {}
    exec(_TOY, space)  # noqa: S102 - the same text runs as a program of its own below
    return space["toy"]


def test_a_run_that_was_broken_off_ends_with_the_weights_of_one_that_was_not(tmp_path: Path) -> None:
    import torch

    toy = _toy()
    whole = toy(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        toy(tmp_path / "cut", stop=37)
    resumed = toy(tmp_path / "cut")
    assert resumed.step == whole.step == 60
    for a, b in zip(whole.average.model.parameters(), resumed.average.model.parameters(), strict=True):
        assert torch.equal(a, b)
    assert resumed.best == whole.best


def test_a_run_that_was_killed_goes_on(tmp_path: Path) -> None:
    script = tmp_path / "toy.py"
    script.write_text(_TOY + f"\ntoy({str(tmp_path / 'run')!r}, steps=4000, slow=0.004)\n")
    root = Path(__file__).resolve().parents[2]
    child = subprocess.Popen(
        [sys.executable, str(script)], env={**os.environ, "PYTHONPATH": str(root)}, stderr=subprocess.DEVNULL
    )
    try:
        state = tmp_path / "run" / "state.pt"
        until = time.monotonic() + 60
        while not state.exists() and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.3)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    import torch

    kept = torch.load(state, map_location="cpu", weights_only=True)
    assert 0 < kept["step"] < 4000
    assert _toy()(tmp_path / "run", steps=4000).step == 4000


def test_a_folder_with_a_run_of_other_settings_is_refused(tmp_path: Path) -> None:
    toy = _toy()
    toy(tmp_path / "run", seed=1)
    with pytest.raises(InputRefusedError) as caught:
        toy(tmp_path / "run", seed=2)
    assert caught.value.reference == "run-of-other-settings"


def test_it_gets_better(tmp_path: Path) -> None:
    run = _toy()(tmp_path / "run", steps=300)
    assert run.best > -0.05
    assert (tmp_path / "run" / "best.pt").exists()

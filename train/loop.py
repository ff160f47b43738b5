"""A training run that survives: where it stands is on disk, and the same seed takes the same way again.

One folder a run. `state.pt` is replaced as a whole every few minutes (never half written), so that a power cut, a job
limit or Ctrl-C costs minutes; starting the same command again goes on from there. `log.jsonl` has a line for each look at
the held-out part; `best.pt` the averaged weights that did best there.
"""

from __future__ import annotations

import copy
import json
import math
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from guardian.domain.errors import InputRefusedError

Net = TypeVar("Net", bound=nn.Module)


class Average:
    """Weights averaged over the last steps: steadier than the newest, and what is shipped.

    Source: Polyak and Juditsky, SIAM J. Control Optim. 30 (1992); exponential, with a short memory at the start.
    """

    def __init__(self, model: nn.Module, decay: float = 0.999) -> None:
        self.model = copy.deepcopy(model).eval()
        self.decay = decay
        self._of: nn.Module | None = None
        self._moved: list[tuple[Tensor, Tensor]] = []
        self._copied: list[tuple[Tensor, Tensor]] = []
        for p in self.model.parameters():
            p.requires_grad_(False)

    @torch.no_grad()
    def take(self, model: nn.Module, step: int) -> None:
        """Move towards the model as it is now."""
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        if self._of is not model:
            self._of = model
            pairs = list(zip(self.model.state_dict().values(), model.state_dict().values(), strict=True))
            self._moved = [pair for pair in pairs if pair[0].dtype.is_floating_point]
            self._copied = [pair for pair in pairs if not pair[0].dtype.is_floating_point]
        torch._foreach_lerp_([mine for mine, _ in self._moved], [theirs for _, theirs in self._moved], share)
        for mine, theirs in self._copied:
            mine.copy_(theirs)


def one_cycle(step: int, steps: int, *, peak: float, warm: float = 0.06) -> float:
    """Learning rate: up in the first part, then down along a cosine to a hundredth."""
    begin = max(1, int(steps * warm))
    if step < begin:
        return peak * (0.1 + 0.9 * step / begin)
    t = (step - begin) / max(1, steps - begin)
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, t))))


def device_of(asked: str = "auto") -> torch.device:
    """Where to compute: a GPU where there is one, unless told otherwise."""
    if asked == "auto":
        asked = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(asked)


class Batches(Dataset[Any]):
    """Batches by the number of their step, so that workers may make them beside one another and a resumed run goes on."""

    def __init__(self, batch_of: Callable[[int], Any], steps: range) -> None:
        self.batch_of, self.steps = batch_of, steps

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, index: int) -> Any:
        return self.batch_of(self.steps[index])


def _on(device: torch.device, batch: Any) -> Any:
    if isinstance(batch, Tensor):
        return batch.to(device, non_blocking=True)
    return type(batch)(_on(device, part) for part in batch) if isinstance(batch, (tuple, list)) else batch


class Run:
    """One run: model, optimiser, average, and how far it is.

    Args:
        folder: made when it is not there; a run of the same settings in it is gone on with.
        settings: what the run was started with; other settings over the same folder are refused.
    """

    def __init__(
        self,
        folder: Path,
        model: nn.Module,
        *,
        steps: int,
        peak: float,
        decay: float = 0.02,
        settings: dict[str, Any],
        device: str = "auto",
        workers: int = 0,
    ) -> None:
        self.device, self.workers = device_of(device), workers
        # Channels last is how the processor's own kernels want it: a quarter less time for the same figures.
        model = model.to(device=self.device, memory_format=torch.channels_last)
        self.folder, self.model, self.steps, self.peak = folder, model, steps, peak
        self.settings = settings
        flat = [p for n, p in model.named_parameters() if p.ndim <= 1]
        deep = [p for n, p in model.named_parameters() if p.ndim > 1]
        self.optimiser = torch.optim.AdamW(
            [{"params": deep, "weight_decay": decay}, {"params": flat, "weight_decay": 0.0}], lr=peak
        )
        self.average = Average(model)
        self.step = 0
        self.best = -math.inf
        self.best_step = 0
        self.seconds = 0.0
        folder.mkdir(parents=True, exist_ok=True)
        self._state = folder / "state.pt"
        if self._state.exists():
            self._resume()

    def _resume(self) -> None:
        state = torch.load(self._state, map_location=self.device, weights_only=True)
        if state["settings"] != self.settings:
            raise InputRefusedError(
                f"The folder {self.folder.name} holds a run with other settings; nothing was trained.",
                hint="Name another folder with --out, or remove that one.",
                reference="run-of-other-settings",
            )
        self.model.load_state_dict(state["model"])
        self.average.model.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.best, self.best_step = state["step"], state["best"], state["best_step"]
        self.seconds = state["seconds"]

    def save(self) -> None:
        """Put the whole state on disk, at once or not at all."""
        state = {
            "settings": self.settings,
            "model": self.model.state_dict(),
            "average": self.average.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "best": self.best,
            "best_step": self.best_step,
            "seconds": self.seconds,
        }
        _replace(self._state, state)

    def train(
        self,
        batch_of: Callable[[int], Any],
        loss_of: Callable[[nn.Module, Any], Tensor],
        look: Callable[[nn.Module], dict[str, float]],
        *,
        score: str,
        look_every: int,
        patience: int = 0,
        save_every_s: float = 180.0,
    ) -> None:
        """Go on until `steps`, or until `patience` looks brought nothing better (0: never stop early).

        Args:
            batch_of: the batch of a step; must depend on the step's number alone.
            look: figures of a model on the held-out part; `score` names the one that is to grow.
        """
        began = saved = time.monotonic()
        spent = self.seconds
        worse, total, count = 0, 0.0, 0
        try:
            loader = DataLoader(
                Batches(batch_of, range(self.step, self.steps)), batch_size=None, num_workers=self.workers
            )
            for batch in loader:
                for group in self.optimiser.param_groups:
                    group["lr"] = one_cycle(self.step, self.steps, peak=self.peak)
                self.model.train()
                loss = loss_of(self.model, _on(self.device, batch))
                self.optimiser.zero_grad(set_to_none=True)
                loss.backward()
                nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
                value = float(loss.detach())
                if math.isfinite(value):
                    self.optimiser.step()
                    total, count = total + value, count + 1
                self.step += 1
                self.average.take(self.model, self.step)
                self.seconds = spent + time.monotonic() - began
                if self.step % look_every == 0 or self.step == self.steps:
                    figures = look(self.average.model)
                    self._log({"step": self.step, "loss": total / max(1, count), "seconds": self.seconds, **figures})
                    total, count = 0.0, 0
                    if figures[score] > self.best:
                        self.best, self.best_step, worse = figures[score], self.step, 0
                        _replace(self.folder / "best.pt", self.average.model.state_dict())
                    else:
                        worse += 1
                        if patience and worse >= patience:
                            break
                if time.monotonic() - saved > save_every_s:
                    self.save()
                    saved = time.monotonic()
        finally:
            self.save()

    def _log(self, line: dict[str, float]) -> None:
        with (self.folder / "log.jsonl").open("a") as file:
            file.write(json.dumps({k: round(v, 5) for k, v in line.items()}) + "\n")
        left = self.seconds / max(1, self.step) * (self.steps - self.step)
        said = "  ".join(f"{k} {v:.4f}" for k, v in line.items() if k not in ("step", "seconds"))
        print(
            f"step {self.step}/{self.steps}  {said}  {self.seconds / 60:.0f} min, {left / 60:.0f} left",
            file=sys.stderr,
            flush=True,
        )


class RunSettings(Protocol):
    """What every run's settings have."""

    @property
    def steps(self) -> int: ...

    @property
    def peak(self) -> float: ...

    @property
    def seed(self) -> int: ...


class Done(Protocol):
    """What is told of a finished run."""

    @property
    def folder(self) -> Path: ...

    @property
    def step(self) -> int: ...

    @property
    def best_step(self) -> int: ...

    @property
    def seconds(self) -> float: ...

    @property
    def settings(self) -> dict[str, Any]: ...


def weights_of(file: Path) -> dict[str, Tensor]:
    """The weights of a file."""
    return dict(torch.load(file, map_location="cpu", weights_only=True))


def made(make: Callable[[], Net], settings: RunSettings, start: Path | None) -> Net:
    """A model as its seed begins it, or with the weights of a file."""
    torch.manual_seed(settings.seed)
    model = make()
    if start is not None:
        model.load_state_dict(weights_of(start))
    return model


def opened(out: Path, model: nn.Module, settings: RunSettings, *, device: str, workers: int) -> Run:
    """The run of a model in its folder, begun or gone on with."""
    kept = msgspec.to_builtins(settings)
    return Run(out, model, steps=settings.steps, peak=settings.peak, settings=kept, device=device, workers=workers)


def _replace(path: Path, content: Any) -> None:
    fresh = path.with_suffix(".new")
    torch.save(content, fresh)
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    fresh.replace(path)

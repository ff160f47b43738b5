"""From a run's beginning to its file: train, calibrate on what was held out, export, and install when asked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from torch import nn

from guardian.domain.errors import InputRefusedError
from guardian.evaluation.labels import Labels
from guardian.vision.weights import WeightFile
from train import export
from train.calibrate import lateness_of, logits_of, temperature_of
from train.card import gallery, write_card
from train.detector import DetectorSettings, train_detector
from train.loop import Done, weights_of
from train.models.detector import detector_of
from train.models.reader import Pair, reader_of
from train.models.vehicles import VehicleNet
from train.reader import Look, ReaderSettings, rendered_held, samples_held, train_reader
from train.straight import finder_version, straight
from train.vehicle_tables import tables_of
from train.vehicles import VehicleSettings, train_vehicles

CARDS = Path(__file__).resolve().parent.parent / "docs" / "models"
LIMITS_OF_FINDER = """Plates below 8 px of height are not asked for. No street at night, rain or highway speed stands in the real
pictures: what it knows of them is rendered. Plates that are less than three quarters visible are not learnt."""
LIMITS_OF_READER = """One line of letters, digits and the dash: no military, diplomatic or temporary plates, whose Chinese
signs it does not know. Coloured plates are rare in the real pictures. What is less than 8 px high is a guess, and is said so."""

LIMITS_OF_VEHICLES = """Few labels (261 vehicles, by one labeller, from pictures that stand close to a plate), all by day or in one garage; eight trucks,
no bus and no pick-up but rendered ones: their rows say little. White, silver and grey are neighbours, and so are dark blue, dark green
and black: the second key of a hit (`watch/looks.py`) holds none of these against an entry. Make and model are not known to it.
Vehicles less than 10 px wide in what it sees (384 px the longest side) are not asked for."""


def run(
    name: str,
    labelled: Labels | None,
    out: Path,
    asked: dict[str, Any],
    *,
    start: Path | None,
    device: str,
    workers: int,
    install: bool,
    made: str,
    second: Path | None = None,
) -> int:
    """Train one model to its end and write its file into the run's folder. `second`: weights of a larger reader, asked where the one
    that was trained is not sure."""
    if second is not None:
        _check_reader(second)  # before hours are spent
    if name == "detector":
        settings = DetectorSettings(**asked, rendered=1.0 if labelled is None else DetectorSettings().rendered)
        done = train_detector(labelled, out, settings, start, device=device, workers=workers)
        content, facts = finish_detector(out / "best.pt")
    elif name == "vehicles":
        looking = VehicleSettings(**asked, rendered=1.0 if labelled is None else VehicleSettings().rendered)
        done = train_vehicles(labelled, out, looking, start, device=device, workers=workers)
        content, facts = finish_vehicles(out, looking)
    else:
        reading = ReaderSettings(
            **asked,
            rendered=1.0 if labelled is None else ReaderSettings().rendered,
            finder=finder_version() if labelled is not None else "",
        )
        done = train_reader(labelled, out, reading, start, device=device, workers=workers)
        content, facts = finish_reader(reader_from(out / "best.pt", second), reading, labelled)
    (out / f"{name}.onnx").write_bytes(content)
    said = f"{name}: {done.step} steps, {done.seconds / 60:.0f} min, {len(content) / 1e6:.2f} MB in {out.name}/{name}.onnx."
    if install:
        entry = export.install(name, content, version=version_of(done), made=made, facts=facts)
        card_of(
            name, entry, out, labelled, done, reader=reader_from(out / "best.pt", second) if name == "reader" else None
        )
        said += f" Installed, SHA-256 {entry.sha256[:12]}…"
    else:
        said += " --install reads with it from now on."
    print(said, file=sys.stderr)
    return 0


def card_of(
    name: str, entry: WeightFile, out: Path, labelled: Labels | None, done: Done, reader: nn.Module | None = None
) -> None:
    """Write the card of a model that was put into the product. `reader`: as it is asked, for its failures."""
    pictures = (
        "rendered ones alone"
        if labelled is None
        else (
            f"the training part of {labelled.folder.name} ({len(labelled.scenes)} pictures, {len(labelled.crops)} loose crops) "
            f"without fold {done.settings['fold']} of {done.settings['folds']}, and rendered ones"
        )
    )
    learnt = f"{done.step} batches of {done.settings['batch']}, {done.seconds / 60:.0f} minutes: {pictures}."
    if name == "detector":
        write_card(
            name,
            entry,
            out,
            CARDS,
            learnt=learnt,
            names=("recall", "corners"),
            limits=LIMITS_OF_FINDER,
            what="Finds plates: four corners each. EfficientNet-Lite0 from stride 4 on (ImageNet weights, Apache-2.0) behind "
            "a stem of ours, levels joined top down, one light head.",
        )
        return
    if name == "vehicles":
        held = f", without fold {done.settings['fold']} of {done.settings['folds']}" if labelled is not None else ""
        write_card(
            name,
            entry,
            out,
            CARDS,
            learnt=f"{done.step} batches of {done.settings['batch']} from {done.settings['pool'] or 'ever new'} views, "
            f"{done.seconds / 60:.0f} minutes: the words of `train/vehicles.json`{held}, and rendered scenes.",
            names=("recall", "kind"),
            limits=LIMITS_OF_VEHICLES,
            what="Finds vehicles and says their kind and body. EfficientNet-Lite0 as published (ImageNet weights, "
            "Apache-2.0) up to a stride of 16, one light head at 8. The colour is measured beside it (decision 0012).",
            failures="\n" + tables_of(labelled, done),
        )
        return
    settings = ReaderSettings(**done.settings)
    wrong, of = gallery(reader or reader_from(out / "best.pt"), settings, _made(CARDS) / "reader-failures.png")
    write_card(
        name,
        entry,
        out,
        CARDS,
        learnt=learnt,
        names=("plain", "hard"),
        limits=LIMITS_OF_READER,
        what="Reads a straightened plate: 40 columns of probabilities. Plain convolutions, CTC; from nothing."
        + (
            " Two networks in one file: the larger is asked where the smaller is not sure, and the mean of both counts there."
            if isinstance(reader, Pair)
            else ""
        ),
        failures=f"\n## Where it fails\n\n{wrong} of {of} rendered plates that it never saw, the surest first:\n\n"
        "![read wrongly](reader-failures.png)\n",
    )


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def version_of(run: Done) -> str:
    """A name for a model: what it was asked and how far it went."""
    return f"{run.best_step}-{run.settings['seed']}"


def finish_detector(weights: Path) -> tuple[bytes, dict[str, float]]:
    """A finder of a file of weights as ONNX."""
    return export.detector_bytes(detector_of(weights_of(weights))), {}


def finish_vehicles(out: Path, settings: VehicleSettings) -> tuple[bytes, dict[str, float]]:
    """The best net for vehicles of a run as ONNX."""
    model = VehicleNet(settings.width)
    model.load_state_dict(weights_of(out / "best.pt"))
    return export.vehicles_bytes(model), {}


def reader_from(weights: Path, second: Path | None = None) -> nn.Module:
    """The reader of a file of weights, with the larger one that it asks where it is not sure."""
    first = reader_of(weights_of(weights))
    if second is None:
        return first
    return Pair(first, reader_of(weights_of(second))).eval()


def _check_reader(weights: Path) -> None:
    try:
        reader_of(weights_of(weights))
    except Exception as error:
        raise InputRefusedError(
            f"{weights.name} holds no weights of a reader; nothing was trained.",
            hint="Name the best.pt of a run of `guardian train reader`.",
            reference="no-reader",
        ) from error


def finish_reader(
    model: nn.Module, settings: ReaderSettings, labelled: Labels | None
) -> tuple[bytes, dict[str, float]]:
    """A reader as ONNX, at its temperature."""
    held = samples_held(labelled, settings)
    look = Look(straight(held)[0] if settings.finder else held)
    crops = torch.cat([look.plain, look.hard])
    texts = [look.texts[i % len(look.texts)] for i in range(len(crops))]
    temperature, before, after = temperature_of(logits_of(model, crops), texts)
    drawn = rendered_held(400, settings)
    late = lateness_of(logits_of(model, drawn.crops), drawn.texts, drawn.middles)
    print(
        f"reader: temperature {temperature:.2f} (NLL {before:.3f} → {after:.3f}), {late:.2f} steps late",
        file=sys.stderr,
    )
    facts = {"late_steps": round(late, 1) + 0.0, "temperature": round(float(temperature), 3)}
    return export.reader_bytes(model, temperature), facts

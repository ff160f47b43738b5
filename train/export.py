"""From a finished run to a file that the product opens: ONNX, checked against PyTorch, entered into the list by its SHA-256."""

from __future__ import annotations

import hashlib
import io
import warnings
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import nn

from guardian.domain.errors import GuardianError
from guardian.vision.weights import FOLDER, LIST_NAME, WeightFile, listed, open_session
from train.models import detector, reader, vehicles

OPSET = 17
_AGREES = 2e-4


class ExportError(GuardianError):
    """What was written does not compute what was trained."""

    reference = "export-differs"


def detector_bytes(model: nn.Module) -> bytes:
    """The finder as ONNX: `frame` (N, 3, H, W) in 0..1 → `plates` (N, 9, H/4, W/4)."""
    shipped = detector.Exported(model).eval()  # type: ignore[arg-type]
    return _onnx(
        shipped,
        torch.rand(1, 3, 96, 128),
        "frame",
        "plates",
        {0: "pictures", 2: "height", 3: "width"},
        {0: "pictures", 2: "rows", 3: "columns"},
    )


def reader_bytes(model: nn.Module, temperature: float = 1.0) -> bytes:
    """The reader as ONNX: `crops` (N, 1, 48, 160) in 0..1 → `probs` (N, 40, 38)."""
    shipped = reader.Exported(model, temperature).eval()  # type: ignore[arg-type]
    return _onnx(
        shipped, torch.rand(3, 1, reader.HEIGHT_PX, reader.WIDTH_PX), "crops", "probs", {0: "plates"}, {0: "plates"}
    )


def vehicles_bytes(model: nn.Module) -> bytes:
    """The net for vehicles as ONNX: `frame` (N, 3, H, W) in 0..1 → `vehicles` (N, channels, H/8, W/8)."""
    shipped = vehicles.Exported(model).eval()  # type: ignore[arg-type]
    return _onnx(
        shipped,
        torch.rand(1, 3, 96, 128),
        "frame",
        "vehicles",
        {0: "pictures", 2: "height", 3: "width"},
        {0: "pictures", 2: "rows", 3: "columns"},
    )


def _onnx(
    model: nn.Module, example: torch.Tensor, source: str, target: str, axes_in: dict[int, str], axes_out: dict[int, str]
) -> bytes:
    model = model.cpu().to(memory_format=torch.contiguous_format)
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # The exporter by tracing: the one by torch.export needs a further package and writes the same nodes.
        torch.onnx.export(
            model,
            (example,),
            file,
            input_names=[source],
            output_names=[target],
            dynamic_axes={source: axes_in, target: axes_out},
            opset_version=OPSET,
            dynamo=False,
        )
    content = file.getvalue()
    with torch.no_grad():
        wanted = model(example).numpy()
    got = open_session(content, 1).run(None, {source: example.numpy()})[0]
    scale = max(1.0, float(np.abs(wanted).max()))
    if got.shape != wanted.shape or float(np.abs(got - wanted).max()) > _AGREES * scale:
        raise ExportError("The exported model does not compute what was trained; no file was written.")
    return content


def install(
    name: str, content: bytes, *, version: str, made: str, facts: dict[str, float], folder: Path = FOLDER
) -> WeightFile:
    """Put a model into a folder of weights and into its list, which is replaced as a whole."""
    folder.mkdir(parents=True, exist_ok=True)
    entry = WeightFile(f"{name}.onnx", hashlib.sha256(content).hexdigest(), len(content), version, made, facts)
    (folder / entry.file).write_bytes(content)
    entries = {**(listed(folder) if (folder / LIST_NAME).exists() else {}), name: entry}
    fresh = folder / f"{LIST_NAME}.new"
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(dict(sorted(entries.items()))), indent=2) + b"\n")
    fresh.replace(folder / LIST_NAME)
    listed.cache_clear()
    return entry

"""Our models' files, and the only way to open one: its SHA-256 is checked first, so that a changed file is never asked.

The list of files is `weights/weights.json`, written by `guardian train`; each file has a model card in `docs/models/`.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from guardian.domain.errors import GuardianError

FOLDER = Path(__file__).parent / "weights"
LIST_NAME = "weights.json"


class WeightsError(GuardianError):
    """A file of our models is missing, or not the one that was listed."""

    reference = "weights-refused"


class WeightFile(msgspec.Struct, frozen=True):
    """One listed file: what it is for, its digest, and figures that belong to it (temperature of calibration and the like)."""

    file: str
    sha256: str
    bytes: int
    version: str
    made: str = ""
    facts: dict[str, float] = {}


@lru_cache(maxsize=4)
def listed(folder: Path = FOLDER) -> dict[str, WeightFile]:
    """Every model of a folder by its name.

    Raises:
        WeightsError: the list is missing or cannot be read.
    """
    try:
        return msgspec.json.decode((folder / LIST_NAME).read_bytes(), type=dict[str, WeightFile])
    except (OSError, msgspec.MsgspecError) as error:
        raise WeightsError(
            "The list of our models is missing or damaged; no picture was read.", hint="Install guardian[device] again."
        ) from error


def content_of(name: str, folder: Path = FOLDER) -> tuple[bytes, WeightFile]:
    """The bytes of one model, checked against the list.

    Raises:
        WeightsError: not listed, not there, or its SHA-256 is another.
    """
    entry = listed(folder).get(name)
    if entry is None:
        raise WeightsError(f"No model is named '{name}'.", hint=f"Known: {', '.join(sorted(listed(folder)))}.")
    try:
        content = (folder / entry.file).read_bytes()
    except OSError as error:
        raise WeightsError(
            f"The model file {entry.file} is missing; no picture was read.", hint="Install guardian[device] again."
        ) from error
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise WeightsError(
            f"The model file {entry.file} is not the one that was shipped (its SHA-256 is another); it was not used.",
            hint="Install guardian[device] again, or train it anew with `guardian train`, which renews the list.",
        )
    return content, entry


def open_session(content: bytes, threads: int) -> Any:
    """An ONNX Runtime session with bounded threads that do not spin, so that a phone stays cool."""
    from onnxruntime import InferenceSession, SessionOptions  # type: ignore[attr-defined]

    options = SessionOptions()
    options.intra_op_num_threads = max(1, threads)
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return InferenceSession(content, options, providers=["CPUExecutionProvider"])

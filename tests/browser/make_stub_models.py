"""Two tiny models of the contract of guardian.vision, for tests of the page around them: where the real ones are not there yet.

    python tests/browser/make_stub_models.py     (needs the package onnx, which only training installs)

`detector.onnx` answers a bright board of about 150 × 63 px. `fixed/reader.onnx` says MXB-8083 whatever it is shown;
`linear/reader.onnx` says something else for every crop, so that a wrong byte is seen in the text.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "stub_models"
SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
SAYS = "MXB-8083"


def detector() -> bytes:
    """Brightness inside a board's place less that around it; corners at fixed offsets."""
    from onnx import TensorProto, helper, numpy_helper

    kernel = np.full((1, 1, 23, 45), -1.0, np.float32)
    kernel[:, :, 4:19, 4:41] = 1.0
    kernel[kernel > 0] /= (kernel > 0).sum()
    kernel[kernel < 0] /= (kernel < 0).sum()
    offsets = np.asarray([-75, -31.5, 75, -31.5, 75, 31.5, -75, 31.5], np.float32)
    weights = {
        "grey": np.full((1, 3, 1, 1), 1 / 3, np.float32),
        "board": kernel * 24,
        "less": np.asarray([-7.0], np.float32),
        "none": np.zeros((8, 1, 1, 1), np.float32),
        "offsets": offsets,
    }
    nodes = [
        helper.make_node("Conv", ["frame", "grey"], ["g"]),
        helper.make_node("AveragePool", ["g"], ["small"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Conv", ["small", "board", "less"], ["logit"], pads=[11, 22, 11, 22]),
        helper.make_node("Sigmoid", ["logit"], ["heat"]),
        helper.make_node("Conv", ["heat", "none", "offsets"], ["corners"]),
        helper.make_node("Concat", ["heat", "corners"], ["plates"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "stub",
        [helper.make_tensor_value_info("frame", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info("plates", TensorProto.FLOAT, ["n", 9, "rows", "columns"])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    return _bytes(graph)


def reader(*, fixed: bool) -> bytes:
    """Every step sees 8 columns of the crop through random filters; fixed: it sees nothing and says `SAYS`."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(1)
    filters = rng.normal(0, 0 if fixed else 0.2, (38, 1, 48, 8)).astype(np.float32)
    filters -= filters.mean(axis=(1, 2, 3), keepdims=True)  # light alone says nothing
    leaning = np.zeros((1, 40, 38), np.float32)
    leaning[:, :, 0] = 5.0 if fixed else 1.0
    for i, sign in enumerate(SAYS if fixed else ""):
        leaning[0, 3 + 4 * i : 5 + 4 * i, SIGNS.index(sign) + 1] = 11.0 if i != 5 else 6.0  # one sign in doubt
    nodes = [
        helper.make_node("Conv", ["crops", "filters"], ["seen"], strides=[1, 4], pads=[0, 2, 0, 2]),
        helper.make_node("Squeeze", ["seen", "axis"], ["flat"]),
        helper.make_node("Transpose", ["flat"], ["turned"], perm=[0, 2, 1]),
        helper.make_node("Add", ["turned", "leaning"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probs"], axis=2),
    ]
    graph = helper.make_graph(
        nodes,
        "stub",
        [helper.make_tensor_value_info("crops", TensorProto.FLOAT, ["n", 1, 48, 160])],
        [helper.make_tensor_value_info("probs", TensorProto.FLOAT, ["n", 40, 38])],
        [
            numpy_helper.from_array(filters, "filters"),
            numpy_helper.from_array(leaning, "leaning"),
            numpy_helper.from_array(np.asarray([2], np.int64), "axis"),
        ],
    )
    return _bytes(graph)


def _bytes(graph: Any) -> bytes:
    from onnx import checker, helper

    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    return bytes(model.SerializeToString())


def main() -> None:
    """Write both folders, each with its list."""
    for name in ("fixed", "linear"):
        folder = FOLDER / name
        folder.mkdir(parents=True, exist_ok=True)
        entries = {}
        for model, content in {"detector": detector(), "reader": reader(fixed=name == "fixed")}.items():
            (folder / f"{model}.onnx").write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
            entries[model] = {"file": f"{model}.onnx", "sha256": digest, "bytes": len(content), "version": "stub"}
        (folder / "weights.json").write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

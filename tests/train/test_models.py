"""The networks: shapes of the two contracts, what is exported equals what was trained, small and of plain operators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from guardian.vision.ctc import runs_of
from guardian.vision.plate_reader import SIGNS

pytestmark = pytest.mark.real("torch")

PLAIN = {
    "Add", "BatchNormalization", "Cast", "Clip", "Concat", "Constant", "ConstantOfShape", "Conv", "Div", "Gather", "Identity",
    "Mul", "Pow", "ReduceMean", "Relu", "Resize", "Shape", "Sigmoid", "Slice", "Softmax", "Sqrt", "Squeeze", "Sub",
    "Transpose", "Unsqueeze", "Reshape",
}  # fmt: skip


BY_ROW = {"NonZero", "GatherND", "ScatterND", "MaxPool", "ReduceMax", "ReduceMin", "Max", "Where", "Less", "GreaterOrEqual", "LogSoftmax", "Exp", "Equal", "Expand", "Not"}  # fmt: skip
"""What asking for some rows of a batch needs; ONNX Runtime's build for browsers has them."""


def _operators(content: bytes) -> set[str]:
    import onnx

    return {node.op_type for node in onnx.load_from_string(content).graph.node}


def test_the_finder_keeps_its_contract_at_any_size() -> None:
    from guardian.vision.weights import open_session
    from train.export import detector_bytes
    from train.models.detector import PlateDetector

    content = detector_bytes(PlateDetector())
    session = open_session(content, 1)
    for height, width in ((32, 32), (96, 160), (160, 96)):
        out = session.run(None, {"frame": np.random.default_rng(1).random((1, 3, height, width), np.float32)})[0]
        assert out.shape == (1, 9, height // 4, width // 4)
        assert out[:, 0].min() >= 0 and out[:, 0].max() <= 1
    assert _operators(content) <= PLAIN
    assert len(content) < 6_000_000


def test_the_reader_keeps_its_contract_for_any_number_of_crops() -> None:
    from guardian.vision.weights import open_session
    from train.export import reader_bytes
    from train.models.reader import SIGNS as TRAINED_SIGNS
    from train.models.reader import PlateReader

    content = reader_bytes(PlateReader(), temperature=1.7)
    session = open_session(content, 1)
    for count in (1, 5):
        out = session.run(None, {"crops": np.random.default_rng(1).random((count, 1, 48, 160), np.float32)})[0]
        assert out.shape == (count, 40, 38)
        np.testing.assert_allclose(out.sum(axis=2), 1, atol=1e-5)
    assert _operators(content) <= PLAIN
    assert TRAINED_SIGNS == SIGNS
    assert len(content) < 6_000_000


def test_the_light_of_a_crop_does_not_change_what_the_reader_sees() -> None:
    import torch

    from train.models.reader import PlateReader

    model = PlateReader().eval()
    crop = torch.rand(1, 1, 48, 160)
    with torch.no_grad():
        bright, dim = model(crop).softmax(2), model(crop * 0.6 + 0.1).softmax(2)
    assert float((bright - dim).abs().max()) < 0.1


def test_the_stem_learns_what_the_published_blocks_say() -> None:
    import torch

    from train.models.lite0 import Stem, teach_stem

    torch.manual_seed(1)
    picture = torch.nn.functional.interpolate(torch.rand(2, 3, 12, 16), size=(96, 128), mode="bilinear") * 2 - 1
    early = teach_stem(Stem(), lambda step: picture, 4)
    late = teach_stem(Stem(), lambda step: picture, 60)
    assert late < 0.7 * early


def test_where_signs_stand_is_said_in_order_and_doubled_signs_are_kept_apart() -> None:
    from train.reader import STEPS, UNKNOWN, aligned_to

    places = aligned_to("AAB-1133", [0.1 + 0.12 * i for i in range(7)])
    assert len(places) == STEPS
    said = [int(c) for c in places if c != UNKNOWN]
    # As a reader would: runs of one class are one sign.
    columns = np.zeros((len(said), len(SIGNS) + 1), np.float32)
    columns[range(len(said)), said] = 1
    assert "".join(SIGNS[c - 1] for c, *_ in runs_of(columns)) == "AAB-1133"


def test_a_batch_depends_on_its_step_alone() -> None:
    from train.reader import ReaderSettings, batch_of

    settings = ReaderSettings(batch=4, rendered=1.0)
    one, texts, places = batch_of(7, settings, [], np.zeros(0))
    batch_of(8, settings, [], np.zeros(0))
    again, same_texts, same_places = batch_of(7, settings, [], np.zeros(0))
    other, *_ = batch_of(7, msgspec.structs.replace(settings, seed=2), [], np.zeros(0))
    assert texts == same_texts
    assert bool((one == again).all()) and bool((places == same_places).all())
    assert not bool((one == other).all())


def test_a_finder_s_targets_lead_back_to_the_corners() -> None:
    from guardian.vision.finder import peaks_of
    from train.detector import HEIGHT, STRIDE, WIDTH, targets_of

    quad = np.asarray([(100, 80), (220, 90), (218, 150), (98, 138)], np.float32)
    cut = np.asarray([(-70, 200), (60, 200), (60, 250), (-70, 250)], np.float32)
    heat, ground, offsets, share = targets_of(
        np.stack([quad, cut]), np.ones(2, np.float32), np.ones((HEIGHT, WIDTH), bool)
    )
    ((prob, found),) = peaks_of(np.concatenate([heat[None], offsets]).astype(np.float32), 0.9)
    assert prob == 1.0
    np.testing.assert_allclose(found, quad, atol=1e-3)
    assert ground[225 // STRIDE, 30 // STRIDE] == 0  # half of a plate: nothing is asked there
    assert share[30, 40] > 0


def _reader_saying(sign: str, prob: float) -> Any:
    """A stand-in that says one sign at one place with this probability, of bright crops surely; it counts what it is shown."""
    import torch

    from train.reader import INDEX

    class Saying(torch.nn.Module):
        asked = 0

        def forward(self, crops: Any) -> Any:
            self.asked += len(crops)
            likely = torch.where(crops.mean(dim=(1, 2, 3)) > 0.5, 0.9999, prob)
            said = torch.full((len(crops), 40, 38), 1e-9)
            said[:, :, 0] = 1.0
            said[:, 10, 0], said[:, 10, INDEX[sign]] = 1 - likely, likely
            return said.log()

    return Saying()


def test_the_larger_reader_is_asked_only_where_the_smaller_is_not_sure() -> None:
    import torch

    from train.models.reader import Pair
    from train.reader import INDEX

    first, second = _reader_saying("8", 0.6), _reader_saying("8", 0.9)
    crops = torch.stack([torch.full((1, 48, 160), v) for v in (0.9, 0.1, 0.9, 0.2)])
    said = Pair(first, second)(crops).exp()
    assert second.asked == 2
    np.testing.assert_allclose(said[:, 10, INDEX["8"]].numpy(), (0.9999, 0.786, 0.9999, 0.786), atol=1e-3)
    np.testing.assert_allclose(said.sum(2).numpy(), 1, atol=1e-5)
    Pair(first, second)(crops[[0, 2]])
    assert second.asked == 2


def test_a_pair_of_readers_is_one_file_that_answers_for_any_mix_of_crops() -> None:
    import torch

    from guardian.vision.weights import open_session
    from train.export import reader_bytes
    from train.models.reader import SURE_PROB, Pair, PlateReader, weakest_of

    torch.manual_seed(3)
    first, second = PlateReader(0.25).eval(), PlateReader(0.5).eval()
    with torch.no_grad():
        first.head.weight.mul_(40)  # sure of some, unsure of others
    crops = torch.rand(12, 1, 48, 160) * torch.linspace(0, 1, 160)
    with torch.no_grad():
        weak = weakest_of(first(crops).softmax(2))
        order = weak.argsort()
        alone, both = first(crops).softmax(2), Pair(first, second)(crops).exp()
    content = reader_bytes(Pair(first, second))
    session = open_session(content, 1)
    for some in (order[:3], order[-1:], order, order[5:6]):
        out = session.run(None, {"crops": crops[some].numpy()})[0]
        np.testing.assert_allclose(out, both[some].numpy(), atol=1e-4)
    assert bool((weak < SURE_PROB).any())
    asked = weak < SURE_PROB
    assert float((both[asked] - alone[asked]).abs().max()) > 0.01
    assert float((both[~asked] - alone[~asked]).abs().max() if bool((~asked).any()) else 0) < 1e-6
    assert _operators(content) <= PLAIN | BY_ROW


def test_a_place_is_as_sure_as_its_likeliest_sign_or_as_nothing() -> None:
    import torch

    from train.models.reader import weakest_of

    probs = torch.zeros(3, 40, 38)
    probs[:, :, 0] = 1.0
    for row, step, sign, prob in ((0, 5, 3, 0.99), (0, 6, 3, 0.7), (0, 20, 9, 0.95), (1, 12, 4, 0.3)):
        probs[row, step, sign], probs[row, step, 0] = prob, 1 - prob
    np.testing.assert_allclose(weakest_of(probs).numpy(), (0.95, 0.7, 1.0), atol=1e-6)


def test_the_mean_of_weights_is_refused_where_their_forms_differ(tmp_path: Path) -> None:
    import torch

    from guardian.domain.errors import InputRefusedError
    from train.models.reader import PlateReader, reader_of
    from train.ship import mean_of

    for name, seed, width in (("a", 1, 0.25), ("b", 2, 0.25), ("wide", 3, 0.5)):
        torch.manual_seed(seed)
        torch.save(PlateReader(width).state_dict(), tmp_path / f"{name}.pt")
    mean = mean_of([tmp_path / "a.pt", tmp_path / "b.pt"])
    a, b = (torch.load(tmp_path / f"{n}.pt", weights_only=True) for n in "ab")
    np.testing.assert_allclose(mean["head.bias"].numpy(), ((a["head.bias"] + b["head.bias"]) / 2).numpy(), atol=1e-7)
    assert reader_of(mean).head.weight.shape == a["head.weight"].shape
    with pytest.raises(InputRefusedError, match=r"wide\.pt"):
        mean_of([tmp_path / "a.pt", tmp_path / "wide.pt"])

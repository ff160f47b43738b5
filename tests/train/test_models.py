"""The networks: shapes of the two contracts, what is exported equals what was trained, small and of plain operators."""

from __future__ import annotations

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

"""Training of the look at vehicles: labels, truth, geometry, batches by step, and that what is exported keeps its contract."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from guardian.domain.errors import InputRefusedError
from guardian.vision.vehicles import BODIES, COLOUR_WORDS, KINDS, SIDES, STRIDE_PX, Look, vehicles_of

pytestmark = pytest.mark.real("torch")

PLAIN = {
    "Add", "Cast", "Clip", "Concat", "Constant", "Conv", "Exp", "Identity", "Mul", "Relu", "Resize", "Sigmoid", "Softmax",
    "Split", "Sub",
}  # fmt: skip
CHANNELS = len(KINDS) + SIDES + len(COLOUR_WORDS) + len(BODIES)


def test_our_labels_can_be_read_and_say_at_least_what_the_card_says() -> None:
    from train.vehicles import labelled_vehicles

    own = [v for vehicles in labelled_vehicles().values() for v in vehicles if v.plate is not None]
    assert len(own) == 261
    assert {v.kind for v in own} == {"car", "motorcycle", "truck"}
    assert sum(bool(v.colours) for v in own) >= 250


@pytest.mark.parametrize(
    "line",
    [
        b'{"a.jpg": [{"box": [0, 0, 1, 1], "kind": "tram"}]}',
        b'{"a.jpg": [{"box": [0, 0, 1, 1], "kind": "car", "colours": ["teal"]}]}',
        b'{"a.jpg": [{"box": [0.5, 0, 0.2, 1], "kind": "car"}]}',
        b'{"a.jpg": [{"kind": "car"}]}',
    ],
)
def test_a_label_with_a_word_or_a_box_that_cannot_be_is_refused(line: bytes, tmp_path: Path) -> None:
    from train.vehicles import labelled_vehicles

    (tmp_path / "vehicles.json").write_bytes(line)
    with pytest.raises(InputRefusedError) as caught:
        labelled_vehicles(tmp_path / "vehicles.json")
    assert caught.value.reference == "vehicle-labels"


def test_the_word_that_is_meant_weighs_most_and_nothing_said_weighs_nothing() -> None:
    from train.vehicles import truth_of

    truth = truth_of(("silver", "white"), COLOUR_WORDS, "unknown")
    assert (
        truth.sum() == pytest.approx(1) and truth[COLOUR_WORDS.index("silver")] > truth[COLOUR_WORDS.index("white")] > 0
    )
    assert truth_of(("unknown",), COLOUR_WORDS, "unknown")[COLOUR_WORDS.index("")] == 1
    assert truth_of((), COLOUR_WORDS, "unknown").sum() == 0


def _view() -> object:
    from train.vehicles import Vehicle, View, truth_of

    picture = np.random.default_rng(5).integers(0, 255, (240, 320, 3)).astype(np.uint8)
    white, suv = truth_of(("white",), COLOUR_WORDS, "unknown"), truth_of(("suv",), BODIES, "unknown")
    return View(picture, (Vehicle(np.asarray((60, 60, 220, 180), np.float32), 0, white, suv),), True)


def test_what_is_asked_for_is_what_the_product_reads_from_the_maps() -> None:
    from train.vehicles import Vehicle, targets_of, truth_of

    box = np.asarray((40, 64, 200, 160), np.float32)
    red = truth_of(("red",), COLOUR_WORDS, "unknown")
    heat, _, sides, colours, bodies, share = targets_of(
        [Vehicle(box, KINDS.index("truck"), red, truth_of(("truck",), BODIES, "unknown"))], True
    )
    maps = np.concatenate([heat, np.exp(sides) * STRIDE_PX, colours, bodies]).astype(np.float32)
    assert maps.shape[0] == CHANNELS and share.sum() == pytest.approx(1)
    (seen,) = vehicles_of(maps, Look())
    assert (seen.kind, seen.colour, seen.body) == ("truck", "red", "truck")
    assert np.abs(np.asarray(seen.box) - box).max() < 1


def test_about_what_is_seen_in_part_nothing_is_asked() -> None:
    from train.vehicles import Vehicle, targets_of

    nothing = np.zeros(len(COLOUR_WORDS), np.float32), np.zeros(len(BODIES), np.float32)
    heat, ground, *_, share = targets_of(
        [Vehicle(np.asarray((0, 0, 80, 80), np.float32), 0, *nothing, weight=0.0)], True
    )
    assert heat.max() == 0 and share.max() == 0
    assert ground[:10, :10].max() == 0 and ground[15:, 20:].min() == 1


def test_moved_boxes_stay_on_their_vehicle() -> None:
    from train.vehicles import Vehicle, View, moved, truth_of

    picture = np.full((240, 320, 3), 40, np.uint8)
    picture[60:180, 60:220] = (10, 20, 250)
    truth = truth_of(("red",), COLOUR_WORDS, "unknown"), truth_of(("suv",), BODIES, "unknown")
    view = View(picture, (Vehicle(np.asarray((60, 60, 220, 180), np.float32), 0, *truth),), True)
    compared = 0
    for seed in range(12):
        seen, (vehicle,) = moved(np.random.default_rng(seed), view)
        red = (seen[:, :, 2].astype(int) - seen[:, :, 0]) > 60
        rows, columns = np.nonzero(red)
        x0, _, x1, y1 = vehicle.box
        if vehicle.colour[COLOUR_WORDS.index("")] or len(rows) < 50 or red[:2].any() or (x1 - x0) < 20:
            continue
        compared += 1
        assert np.percentile(columns, 1) == pytest.approx(x0, abs=8) and np.percentile(columns, 99) == pytest.approx(
            x1, abs=8
        )
        assert np.percentile(rows, 99) == pytest.approx(y1, abs=8)
    assert compared >= 3


def test_a_view_that_lost_its_colours_teaches_cannot_tell() -> None:
    from train.vehicles import moved

    told = set()
    for seed in range(60):
        _, (vehicle,) = moved(np.random.default_rng(seed), _view())  # type: ignore[arg-type]
        unknown = bool(vehicle.colour[COLOUR_WORDS.index("")])
        told.add(unknown)
        if not unknown:
            assert vehicle.colour[COLOUR_WORDS.index("white")] == 1
    assert told == {True, False}


def test_a_step_has_the_same_batch_each_time_and_another_than_the_next() -> None:
    from train.vehicles import VehicleSettings, batch_of

    settings = msgspec.structs.replace(VehicleSettings(), batch=2, rendered=0.0)
    first, again, other = (batch_of(step, settings, [_view()]) for step in (3, 3, 4))  # type: ignore[list-item]
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_the_net_keeps_its_contract_and_is_small() -> None:
    import onnx

    from guardian.vision.weights import open_session
    from train.export import vehicles_bytes
    from train.models.vehicles import VehicleNet

    content = vehicles_bytes(VehicleNet())
    out = open_session(content, 1).run(None, {"frame": np.random.default_rng(1).random((1, 3, 64, 96), np.float32)})[0]
    assert out.shape == (1, CHANNELS, 8, 12)
    colours = out[0, len(KINDS) + SIDES : len(KINDS) + SIDES + len(COLOUR_WORDS)]
    assert np.allclose(colours.sum(axis=0), 1, atol=1e-5)
    assert {node.op_type for node in onnx.load_from_string(content).graph.node} <= PLAIN
    assert len(content) < 4_000_000


def test_all_pictures_of_one_plate_are_in_one_part() -> None:
    from train.vehicles import part_of

    texts = [f"ABC{n}" for n in range(400)]
    assert [part_of(t, 4) for t in texts] == [part_of(t, 4) for t in texts]
    assert 60 < sum(part_of(t, 4) == 0 for t in texts) < 140


def test_a_table_counts_every_pair_once() -> None:
    from train.vehicle_tables import confusion

    table = confusion([("car", "car"), ("car", "truck"), ("truck", "truck"), ("car", "car")], KINDS)
    assert table.splitlines() == [
        "| truth | car | truck | all |",
        "|---|---:|---:|---:|",
        "| car | 2 | 1 | 3 |",
        "| truck |  | 1 | 1 |",
    ]

"""A finder with fewer channels: what says nothing goes first, and what stays computes what it did."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.real("torch")


def test_channels_that_say_nothing_go_first_and_nothing_else_changes() -> None:
    import torch

    from train.models.detector import PlateDetector, detector_of
    from train.slim import WIDES, slimmed, strength_of

    torch.manual_seed(5)
    model = PlateDetector().eval()
    for module in model.modules():  # as after some training: no channel is like another
        if isinstance(module, torch.nn.BatchNorm2d):
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.uniform_(-0.2, 0.4)
    norms = {"first": model.backbone.stem.first[1], "second": model.backbone.stem.second[1]}
    norms |= {number: block._bn1 for number, block in model.backbone._blocks.items()}
    silent = {name: torch.randperm(len(norm.weight))[: len(norm.weight) - WIDES[name]] for name, norm in norms.items()}
    for name, norm in norms.items():
        norm.weight.data[silent[name]] = 0.0
        norm.bias.data[silent[name]] = 0.0
    frames = [torch.rand(2, 3, 64, 96)]
    weights = model.state_dict()
    strength = strength_of(model, frames)
    assert all(float(strength[name][silent[name]].max()) == 0.0 for name in norms)
    slim = detector_of(slimmed(weights, strength, WIDES))
    with torch.no_grad():
        assert torch.allclose(slim(frames[0]), model(frames[0]), atol=1e-4)
    count = sum(p.numel() for p in slim.parameters()) / sum(p.numel() for p in model.parameters())
    assert count < 0.7
    loud = slimmed(weights, {name: -value for name, value in strength.items()}, WIDES)
    with torch.no_grad():
        assert not torch.allclose(detector_of(loud)(frames[0]), model(frames[0]), atol=1e-2)


def test_a_finder_is_as_wide_as_its_weights() -> None:
    import torch

    from train.models.detector import PlateDetector, detector_of

    model = PlateDetector(wides={"first": 8, "3": 40}).eval()
    again = detector_of(model.state_dict())
    frame = torch.rand(1, 3, 32, 64)
    with torch.no_grad():
        assert torch.equal(again(frame), model(frame))

"""One kept number of each network of the paper: another one means that the same weights are another function.

The loss is in tests/unit/train; here each network stands for itself, so that the one that changed is named.
"""

import pytest
import torch
from torch import Tensor, nn

from components.bigbigan.build import TRUNKS, build_networks

# Of a fixed weighting of the output, in float64.
GOLDEN = {
    "G": 26.62831620,
    "F's score": 6.011649848,
    "H's score": 0.7318084375,
    "J's score": -1.330459126,
    "E's z": 0.9880841851,
    "E's features": 0.6650621866,
}


def waves(*shape: int) -> Tensor:
    """Numbers in [-1, 1] that no random generator has a part in."""
    count = torch.Size(shape).numel()
    return torch.sin(torch.arange(count, dtype=torch.float64) ** 2 * 0.1 + 1.0).reshape(shape)


@pytest.fixture
def _no_values(monkeypatch):
    """On the meta device tensors have shapes and no values; orthogonal initialisation would need values."""
    monkeypatch.setattr(nn.init, "orthogonal_", lambda tensor: tensor)


def weighed(output: Tensor) -> float:
    return (output * waves(*output.shape)).sum().item()


@pytest.fixture
def networks(config):
    networks = build_networks(config, seed=0).double()
    for name, parameter in networks.named_parameters():
        if name.endswith("gamma"):  # else attention would have no part in it
            nn.init.constant_(parameter, 0.5)
    return networks


def test_outputs_are_the_kept_ones(networks):
    x, z, noise = waves(4, 3, 16, 16), waves(4, 9), waves(4, 9).flip(0)
    scores = networks.discriminator(x, z)
    found = {
        "G": weighed(networks.generator(z)),
        "F's score": weighed(scores.image),
        "H's score": weighed(scores.latent),
        "J's score": weighed(scores.joint),
        "E's z": weighed(networks.encoder(x, noise)),
        "E's features": weighed(networks.encoder.features(x)),
    }
    # The orthogonal matrices are made in float32, whose last bits depend on the machine: 3e-6 was seen.
    assert found == pytest.approx(GOLDEN, rel=1e-4)


# Trunks of 50 layers: AvePool features.
GOLDEN_TRUNKS = {
    "resnet": ({"layers": 50, "width": 1}, -57.66966813),
    "revnet": ({"width": 1}, -21.22681872),
}


@pytest.mark.usefixtures("_no_values")
@pytest.mark.parametrize("kind", GOLDEN_TRUNKS)
def test_features_of_the_papers_trunks_are_the_kept_ones(kind):
    """With weights drawn in float64: through 50 layers the last bits of an orthogonal matrix would grow too much."""
    arguments, golden = GOLDEN_TRUNKS[kind]
    with torch.device("meta"):
        trunk = TRUNKS[kind](1, 32, **arguments)
    trunk = trunk.double().to_empty(device="cpu")
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in trunk.parameters():
            drawn = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.copy_(1 + drawn / 10 if parameter.ndim == 1 else drawn / parameter[0].numel() ** 0.5)
        features = trunk(waves(3, 1, 32, 32))
    assert weighed(features) == pytest.approx(golden, rel=1e-6)

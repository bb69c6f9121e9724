"""Networks from a configuration: the seed decides, and nothing else is touched."""

import pytest
import torch

from components.bigbigan.build import build_networks


def weights(config: dict, seed: int) -> dict[str, torch.Tensor]:
    return build_networks(config, seed).state_dict()


def test_the_seed_alone_decides(config):
    torch.manual_seed(1)
    first = weights(config, seed=3)
    torch.manual_seed(2)
    torch.randn(17)
    second, other = weights(config, seed=3), weights(config, seed=4)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    drawn = [name for name in first if name.endswith(("weight", ".u")) and "norm" not in name]
    assert len(drawn) > 50
    assert not [name for name in drawn if first[name].ndim > 1 and torch.equal(first[name], other[name])]


def test_the_global_generators_are_left_as_they_were(config, monkeypatch):
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    # `torch.manual_seed` would seed the generators of accelerators as well.
    monkeypatch.setattr(torch.cuda, "manual_seed_all", lambda seed: pytest.fail("an accelerator was seeded"))
    build_networks(config, seed=3)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_configuration_is_left_as_it_was_and_reaches_the_networks(config):
    config["model"]["discriminator"]["latent_unary"] = False
    config["model"]["encoder"]["stochastic"] = False
    given = str(config)
    networks = build_networks(config, seed=0)
    assert str(config) == given
    assert networks.discriminator.latent_score is None
    assert networks.discriminator.image_score is not None
    assert not networks.encoder.stochastic
    assert list(networks.generator.attention) == ["0"]


def test_the_three_networks_fit_together(config):
    networks = build_networks(config, seed=0)
    z = torch.randn(4, 9)
    x = networks.generator(z)
    assert x.shape == (4, 3, 16, 16)
    encoded = networks.encoder(x, torch.randn(4, 9))
    assert encoded.shape == z.shape
    scores = networks.discriminator(torch.cat([x, x]), torch.cat([encoded, z]))
    assert scores.joint.shape == (8,)


@pytest.mark.parametrize("network", ["generator", "encoder", "discriminator"])
def test_an_unknown_argument_is_an_error(config, network):
    config["model"][network]["colour"] = 1
    with pytest.raises(TypeError, match="colour"):
        build_networks(config, seed=0)

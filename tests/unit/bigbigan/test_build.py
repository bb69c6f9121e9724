"""Networks from a configuration: the seed decides, and nothing else is touched."""

import inspect
from dataclasses import fields
from typing import Any, get_args, get_type_hints

import pytest
import torch

from components.artifacts.parameters import Model
from components.artifacts.parameters import model as sections
from components.bigbigan.build import DISCRIMINATORS, GENERATORS, TRUNKS, build_networks


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
    config["model"]["discriminator"]["scores"] = ["image", "joint"]
    config["model"]["encoder"] |= {"sigma": "none", "output": "tanh", "head_width": None, "head_layers": 0}
    given = str(config)
    networks = build_networks(config, seed=0)
    assert str(config) == given
    assert networks.discriminator.latent_score is None
    assert networks.discriminator.image_score is not None
    assert networks.encoder.sigma_hat is None
    assert networks.encoder.bounded
    assert networks.encoder.mu.weight.shape == (9, 8)
    assert networks.encoder.trunk.stem.kernel_size == (5, 5)
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


def test_d_sees_what_g_makes_and_e_has_a_resolution_of_its_own(config):
    """The dataset, E, and G with D: 32, 8 and 16 px."""
    config["image"]["size"] = 32
    config["model"]["encoder"]["image_size"] = 8
    # An MLP's first layer has as many inputs as its images have pixels.
    config["model"]["encoder"]["trunk"] = {"kind": "mlp", "width": 7}
    config["model"]["discriminator"] = {"kind": "mlp", "width": 5, "scores": ["joint"]}
    networks = build_networks(config, seed=0)
    x = networks.generator(torch.randn(4, 9))
    assert x.shape == (4, 3, 16, 16)
    encoded = networks.encoder(torch.randn(4, 3, 32, 32), torch.randn(4, 9))
    assert networks.discriminator(x, encoded).joint.shape == (4,)
    assert networks.encoder.trunk(torch.randn(4, 3, 8, 8)).shape == (4, 7)


def test_a_gan_has_no_encoder_and_an_autoencoder_no_discriminator(config):
    whole = build_networks(config, seed=0)
    for name in ("encoder", "discriminator"):
        model = config["model"] | {name: None}
        networks = build_networks(config | {"model": model}, seed=0)
        assert getattr(networks, name) is None
        left = {key for key in whole.state_dict() if not key.startswith(f"{name}.")}
        assert networks.state_dict().keys() == left


@pytest.mark.parametrize("keys", [("generator",), ("encoder",), ("encoder", "trunk"), ("discriminator",)])
def test_an_unknown_argument_is_an_error(config, keys):
    section = config["model"]
    for key in keys:
        section = section[key]
    section["colour"] = 1
    with pytest.raises(TypeError, match="colour"):
        build_networks(config, seed=0)


# ------------------------------------------------------------------------------- the kinds, as the parameters have them


def options(section: type, key: str) -> dict[str, type]:
    """The dataclasses that a key may hold, by their kind."""
    classes = [option for option in get_args(get_type_hints(section)[key]) if option is not type(None)]
    return {get_args(get_type_hints(option)["kind"])[0]: option for option in classes}


TABLES: dict[str, tuple[dict[str, Any], dict[str, type], set[str]]] = {
    "generator": (GENERATORS, options(Model, "generator"), {"image_channels", "latent_size"}),
    "trunk": (TRUNKS, options(sections.Encoder, "trunk"), {"image_channels", "image_size"}),
    "discriminator": (
        DISCRIMINATORS,
        options(Model, "discriminator"),
        {"image_channels", "image_size", "latent_size"},
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_every_kind_that_parameters_may_name_exists_and_takes_its_keys(name):
    table, allowed, given = TABLES[name]
    assert table.keys() == allowed.keys()
    for kind, network in table.items():
        arguments = set(inspect.signature(network).parameters) - given
        assert arguments == {field.name for field in fields(allowed[kind])} - {"kind"}, kind

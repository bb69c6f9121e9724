"""The option files under params/model: as many parameters as in the literature, and the shapes that they must have.

The tables are those of BigGAN (Brock et al. 2019, appendix B), which BigBiGAN's G and F follow.
"""

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import nn

from components.artifacts.parameters import Model, build
from components.bigbigan.attention import SelfAttention
from components.bigbigan.build import Networks, build_networks
from components.bigbigan.residual_mlp import ResidualMLP
from components.bigbigan.spectral_norm import SpectralLinear

OPTIONS = Path(__file__).parents[3] / "params/model"

# px: G's multipliers, D's multipliers, how many blocks of D downsample, resolution of self-attention, size of z
TABLE = {
    32: ([4, 4, 4, 4], [4, 4, 4, 4], 2, 16, 120),
    64: ([16, 16, 8, 4, 2], [1, 2, 4, 8, 16], 4, 32, 120),
    128: ([16, 16, 8, 4, 2, 1], [1, 2, 4, 8, 16, 16], 5, 64, 120),
    256: ([16, 16, 8, 8, 4, 2, 1], [1, 2, 4, 8, 8, 16, 16], 6, 128, 140),
}
# Kolesnikov et al. 2019.
TRUNKS = {
    "resnet50": (23_500_352, 2048),
    "resnet50x2": (93_891_712, 4096),
    "resnet50x4": (375_347_456, 8192),
    "revnet50": (5_408_640, 2048),
    "revnet50x2": (21_505_792, 4096),
    "revnet50x4": (85_765_632, 8192),
}
LATENTS = {120: "normal120", 140: "normal140"}


def path(group: str, option: str) -> Path:
    return OPTIONS / group / f"{option}.yaml"


def option(group: str, name: str) -> Any:
    return yaml.safe_load(path(group, name).read_text())


def configuration(size: int, encoder: str | None = None) -> dict[str, Any]:
    """What the option files of a resolution say, composed. `encoder`: None leaves E out, which is large."""
    model = {
        "latent": option("latent", LATENTS[TABLE[size][4]]),
        "generator": option("generator", f"biggan{size}"),
        "encoder": None if encoder is None else option("encoder", encoder),
        "discriminator": option("discriminator", f"bigbigan{size}"),
    }
    return {"image": {"size": size, "channels": 3}, "model": model}


@pytest.fixture
def _no_values(monkeypatch):
    """On the meta device tensors have shapes and no values; orthogonal initialisation would need values."""
    monkeypatch.setattr(nn.init, "orthogonal_", lambda tensor: tensor)


def on_meta(config: dict[str, Any]) -> Networks:
    with torch.device("meta"):
        return build_networks(config, seed=0)


def parameters(*modules: nn.Module | None) -> int:
    return sum(parameter.numel() for module in modules if module is not None for parameter in module.parameters())


@pytest.mark.parametrize("size", TABLE)
def test_the_option_files_say_what_the_tables_say(size):
    model = configuration(size)["model"]
    generator, discriminator = model["generator"], model["discriminator"]
    found = (
        generator["multipliers"],
        discriminator["multipliers"],
        discriminator["downsampling_blocks"],
        generator["attention_resolution"],
        model["latent"]["size"],
    )
    assert found == TABLE[size]
    assert generator["image_size"] == size
    assert generator["channels"] == discriminator["channels"] == 96
    assert generator["embedding_size"] == 128
    assert discriminator["attention_resolution"] == generator["attention_resolution"]
    assert (discriminator["head_width"], discriminator["head_layers"]) == (2048, 8)
    assert discriminator["scores"] == ["image", "latent", "joint"]


@pytest.mark.parametrize("size", TABLE)
def test_the_option_files_of_a_resolution_fit_together(size):
    build(Model, configuration(size, encoder="resnet50")["model"], "model")


@pytest.mark.usefixtures("_no_values")
def test_g_at_full_size_has_70_306_116_parameters():
    generator = on_meta(configuration(128)).generator
    assert parameters(generator) == 70_306_116
    assert "70,306,116 parameters" in path("generator", "biggan128").read_text()
    assert generator.chunk_size == 20
    assert generator.smallest_size == 4


@pytest.mark.usefixtures("_no_values")
def test_f_at_full_size_and_its_score_have_86_446_370_parameters():
    network = on_meta(configuration(128)).discriminator
    h_j_and_their_scores = (
        *(network.latent_features, network.latent_score),
        *(network.joint_features, network.joint_score),
    )
    assert parameters(network) - parameters(*h_j_and_their_scores) == 86_446_370
    assert parameters(network.image_features, network.image_score) == 86_446_370
    assert "86,446,370 parameters" in path("discriminator", "bigbigan128").read_text()
    assert network.image_features.feature_size == 1536


@pytest.mark.usefixtures("_no_values")
def test_h_and_j_are_residual_mlps_of_8_layers_of_width_2048():
    network = on_meta(configuration(128)).discriminator
    layer = 2048 * 2048 + 2048
    assert parameters(network.latent_features) == (120 * 2048 + 2048) + 7 * layer
    assert parameters(network.joint_features) == ((1536 + 2048) * 2048 + 2048) + 7 * layer
    assert parameters(network.latent_score) == parameters(network.joint_score) == 2048 + 1
    for mlp in (network.latent_features, network.joint_features):
        assert isinstance(mlp, ResidualMLP)
        assert all(isinstance(linear, SpectralLinear) for linear in (mlp.first, *mlp.residual))


@pytest.mark.usefixtures("_no_values")
def test_without_other_scores_d_is_biggans_and_has_86_446_370_parameters():
    config = configuration(128)
    config["model"]["discriminator"]["scores"] = ["image"]
    assert parameters(on_meta(config).discriminator) == 86_446_370


@pytest.mark.usefixtures("_no_values")
@pytest.mark.parametrize("size", TABLE)
def test_shapes_at_full_width(size):
    networks = on_meta(configuration(size))
    latent_size = TABLE[size][4]
    features = networks.discriminator.image_features
    maps, attended = [], []
    features.layers.register_forward_hook(lambda module, given, result: maps.append(tuple(result.shape)))
    for module in networks.modules():
        if isinstance(module, SelfAttention):
            module.register_forward_hook(lambda module, given, result: attended.append(result.shape[-1]))
    with torch.device("meta"):
        z = torch.empty(2, latent_size)
        images = networks.generator(z)
        scores = networks.discriminator(images, z)
    assert images.shape == (2, 3, size, size)
    assert [score.shape for score in scores] == [(2,)] * 3
    smallest = 8 if size == 32 else 4
    assert maps == [(2, 96 * TABLE[size][1][-1], smallest, smallest)]
    assert attended == [TABLE[size][3]] * 2
    assert len(features.layers) == len(TABLE[size][1]) + 1
    assert networks.generator.smallest_size == 4


@pytest.mark.parametrize("size", [32, 64, 128])
def test_g_and_f_with_numbers_and_one_channel(size):
    config = configuration(size)
    config["model"]["generator"] |= {"channels": 1, "embedding_size": 4}
    config["model"]["discriminator"] |= {"channels": 1, "head_width": 3}
    networks = build_networks(config, seed=0)
    z = torch.randn(2, TABLE[size][4])
    images = networks.generator(z)
    assert images.shape == (2, 3, size, size)
    assert networks.discriminator.image_features(images).shape == (2, TABLE[size][1][-1])
    for term in networks.discriminator(images, z):
        assert term.isfinite().all()


@pytest.mark.usefixtures("_no_values")
@pytest.mark.parametrize("name", TRUNKS)
def test_e_has_the_trunk_of_the_literature_and_the_head_of_the_paper(name):
    expected, feature_size = TRUNKS[name]
    encoder = on_meta(configuration(128, encoder=name)).encoder
    assert parameters(encoder.trunk) == expected
    assert f"{expected:,} parameters" in path("encoder", name).read_text()
    assert encoder.trunk.feature_size == feature_size
    assert parameters(encoder.head) == (feature_size * 4096 + 4096) + 3 * (4096 * 4096 + 4096)
    assert parameters(encoder.mu) == parameters(encoder.sigma_hat) == 4096 * 120 + 120

"""The networks at the sizes of the literature: as many parameters, and the shapes that they must have.

The tables are those of BigGAN (Brock et al. 2019, appendix B), which BigBiGAN's G and F follow.
"""

import pytest
import torch
from torch import nn

from components.bigbigan.discriminator import ImageFeatures
from components.bigbigan.generator import Generator
from components.bigbigan.spectral_norm import SpectralLinear

# px: G's multipliers, D's multipliers, how many blocks of D downsample, resolution of self-attention, size of z
TABLE = {
    32: ([4, 4, 4, 4], [4, 4, 4, 4], 2, 16, 120),
    64: ([16, 16, 8, 4, 2], [1, 2, 4, 8, 16], 4, 32, 120),
    128: ([16, 16, 8, 4, 2, 1], [1, 2, 4, 8, 16, 16], 5, 64, 120),
    256: ([16, 16, 8, 8, 4, 2, 1], [1, 2, 4, 8, 8, 16, 16], 6, 128, 140),
}


@pytest.fixture
def _no_values(monkeypatch):
    """On the meta device tensors have shapes and no values; orthogonal initialisation would need values."""
    monkeypatch.setattr(nn.init, "orthogonal_", lambda tensor: tensor)


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.usefixtures("_no_values")
def test_g_at_full_size_has_70_306_116_parameters():
    with torch.device("meta"):
        generator = Generator(
            image_size=128,
            image_channels=3,
            latent_size=120,
            channels=96,
            multipliers=TABLE[128][0],
            embedding_size=128,
            attention_resolution=64,
        )
    assert parameters(generator) == 70_306_116
    assert generator.chunk_size == 20
    assert generator.smallest_size == 4
    with torch.device("meta"):
        assert generator(torch.empty(2, 120)).shape == (2, 3, 128, 128)


@pytest.mark.usefixtures("_no_values")
def test_f_at_full_size_and_its_score_have_86_446_370_parameters():
    with torch.device("meta"):
        features = ImageFeatures(
            image_size=128,
            image_channels=3,
            channels=96,
            multipliers=TABLE[128][1],
            downsampling_blocks=5,
            attention_resolution=64,
        )
        score = SpectralLinear(features.feature_size, 1)
    assert parameters(features) + parameters(score) == 86_446_370
    assert features.feature_size == 1536
    with torch.device("meta"):
        assert features(torch.empty(2, 3, 128, 128)).shape == (2, 1536)


@pytest.mark.parametrize("size", TABLE)
def test_g_and_f_at_every_resolution(size):
    g_multipliers, d_multipliers, downsampling, attention, latent_size = TABLE[size]
    torch.manual_seed(0)
    channels = 1
    generator = Generator(size, 3, latent_size, channels, g_multipliers, 4, attention)
    features = ImageFeatures(size, 3, channels, d_multipliers, downsampling, attention)
    assert generator.smallest_size == 4
    images = generator(torch.randn(2, latent_size))
    assert images.shape == (2, 3, size, size)
    assert len(generator.attention) == 1
    assert features(images).shape == (2, channels * d_multipliers[-1])
    assert features.layers(images).shape[-1] == (8 if size == 32 else 4)
    assert len(features.layers) == len(d_multipliers) + 1

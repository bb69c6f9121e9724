"""D: three scores, each from what it may see; a term that is configured off is absent."""

import itertools
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from components.bigbigan.discriminator.bigbigan import BigBiGANDiscriminator
from components.bigbigan.discriminator.biggan import DiscriminatorBlock, ImageFeatures
from components.bigbigan.discriminator.scores import Scores
from components.bigbigan.spectral_norm import SpectralLinear

ALL = ("image", "latent", "joint")
SUBSETS = [names for size in (1, 2, 3) for names in itertools.combinations(ALL, size)]
F_ARGUMENTS = {
    "image_channels": 3,
    "image_size": 16,
    "channels": 4,
    "multipliers": [1, 2, 3],
    "downsampling_blocks": 2,
    "attention_resolution": 0,
}


def image_features(**changes: object) -> ImageFeatures:
    return ImageFeatures(**(F_ARGUMENTS | changes))


def discriminator(scores: tuple[str, ...] = ALL) -> BigBiGANDiscriminator:
    torch.manual_seed(0)
    return BigBiGANDiscriminator(**F_ARGUMENTS, latent_size=6, head_width=10, head_layers=3, scores=scores)


class Unreadable:
    """Stands for an input that must not be used."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"it was read: {name}")


X, Z = torch.randn(5, 3, 16, 16), torch.randn(5, 6)


def test_there_is_one_score_of_each_kind_per_pair():
    scores = discriminator()(X, Z)
    assert {name: term.shape for name, term in scores.terms().items()} == {
        "image": (5,),
        "latent": (5,),
        "joint": (5,),
    }


# Which networks each set of scores needs (section 3, figure 1): F for images, H for latents, both and J for pairs.
NEEDED = {
    ("image",): {"image_features", "image_score"},
    ("latent",): {"latent_features", "latent_score"},
    ("joint",): {"image_features", "latent_features", "joint_features", "joint_score"},
    ("image", "latent"): {"image_features", "image_score", "latent_features", "latent_score"},
    ("image", "joint"): {"image_features", "latent_features", "joint_features", "image_score", "joint_score"},
    ("latent", "joint"): {"image_features", "latent_features", "joint_features", "latent_score", "joint_score"},
    ("image", "latent", "joint"): {
        *("image_features", "latent_features", "joint_features"),
        *("image_score", "latent_score", "joint_score"),
    },
}


@pytest.mark.parametrize("names", SUBSETS, ids="+".join)
def test_exactly_the_networks_exist_that_the_scores_need(names):
    network = discriminator(names)
    assert {name.split(".")[0] for name, _ in network.named_parameters()} == NEEDED[names]
    sum(term.square().sum() for term in network(X, Z).terms().values()).backward()
    missed = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert missed == []


@pytest.mark.parametrize("names", SUBSETS, ids="+".join)
def test_a_score_that_is_left_out_is_none(names):
    scores = discriminator(names)(X, Z)
    assert tuple(scores.terms()) == names
    for part in (scores, *scores.split(2)):
        assert [part.image is not None, part.latent is not None, part.joint is not None] == [
            name in names for name in ALL
        ]


@pytest.mark.parametrize("names", SUBSETS, ids="+".join)
def test_the_scores_that_are_left_do_not_depend_on_how_many_there_are(names):
    """The same weights give the same scores: leaving a term out changes nothing else."""
    whole, some = discriminator(), discriminator(names)
    some.load_state_dict({name: whole.state_dict()[name] for name in some.state_dict()})
    for name, term in some(X, Z).terms().items():
        assert torch.equal(term, whole(X, Z).terms()[name])


@pytest.mark.parametrize("names", SUBSETS, ids="+".join)
def test_it_sees_latents_if_a_score_depends_on_z_and_else_does_not_read_them(names):
    network = discriminator(names)
    assert network.sees_latents == (names != ("image",))
    if network.sees_latents:
        with pytest.raises(AssertionError, match="it was read"):
            network(X, Unreadable())
    else:
        assert torch.equal(network(X, Unreadable()).image, network(X, None).image)


def test_images_are_not_read_for_a_score_of_latents_alone():
    network = discriminator(("latent",))
    assert torch.equal(network(Unreadable(), Z).latent, network(X, Z).latent)


def test_each_score_sees_what_it_may_see():
    network = discriminator()
    x, z = X.clone().requires_grad_(), Z.clone().requires_grad_()
    scores = network(x, z)

    def seen(term: torch.Tensor) -> tuple[bool, bool]:
        gradients = torch.autograd.grad(term.sum(), (x, z), retain_graph=True, allow_unused=True)
        image, latent = (gradient is not None and bool(gradient.any()) for gradient in gradients)
        return image, latent

    assert seen(scores.image) == (True, False)
    assert seen(scores.latent) == (False, True)
    assert seen(scores.joint) == (True, True)


def test_a_pair_is_scored_by_itself():
    network = discriminator()
    assert not network.normalises_batches
    for whole, one in zip(network(X, Z), network(X[2:3], Z[2:3]), strict=True):
        torch.testing.assert_close(whole[2:3], one)


def test_the_scores_are_linear_on_f_h_and_j():
    network = discriminator()
    features, latent = network.image_features(X), network.latent_features(Z)
    joint = network.joint_features(torch.cat([features, latent], 1))
    scores = network(X, Z)
    torch.testing.assert_close(scores.image, network.image_score(features)[:, 0])
    torch.testing.assert_close(scores.latent, network.latent_score(latent)[:, 0])
    torch.testing.assert_close(scores.joint, network.joint_score(joint)[:, 0])


def test_a_batch_is_split_where_asked():
    scores = Scores(torch.arange(5.0), None, torch.arange(5.0) + 10)
    first, rest = scores.split(2)
    assert first.image.tolist() == [0, 1]
    assert rest.image.tolist() == [2, 3, 4]
    assert first.joint.tolist() == [10, 11]
    assert rest.joint.tolist() == [12, 13, 14]
    assert first.latent is None
    assert rest.latent is None


def test_all_weights_are_spectrally_normalised_and_learned():
    network = discriminator()
    layers = [name for name, _ in network.named_parameters() if name.endswith("weight")]
    assert {name.removesuffix(".weight") for name in layers} == {
        name.removesuffix(".u") for name, _ in network.named_buffers() if name.endswith(".u")
    }
    assert isinstance(network.joint_features.residual[0], SpectralLinear)
    sum(term.square().sum() for term in network(X, Z).terms().values()).backward()
    missed = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert missed == []


def test_f_is_the_sum_over_positions_after_a_relu():
    network = image_features()
    maps = []
    network.layers.register_forward_hook(lambda module, given, result: maps.append(result))
    features = network(X)
    assert maps[0].shape == (5, 12, 4, 4)
    assert network.feature_size == 12
    torch.testing.assert_close(features, maps[0].clamp(min=0).sum((2, 3)))


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("size", [8, 7])
def test_a_block_that_downsamples_pools_both_its_ways_after_they_convolve(first, size):
    torch.manual_seed(0)
    block = DiscriminatorBlock(3, 5, downsample=True, first=first).double()
    x = torch.randn(2, 3, size, size).double()
    h = block.conv1(x if first else F.relu(x))
    weight, bias = block.conv2.normalised_weight(), block.conv2.bias
    h = F.avg_pool2d(F.conv2d(F.relu(h), weight, bias, padding=1), 2)
    torch.testing.assert_close(block(x), h + F.avg_pool2d(block.shortcut(x), 2))


def test_a_block_that_changes_nothing_has_a_plain_shortcut():
    block = DiscriminatorBlock(4, 4, downsample=False, first=False)
    x = torch.randn(2, 4, 6, 6)
    torch.testing.assert_close(block(x), x + block.conv2(F.relu(block.conv1(F.relu(x)))))


@pytest.mark.parametrize(("resolution", "place"), [(0, None), (8, 1), (4, 2)])
def test_attention_follows_the_block_that_reaches_its_resolution(resolution, place):
    network = image_features(attention_resolution=resolution)
    kinds = [type(layer).__name__ for layer in network.layers]
    assert kinds.count("SelfAttention") == (0 if place is None else 1)
    assert place is None or kinds[place] == "SelfAttention"
    assert network(X).shape == (5, 12)

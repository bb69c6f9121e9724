"""The networks of BiGAN and DCGAN."""

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from components.bigbigan.batch_norm import BatchNorm1d, BatchNorm2d
from components.bigbigan.discriminator.dcgan import DCGANDiscriminator
from components.bigbigan.discriminator.mlp import MLPDiscriminator
from components.bigbigan.encoder.alexnet import AlexNet
from components.bigbigan.encoder.mlp import MLPTrunk
from components.bigbigan.generator.dcgan import DCGANGenerator, halvings
from components.bigbigan.generator.mlp import MLPGenerator
from components.bigbigan.recompute import recompute_blocks

Z = 9
GENERATORS = {
    "mlp": lambda: MLPGenerator(image_channels=2, latent_size=Z, image_size=16, width=12),
    "dcgan": lambda: DCGANGenerator(image_channels=2, latent_size=Z, image_size=16, channels=3, repeat_latent=True),
    "dcgan, z once": lambda: DCGANGenerator(2, Z, image_size=16, channels=3, repeat_latent=False),
}
TRUNKS = {
    "mlp": lambda: MLPTrunk(image_channels=2, image_size=16, width=12),
    "alexnet": lambda: AlexNet(image_channels=2, image_size=16, channels=6),
}
DISCRIMINATORS = {
    "mlp": lambda scores: MLPDiscriminator(2, 16, Z, width=12, scores=scores),
    "dcgan": lambda scores: DCGANDiscriminator(2, 16, Z, channels=3, scores=scores),
}
PAIRS = [(kind, score) for kind in DISCRIMINATORS for score in ("joint", "image")]


def seeded(build: Callable[..., nn.Module], *arguments: object) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build(*arguments)


def latents(number: int = 6) -> Tensor:
    return torch.rand(number, Z, generator=torch.Generator().manual_seed(1)) * 2 - 1


def images(number: int = 6, channels: int = 2, size: int = 16) -> Tensor:
    return torch.rand(number, channels, size, size, generator=torch.Generator().manual_seed(2)) * 2 - 1


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def with_ones_last(discriminator: nn.Module) -> nn.Module:
    """D with a last layer that is not zero, so that something can be seen through it."""
    nn.init.ones_(discriminator.score.weight)
    return discriminator


def norms(network: nn.Module) -> Iterator[nn.Module]:
    return (module for module in network.modules() if isinstance(module, BatchNorm1d | BatchNorm2d))


def last_number(score: object) -> Tensor:
    (term,) = score.terms().values()
    return term


@pytest.mark.parametrize(("kind", "size"), [("mlp", 7), ("mlp", 28), ("dcgan", 28), ("dcgan", 32), ("dcgan", 64)])
def test_generator_makes_images_in_range(kind: str, size: int) -> None:
    arguments = (8,) if kind == "mlp" else (2, True)
    generator = {"mlp": MLPGenerator, "dcgan": DCGANGenerator}[kind](3, Z, size, *arguments)
    made = generator(latents())
    assert made.shape == (6, 3, size, size)
    assert made.abs().max() <= 1


@pytest.mark.parametrize(("kind", "score"), PAIRS)
def test_discriminator_gives_the_one_score_and_features(kind: str, score: str) -> None:
    discriminator = DISCRIMINATORS[kind]([score])
    z = latents() if score == "joint" else None
    scores = discriminator(images(), z)
    assert {name: term.shape for name, term in scores.terms().items()} == {score: (6,)}
    assert discriminator.sees_latents == (score == "joint")
    assert discriminator.features(images(), z).shape == (6, discriminator.feature_size)


@pytest.mark.parametrize(
    ("build", "size", "feature_size"),
    [
        (lambda: MLPTrunk(3, 28, 24), 28, 24),
        (lambda: AlexNet(3, 28, 6), 28, 16 * 2 * 2),
        (lambda: AlexNet(3, 64, 6), 64, 16 * 4 * 4),
        (lambda: AlexNet(3, 112, 6), 112, 16 * 7 * 7),
    ],
)
def test_trunk_gives_features(build: Callable[[], nn.Module], size: int, feature_size: int) -> None:
    trunk = build()
    assert trunk.feature_size == feature_size
    assert trunk(images(2, 3, size)).shape == (2, feature_size)


def test_alexnet_has_bigans_feature_sizes() -> None:
    with torch.device("meta"):
        assert [AlexNet(3, size, 96).feature_size for size in (64, 112)] == [4096, 12544]


# BiGAN on MNIST: Z 50, width 1024. On ImageNet: Z 200, channels 64. DCGAN: Z 100, channels 128.
_PIXELS, _W, _Z, _C = 28 * 28, 1024, 200, 64
_ALEXNET_BIASES = 96 + 256 + 384 + 384 + 256
COUNTS = {
    "mlp G": (lambda: MLPGenerator(1, 50, 28, _W), 50 * _W + (_W + 50) * _W + _W * _PIXELS),
    "mlp E": (lambda: MLPTrunk(1, 28, _W), _PIXELS * _W + _W * _W),
    "mlp D": (lambda: MLPDiscriminator(1, 28, 50, _W, ["joint"]), _PIXELS * _W + (_W + 50) * _W + _W),
    "mlp D, image": (lambda: MLPDiscriminator(1, 28, 50, _W, ["image"]), _PIXELS * _W + _W * _W + _W),
    "dcgan G": (
        lambda: DCGANGenerator(3, _Z, 64, _C, repeat_latent=True),
        (_Z + 2) * 16 * 8 * _C
        + sum(25 * 2 * wide * wide + (_Z + 2) * wide for wide in (4 * _C, 2 * _C, _C))
        + 25 * 3 * _C,
    ),
    "dcgan G, z once": (
        lambda: DCGANGenerator(3, 100, 64, 128, repeat_latent=False),
        102 * 16 * 1024 + 25 * (1024 * 512 + 512 * 256 + 256 * 128 + 128 * 3) + 2 * (512 + 256 + 128),
    ),
    "dcgan D": (
        lambda: DCGANDiscriminator(3, 64, _Z, _C, ["joint"]),
        25 * 3 * _C + sum(25 * wide // 2 * wide + (_Z + 2) * wide for wide in (2 * _C, 4 * _C, 8 * _C)) + 16 * 8 * _C,
    ),
    "dcgan D, image": (
        lambda: DCGANDiscriminator(3, 64, 100, 128, ["image"]),
        25 * (3 * 128 + 128 * 256 + 256 * 512 + 512 * 1024) + 2 * (256 + 512 + 1024) + 16 * 1024,
    ),
    # AlexNet with groups is known to have 2,334,080 weights and biases in its five convolutions.
    "alexnet E": (lambda: AlexNet(3, 64, 96), 2_334_080 - _ALEXNET_BIASES + 2 * (_ALEXNET_BIASES - 96)),
}


@pytest.mark.parametrize("name", COUNTS)
def test_full_size_has_the_parameters_of_the_formula(name: str) -> None:
    build, expected = COUNTS[name]
    with torch.device("meta"):
        assert parameters(build()) == expected


def test_as_many_arrays_as_in_bigans_published_weights() -> None:
    """They load 28 (G), 23 (D) and 26 (E, with its output layer); 3 of each batch normalisation are statistics."""
    with torch.device("meta"):
        generator = DCGANGenerator(3, 200, 64, 64, repeat_latent=True)
        discriminator = DCGANDiscriminator(3, 64, 200, 64, ["joint"])
        trunk = AlexNet(3, 64, 96)
    arrays = [len(list(network.parameters())) for network in (generator, discriminator, trunk)]
    assert arrays == [28 - 3 * 4, 23 - 3 * 3, 26 - 3 * 4 - 1]


@pytest.mark.parametrize(("kind", "score"), PAIRS)
def test_losses_start_at_log_two(kind: str, score: str) -> None:
    term = last_number(DISCRIMINATORS[kind]([score])(images(), latents()))
    assert F.softplus(-term).tolist() == pytest.approx([math.log(2)] * 6)
    assert F.softplus(term).tolist() == pytest.approx([math.log(2)] * 6)


@pytest.mark.parametrize("kind", ["mlp", "dcgan"])
def test_generator_gets_z_in_every_hidden_layer(kind: str) -> None:
    generator = seeded(GENERATORS[kind])
    generator(latents()).square().sum().backward()
    again = {name: p.grad for name, p in generator.named_parameters() if name.startswith("latent") or ".latent" in name}
    assert list(again) == {"mlp": ["latent_to_second.weight"], "dcgan": ["blocks.0.latent.weight"]}[kind]
    assert all(gradient.abs().max() > 0 for gradient in again.values())


@pytest.mark.parametrize("kind", DISCRIMINATORS)
def test_discriminator_gets_z_in_every_hidden_layer_but_the_first(kind: str) -> None:
    discriminator = with_ones_last(seeded(DISCRIMINATORS[kind], ["joint"]))
    z = latents().requires_grad_()
    last_number(discriminator(images(), z)).square().sum().backward()
    entries = {name: p.grad for name, p in discriminator.named_parameters() if "latent" in name}
    assert list(entries) == {"mlp": ["latent_to_second.weight"], "dcgan": ["blocks.0.latent.weight"]}[kind]
    assert all(gradient.abs().max() > 0 for gradient in (z.grad, *entries.values()))


@pytest.mark.parametrize("kind", DISCRIMINATORS)
def test_without_the_joint_score_there_is_no_parameter_of_z(kind: str) -> None:
    image, joint = DISCRIMINATORS[kind](["image"]), DISCRIMINATORS[kind](["joint"])
    assert not [name for name, _ in image.named_parameters() if "latent" in name]
    assert all(Z not in parameter.shape for parameter in image.parameters())
    assert any(Z in parameter.shape for parameter in joint.parameters())
    with_ones_last(image)
    assert torch.equal(image(images(), latents()).image, image(images(), None).image)


def test_dcgan_generator_gets_z_once_if_told() -> None:
    once = GENERATORS["dcgan, z once"]()
    assert [name for name, p in once.named_parameters() if Z in p.shape] == ["seed.weight"]


@pytest.mark.parametrize(
    "build", [GENERATORS["mlp"], TRUNKS["mlp"], lambda: DISCRIMINATORS["mlp"](["joint"])], ids=["G", "E", "D"]
)
def test_mlp_has_neither_bias_nor_gain(build: Callable[[], nn.Module]) -> None:
    network = build()
    assert all(parameter.dim() == 2 for parameter in network.parameters())
    assert all(norm.weight is None and norm.bias is None for norm in norms(network))


@pytest.mark.parametrize(
    ("build", "channels"),
    [
        (GENERATORS["dcgan"], [6 * 4 * 4, 3]),
        (lambda: DISCRIMINATORS["dcgan"](["joint"]), [6]),
        (TRUNKS["alexnet"], [16, 24, 24, 16]),
    ],
    ids=["G", "D", "E"],
)
def test_convolutions_have_biases_only_in_batch_norm(build: Callable[[], nn.Module], channels: list[int]) -> None:
    """And none in the first layer of D and E; G's first is normalised unit by unit."""
    network = build()
    assert [norm.num_features for norm in norms(network)] == channels
    vectors = [parameter for parameter in network.parameters() if parameter.dim() == 1]
    assert len(vectors) == 2 * len(channels)


@pytest.mark.parametrize(
    ("build", "latent_std"),
    [
        (lambda: MLPGenerator(1, 50, 28, 200), 0.02),
        (lambda: MLPDiscriminator(1, 28, 50, 200, ["joint"]), 0.02),
        (lambda: MLPTrunk(1, 28, 200), None),
        (lambda: DCGANGenerator(3, 50, 32, 32, repeat_latent=True), 0.5),
        (lambda: DCGANDiscriminator(3, 32, 50, 32, ["joint"]), 0.5),
        (lambda: AlexNet(3, 32, 48), None),
    ],
)
def test_weights_start_as_in_bigan(build: Callable[[], nn.Module], latent_std: float | None) -> None:
    for name, parameter in seeded(build).named_parameters():
        if parameter.dim() > 1 and name != "score.weight":
            expected = latent_std if "latent" in name else 0.02
            assert parameter.std().item() == pytest.approx(expected, rel=0.06), name
            assert parameter.mean().item() == pytest.approx(0.0, abs=0.1 * expected), name


def batch_norm(h: np.ndarray) -> np.ndarray:
    return (h - h.mean(0)) / np.sqrt(h.var(0) + 1e-8)


def leaky(h: np.ndarray) -> np.ndarray:
    return np.where(h > 0, h, 0.2 * h)


def weights(network: nn.Module) -> dict[str, np.ndarray]:
    return {name.removesuffix(".weight"): p.detach().numpy().T for name, p in network.named_parameters()}


def test_mlp_generator_is_bigans_formula() -> None:
    generator = seeded(GENERATORS["mlp"]).double()
    w, z = weights(generator), latents().double().numpy()
    h = np.maximum(batch_norm(z @ w["first"]), 0)
    h = np.maximum(batch_norm(h @ w["second"] + z @ w["latent_to_second"]), 0)
    in_zero_one = 1 / (1 + np.exp(-h @ w["to_image"]))
    made = generator(latents().double()).detach().numpy()
    np.testing.assert_allclose(made.reshape(6, -1), 2 * in_zero_one - 1, atol=1e-12)


def test_mlp_trunk_and_discriminator_are_bigans_formula_of_pixels_in_zero_one() -> None:
    trunk = seeded(TRUNKS["mlp"]).double()
    discriminator = with_ones_last(seeded(DISCRIMINATORS["mlp"], ["joint"])).double()
    x, z = images().double(), latents().double()
    in_zero_one = (x.numpy().reshape(6, -1) + 1) / 2

    w = weights(trunk)
    features = leaky(batch_norm(leaky(in_zero_one @ w["first"]) @ w["second"]))
    np.testing.assert_allclose(trunk(x).detach().numpy(), features, atol=1e-12)

    w = weights(discriminator)
    h = leaky(in_zero_one @ w["first"]) @ w["second"] + z.numpy() @ w["latent_to_second"]
    np.testing.assert_allclose(
        discriminator(x, z).joint.detach().numpy(), (leaky(batch_norm(h)) @ w["score"])[:, 0], atol=1e-11
    )


# The conv networks agreed to 1e-13 with loops over positions in NumPy when these were kept.
GOLDEN = {
    "G mlp": [0.03521, 0.03386, 0.0196],
    "G dcgan": [0.001, -0.00368, 0.01478],
    "G dcgan, z once": [-0.04918, -0.03028, -0.06751],
    "E mlp": [-0.16428, -0.11526, 1.03863],
    "E alexnet": [0.10985, -0.25945, 0.2411],
    "D mlp, joint": [5.58696, 0.70488, 2.88344],
    "D mlp, image": [8.31414, 2.6275, 3.4189],
    "D dcgan, joint": [48.7509, 40.2649, 10.0301],
    "D dcgan, image": [26.07781, 28.98978, 28.44175],
}


def outputs() -> dict[str, Tensor]:
    made = {f"G {kind}": seeded(build)(latents()).flatten(1)[:, 77] for kind, build in GENERATORS.items()}
    made |= {f"E {kind}": seeded(build)(images()).flatten(1)[:, 5] for kind, build in TRUNKS.items()}
    for kind, score in PAIRS:
        discriminator = with_ones_last(seeded(DISCRIMINATORS[kind], [score]))
        made[f"D {kind}, {score}"] = last_number(discriminator(images(), latents()))
    return {name: tensor.detach() for name, tensor in made.items()}


def test_outputs_are_the_kept_ones() -> None:
    assert {name: [round(value, 5) for value in made[:3].tolist()] for name, made in outputs().items()} == {
        name: pytest.approx(kept, rel=1e-3, abs=2e-5) for name, kept in GOLDEN.items()
    }


@pytest.mark.parametrize("kind", DISCRIMINATORS)
def test_a_score_depends_on_the_rest_of_its_batch_as_the_discriminator_says(kind: str) -> None:
    discriminator = with_ones_last(seeded(DISCRIMINATORS[kind], ["image"]))
    among_six, among_three = discriminator(images(), None).image, discriminator(images()[:3], None).image
    assert discriminator.normalises_batches
    assert not torch.allclose(among_six[:3], among_three)


@pytest.mark.parametrize("kind", ["dcgan", "alexnet"])
def test_recomputed_activations_give_the_same_gradients(kind: str) -> None:
    def gradients(recompute: bool) -> list[Tensor]:
        network = seeded({**TRUNKS, "dcgan": GENERATORS["dcgan"]}[kind])
        if recompute:
            recompute_blocks(network)
        network(latents() if kind == "dcgan" else images()).square().sum().backward()
        return [parameter.grad for parameter in network.parameters()]

    assert all(torch.equal(a, b) for a, b in zip(gradients(True), gradients(False), strict=True))


@pytest.mark.parametrize(("size", "count"), [(8, 1), (28, 2), (32, 3), (64, 4), (96, 4), (112, 4), (128, 5)])
def test_sizes_are_halved_to_a_map_of_4_to_7_pixels(size: int, count: int) -> None:
    assert halvings(size) == count


@pytest.mark.parametrize("size", [4, 7, 15, 18, 30, 84])
@pytest.mark.parametrize("build", [lambda size: DCGANGenerator(1, Z, size, 2, True), lambda size: halvings(size)])
def test_other_sizes_are_refused(build: Callable[[int], object], size: int) -> None:
    with pytest.raises(ValueError, match=f'image size {size} for "dcgan": must be 4, 5, 6 or 7 times'):
        build(size)


@pytest.mark.parametrize("scores", [[], ["latent"], ["image", "joint"]])
@pytest.mark.parametrize("kind", DISCRIMINATORS)
def test_other_scores_are_refused(kind: str, scores: list[str]) -> None:
    with pytest.raises(ValueError, match=f'scores of the discriminator "{kind}"'):
        DISCRIMINATORS[kind](scores)


def test_alexnet_refuses_a_width_that_its_groups_do_not_divide() -> None:
    with pytest.raises(ValueError, match="multiple of 6"):
        AlexNet(3, 64, 32)

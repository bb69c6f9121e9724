"""Each section refuses what cannot work, by the key, what was given and what is allowed."""

import copy
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.artifacts.errors import UserError
from components.artifacts.parameters import (
    Augmentation,
    Condition,
    CropAugmentation,
    Image,
    Parameters,
    Recipe,
    Register,
    Train,
    build,
    load,
    load_together,
)
from tests.unit.toy_model import with_values

GOOD: dict[str, Any] = {
    "image": {"size": 32, "channels": 3},
    "prepare": {
        "split_seed": 0,
        "validation_fraction": 0.1,
        "test_fraction": 0.2,
        "maximum_rejected_fraction": 0.0,
        "duplicates_across_splits": "refuse",
        "shard_images": 10,
    },
    "model": {
        "latent": {"size": 12, "distribution": "normal"},
        "generator": {
            "kind": "biggan",
            "image_size": 32,
            "channels": 4,
            "multipliers": [4, 2, 1],
            "embedding_size": 8,
            "attention_resolution": 16,
        },
        "encoder": {
            "image_size": 16,
            "trunk": {"kind": "basic_resnet", "channels": 4, "multipliers": [1, 2], "stem_kernel": 3},
            "head_width": None,
            "head_layers": 0,
            "sigma": "softplus",
            "sigma_bias": -2.0,
            "output": "linear",
        },
        "discriminator": {
            "kind": "bigbigan",
            "channels": 4,
            "multipliers": [1, 2, 4],
            "downsampling_blocks": 2,
            "attention_resolution": 8,
            "head_width": 16,
            "head_layers": 2,
            "scores": ["joint", "image"],
        },
    },
    "objective": {
        "adversarial": "hinge",
        "average_scores": False,
        "latent_regression_encoder": 0.0,
        "latent_regression_generator": 0.0,
        "reconstruction_l1": 0.0,
        "reconstruction_l2": 0.0,
    },
    "augmentation": {"kind": "shift", "shift": 0, "flip": False, "generated": True},
    "train": {
        "seed": 0,
        "steps": 10,
        "batch_size": 4,
        "accumulation_steps": 2,
        "discriminator_steps": 2,
        "simultaneous": False,
        "lr": 1e-3,
        "generator_lr_ratio": 0.5,
        "encoder_lr_ratio": 0.0,
        "beta1": 0.0,
        "beta2": 0.999,
        "eps": 1e-6,
        "weight_decay": 0.0,
        "warmup_steps": 0,
        "decay_fraction": 1.0,
        "decay_to": 0.0,
        "decay_shape": "linear",
        "ema_decay": 0.99,
        "precision": "fp32",
        "recompute_activations": False,
        "standing_batches": 1,
    },
    "monitoring": {"log_interval": 1, "sample_interval": 1, "checkpoint_interval": 1, "checkpoints_kept": 1},
    "feature_network": {
        "kind": "trained",
        "inception_weights": None,
        "inception_sha256": None,
        "seed": 0,
        "channels": 4,
        "feature_size": 8,
        "steps": 1,
        "batch_size": 2,
        "lr": 0.1,
        "shift": 0,
    },
    "evaluate_representation": {
        "seed": 0,
        "l2_penalties": [0.1],
        "neighbours": [1],
        "labels_per_class": [],
        "labels_percent": [],
        "low_label_draws": 1,
        "batch_size": 1,
    },
    "evaluate_generation": {
        "seed": 0,
        "samples": 10,
        "inception_score_splits": 10,
        "precision_recall_neighbours": 3,
        "density_coverage_neighbours": 5,
        "pairwise_images": 10,
        "kernel_distance_subsets": 1,
        "kernel_distance_subset_size": 2,
        "frechet_groups": 4,
        "memorisation_images": 0,
        "batch_size": 1,
        "sheet_images": 2,
        "interpolation_steps": 2,
    },
    "register": {"name": "bigbigan", "gate": {}},
}
# The other kinds of the sections that have several.
DCGAN_G = {"kind": "dcgan", "image_size": 16, "channels": 4, "repeat_latent": True}
MLP_G = {"kind": "mlp", "image_size": 16, "width": 4}
RESNET = {"kind": "resnet", "layers": 50, "width": 1}
REVNET = {"kind": "revnet", "width": 1}
ALEXNET = {"kind": "alexnet", "channels": 6}
MLP_TRUNK = {"kind": "mlp", "width": 4}
DCGAN_D = {"kind": "dcgan", "channels": 4, "scores": ["joint"]}
MLP_D = {"kind": "mlp", "width": 4, "scores": ["image"]}
CROP = {"kind": "crop", "minimum_area": 1.0, "aspect": 1.0, "flip": True, "generated": False}
GAN = {"model__encoder": None, "model__discriminator__scores": ["image"]}
AUTOENCODER = {"model__discriminator": None, "objective__adversarial": "none"}


def changed(**changes: Any) -> dict[str, Any]:
    """GOOD with some values replaced; keys are written with a double underscore for a dot."""
    return with_values(GOOD, {key.replace("__", "."): value for key, value in changes.items()})


def refusal(content: Any) -> str:
    with pytest.raises(UserError) as caught:
        build(Parameters, content, "")
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


def test_the_good_ones_are_taken_at_the_edges_of_what_is_allowed():
    parameters = build(Parameters, GOOD, "")
    assert parameters.model.generator.multipliers == [4, 2, 1]
    assert parameters.evaluate_representation.labels_per_class == []


@pytest.mark.parametrize(
    ("section", "content"),
    [
        ("model__generator", DCGAN_G | {"image_size": 32}),
        ("model__generator", MLP_G | {"image_size": 32}),
        ("model__encoder__trunk", RESNET),
        ("model__encoder__trunk", RESNET | {"layers": 101}),
        ("model__encoder__trunk", REVNET),
        ("model__encoder__trunk", ALEXNET),
        ("model__encoder__trunk", MLP_TRUNK),
        ("model__discriminator", DCGAN_D),
        ("model__discriminator", DCGAN_D | {"scores": ["joint"]}),
        ("model__discriminator", MLP_D | {"scores": ["joint"]}),
        ("augmentation", CROP),
    ],
    ids=lambda value: value.get("kind") if isinstance(value, dict) else value,
)
def test_a_section_becomes_the_class_of_its_kind(section, content):
    built = build(Parameters, changed(**{section: content}), "")
    for name in section.split("__"):
        built = getattr(built, name)
    assert built.kind == content["kind"]
    assert asdict(built) == content


@pytest.mark.parametrize(
    "changes",
    [
        GAN,
        AUTOENCODER | {"objective__reconstruction_l1": 1},
        AUTOENCODER | {"objective__reconstruction_l2": 1},
        {"model__discriminator__scores": ["latent"], "objective__reconstruction_l2": 1},
        {
            "model__discriminator__scores": ["image"],
            "model__encoder__sigma": "none",
            "objective__latent_regression_encoder": 1,
        },
        {"model__discriminator__scores": ["image"], "objective__reconstruction_l1": 1},
        {"objective__latent_regression_encoder": 1, "objective__latent_regression_generator": 1},
        {"model__encoder__output": "tanh", "model__latent__distribution": "uniform"},
        {"model__generator": MLP_G, "augmentation__generated": False},
        {"train__simultaneous": True, "train__discriminator_steps": 1},
        {"train__decay_shape": "exponential", "train__decay_to": 1},
    ],
    ids=str,
)
def test_methods_that_differ_from_bigbigan_are_taken(changes):
    build(Parameters, changed(**changes), "")


BIGGAN_SIZES = ("image_size", "channels", "embedding_size")
WEIGHTS = ("latent_regression_encoder", "latent_regression_generator", "reconstruction_l1", "reconstruction_l2")

# Each row: keys and values, the key that the refusal starts with, what it quotes as given, a part of what is allowed.
REFUSED: list[tuple[dict[str, Any], str, str, str]] = [
    ({"image__size": 7}, "image.size", "7", "at least 8"),
    ({"image__channels": 2}, "image.channels", "2", "1, 3"),
    ({"prepare__split_seed": -1}, "prepare.split_seed", "-1", "0 to 2**63 - 1"),
    ({"prepare__validation_fraction": -0.1}, "prepare.validation_fraction", "-0.1", "at least 0 and less than 1"),
    ({"prepare__validation_fraction": 1.0}, "prepare.validation_fraction", "1.0", "at least 0 and less than 1"),
    ({"prepare__test_fraction": 1.5}, "prepare.test_fraction", "1.5", "at least 0 and less than 1"),
    ({"prepare__test_fraction": 0.9}, "prepare.test_fraction", "0.9", "less than 1 - prepare.validation_fraction"),
    ({"prepare__maximum_rejected_fraction": 1}, "prepare.maximum_rejected_fraction", "1.0", "less than 1"),
    ({"prepare__shard_images": 0}, "prepare.shard_images", "0", "more than 0"),
    ({"model__latent__size": 0}, "model.latent.size", "0", "more than 0"),
    ({"model__latent__size": 13}, "model.latent.size", "13", "a multiple of 3"),
    ({"model__latent__distribution": "cauchy"}, "model.latent.distribution", "cauchy", "normal, uniform"),
    *(({"model__generator__" + key: 0}, f"model.generator.{key}", "0", "more than 0") for key in BIGGAN_SIZES),
    ({"model__generator__multipliers": [4]}, "model.generator.multipliers", "[4]", "two or more positive"),
    ({"model__generator__multipliers": []}, "model.generator.multipliers", "[]", "two or more positive"),
    ({"model__generator__multipliers": [4, 0, 1]}, "model.generator.multipliers", "[4, 0, 1]", "two or more positive"),
    ({"model__generator__attention_resolution": 8}, "model.generator.attention_resolution", "8", "0, 32, 16"),
    ({"model__generator__image_size": 34}, "model.generator.image_size", "34", "a multiple of 4, at least 8"),
    ({"model__generator__image_size": 4}, "model.generator.image_size", "4", "a multiple of 4, at least 8"),
    ({"model__generator__image_size": 20}, "model.generator.attention_resolution", "16", "0, 20, 10"),
    ({"model__generator": DCGAN_G | {"image_size": 0}}, "model.generator.image_size", "0", "more than 0"),
    ({"model__generator": DCGAN_G | {"channels": 0}}, "model.generator.channels", "0", "more than 0"),
    *(
        ({"model__generator": DCGAN_G | {"image_size": size}}, "model.generator.image_size", str(size), "4, 5, 6 or 7")
        for size in (4, 7, 9, 36)
    ),
    ({"model__generator": MLP_G | {"image_size": 0}}, "model.generator.image_size", "0", "more than 0"),
    ({"model__generator": MLP_G | {"width": 0}}, "model.generator.width", "0", "more than 0"),
    ({"model__generator__kind": "vae"}, "model.generator.kind", "vae", "biggan, dcgan, mlp"),
    ({"model__encoder__image_size": 0}, "model.encoder.image_size", "0", "more than 0"),
    ({"model__encoder__head_width": 0}, "model.encoder.head_width", "0", "null with model.encoder.head_layers: 0"),
    ({"model__encoder__head_width": 16}, "model.encoder.head_width", "16", "null with model.encoder.head_layers: 0"),
    ({"model__encoder__head_layers": 1}, "model.encoder.head_width", "null", "else more than 0"),
    ({"model__encoder__head_layers": -1}, "model.encoder.head_layers", "-1", "0 or more"),
    ({"model__encoder__sigma": "relu"}, "model.encoder.sigma", "relu", "softplus, exp, none"),
    ({"model__encoder__output": "relu"}, "model.encoder.output", "relu", "linear, tanh"),
    ({"model__encoder__output": "tanh"}, "model.latent.distribution", "normal", "uniform, because model.encoder.outp"),
    ({"model__encoder__trunk__channels": 0}, "model.encoder.trunk.channels", "0", "more than 0"),
    ({"model__encoder__trunk__multipliers": []}, "model.encoder.trunk.multipliers", "[]", "one or more positive"),
    ({"model__encoder__trunk__multipliers": [0]}, "model.encoder.trunk.multipliers", "[0]", "one or more positive"),
    ({"model__encoder__trunk__stem_kernel": 4}, "model.encoder.trunk.stem_kernel", "4", "an odd number"),
    ({"model__encoder__trunk__stem_kernel": -1}, "model.encoder.trunk.stem_kernel", "-1", "an odd number"),
    ({"model__encoder__trunk": RESNET | {"layers": 18}}, "model.encoder.trunk.layers", "18", "50, 101"),
    ({"model__encoder__trunk": RESNET | {"width": 0}}, "model.encoder.trunk.width", "0", "more than 0"),
    ({"model__encoder__trunk": REVNET | {"width": 0}}, "model.encoder.trunk.width", "0", "more than 0"),
    ({"model__encoder__trunk": ALEXNET | {"channels": 0}}, "model.encoder.trunk.channels", "0", "6, 12, 18"),
    ({"model__encoder__trunk": ALEXNET | {"channels": 64}}, "model.encoder.trunk.channels", "64", "6, 12, 18"),
    ({"model__encoder__trunk": MLP_TRUNK | {"width": 0}}, "model.encoder.trunk.width", "0", "more than 0"),
    ({"model__encoder__trunk__kind": "vit"}, "model.encoder.trunk.kind", "vit", "basic_resnet, resnet, revnet, alexn"),
    ({"model__discriminator__channels": -1}, "model.discriminator.channels", "-1", "more than 0"),
    ({"model__discriminator__head_width": 0}, "model.discriminator.head_width", "0", "more than 0"),
    ({"model__discriminator__head_layers": 0}, "model.discriminator.head_layers", "0", "more than 0"),
    ({"model__discriminator__multipliers": []}, "model.discriminator.multipliers", "[]", "one or more positive"),
    ({"model__discriminator__multipliers": [1, -1]}, "model.discriminator.multipliers", "[1, -1]", "one or more"),
    ({"model__discriminator__downsampling_blocks": 4}, "model.discriminator.downsampling_blocks", "4", "0 to the"),
    ({"model__discriminator__downsampling_blocks": -1}, "model.discriminator.downsampling_blocks", "-1", "0 to the"),
    (
        {"model__discriminator__multipliers": [1] * 6, "model__discriminator__downsampling_blocks": 6},
        "model.discriminator.downsampling_blocks",
        "6",
        "0 to 5: each halves what D sees, model.generator.image_size, which is 32",
    ),
    (
        {"model__discriminator__attention_resolution": 32},
        "model.discriminator.attention_resolution",
        "32",
        "0, 16, 8",
    ),
    (
        {
            "model__discriminator__multipliers": [1] * 5,
            "model__discriminator__downsampling_blocks": 5,
            "model__discriminator__attention_resolution": 1,
        },
        "model.discriminator.attention_resolution",
        "1",
        "0, 16, 8, 4, 2",
    ),
    *(
        ({"model__discriminator__scores": given}, "model.discriminator.scores", str(given), "one or more of image, la")
        for given in ([], ["pair"], ["image", "image"])
    ),
    *(
        ({"model__discriminator": d | {"scores": given}}, "model.discriminator.scores", str(given), "[image] or [joint")
        for d in (DCGAN_D, MLP_D)
        for given in ([], ["latent"], ["image", "joint"])
    ),
    ({"model__discriminator": DCGAN_D | {"channels": 0}}, "model.discriminator.channels", "0", "more than 0"),
    ({"model__discriminator": MLP_D | {"width": 0}}, "model.discriminator.width", "0", "more than 0"),
    ({"model__discriminator__kind": "vit"}, "model.discriminator.kind", "vit", "bigbigan, dcgan, mlp"),
    (
        {"model__generator": MLP_G | {"image_size": 4}, "model__discriminator": DCGAN_D},
        "model.generator.image_size",
        "4",
        "4, 5, 6 or 7 times 2, 4, 8, ...: model.discriminator.kind is dcgan",
    ),
    (
        {"model__encoder": None, "model__discriminator": None},
        "model.encoder",
        "null",
        "a section, because model.discriminator is null",
    ),
    (
        {"model__encoder": None},
        "model.discriminator.scores",
        "['joint', 'image']",
        "[image], because model.encoder is null",
    ),
    ({"model__encoder__image_size": 24}, "model.encoder.image_size", "24", "a divisor of image.size, which is 32"),
    ({"model__encoder__image_size": 64}, "model.encoder.image_size", "64", "a divisor of image.size, which is 32"),
    ({"image__size": 16, "model__encoder__image_size": 16}, "model.generator.image_size", "32", "a divisor of image.s"),
    ({"objective__adversarial": "wgan"}, "objective.adversarial", "wgan", "hinge, hinge_of_sum, softplus, none"),
    ({"objective__adversarial": "none"}, "objective.adversarial", "none", "hinge, hinge_of_sum or softplus"),
    ({"model__discriminator": None}, "objective.adversarial", "hinge", "none, because model.discriminator is null"),
    *(({f"objective__{name}": -1}, f"objective.{name}", "-1.0", "0 or more") for name in WEIGHTS),
    *((GAN | {f"objective__{name}": 1}, f"objective.{name}", "1.0", "0, because model.encoder is") for name in WEIGHTS),
    (AUTOENCODER, "objective.reconstruction_l1", "0.0", "more than 0 (or objective.reconstruction_l2): nothing else"),
    (
        {"model__discriminator__scores": ["latent"]},
        "objective.reconstruction_l1",
        "0.0",
        "more than 0 (or objective.reconstruction_l2): nothing else",
    ),
    (
        {"model__discriminator__scores": ["image"]},
        "objective.latent_regression_encoder",
        "0.0",
        "nothing else teaches E",
    ),
    (
        {"model__discriminator__scores": ["image"], "objective__latent_regression_encoder": 1},
        "model.encoder.sigma",
        "softplus",
        "none, because latent regression, which alone teaches E, asks for its mean",
    ),
    (
        {
            "objective__latent_regression_encoder": 1,
            "model__encoder__image_size": 32,
            "model__generator__image_size": 16,
            "model__generator__attention_resolution": 0,
            "augmentation__generated": False,
        },
        "model.encoder.image_size",
        "32",
        "a divisor of model.generator.image_size, which is 16: E is shown what G makes",
    ),
    (
        {
            "image__size": 8,
            "model__encoder__image_size": 8,
            "model__generator": DCGAN_G | {"image_size": 8},
            "model__discriminator": DCGAN_D,
        },
        "model.generator.image_size",
        "8",
        "16 or more: in a smaller D",
    ),
    (
        {"objective__latent_regression_generator": 1},
        "objective.latent_regression_generator",
        "1.0",
        "0, because objective.latent_regression_encoder is 0",
    ),
    ({"augmentation__kind": "zoom"}, "augmentation.kind", "zoom", "shift, crop"),
    ({"augmentation__kind": None}, "augmentation.kind", "null", "shift, crop"),
    ({"augmentation__kind": ["crop"]}, "augmentation.kind", "['crop']", "shift, crop"),
    ({"augmentation__shift": -1}, "augmentation.shift", "-1", "0 or more pixels"),
    ({"augmentation": CROP | {"minimum_area": 0}}, "augmentation.minimum_area", "0.0", "more than 0, at most 1"),
    ({"augmentation": CROP | {"minimum_area": 1.1}}, "augmentation.minimum_area", "1.1", "more than 0, at most 1"),
    ({"augmentation": CROP | {"aspect": 0.9}}, "augmentation.aspect", "0.9", "1 or more"),
    (
        {"model__generator": MLP_G},
        "augmentation.generated",
        "true",
        "false, because model.generator.image_size is not image.size",
    ),
    ({"train__seed": -1}, "train.seed", "-1", "0 to 2**63 - 1"),
    ({"train__seed": 2**63}, "train.seed", str(2**63), "0 to 2**63 - 1"),
    ({"train__steps": 0}, "train.steps", "0", "more than 0"),
    ({"train__batch_size": 0}, "train.batch_size", "0", "2 or more images: batch normalisation needs them"),
    ({"train__accumulation_steps": 0}, "train.accumulation_steps", "0", "more than 0"),
    ({"train__accumulation_steps": 3}, "train.accumulation_steps", "3", "a divisor of train.batch_size, which is 4"),
    ({"train__accumulation_steps": 4}, "train.accumulation_steps", "4", "that leaves 2 or more images"),
    ({"train__simultaneous": True}, "train.discriminator_steps", "2", "1, because train.simultaneous is true"),
    ({"train__weight_decay": -0.1}, "train.weight_decay", "-0.1", "0 or more"),
    ({"train__decay_to": -0.1}, "train.decay_to", "-0.1", "between 0 and 1"),
    ({"train__decay_to": 1.1}, "train.decay_to", "1.1", "between 0 and 1"),
    ({"train__decay_shape": "cosine"}, "train.decay_shape", "cosine", "linear, exponential"),
    ({"train__decay_shape": "exponential"}, "train.decay_to", "0.0", "more than 0, because train.decay_shape is exp"),
    ({"train__precision": "fp8"}, "train.precision", "fp8", "fp32, tf32, bf16, fp16"),
    ({"train__batch_size": 1}, "train.batch_size", "1", "2 or more"),
    ({"train__discriminator_steps": 0}, "train.discriminator_steps", "0", "more than 0"),
    ({"train__lr": 0}, "train.lr", "0.0", "more than 0"),
    ({"train__eps": -1e-9}, "train.eps", "-1e-09", "more than 0"),
    ({"train__standing_batches": 0}, "train.standing_batches", "0", "more than 0"),
    ({"train__generator_lr_ratio": -0.5}, "train.generator_lr_ratio", "-0.5", "0 or more"),
    ({"train__encoder_lr_ratio": -0.5}, "train.encoder_lr_ratio", "-0.5", "0 or more"),
    ({"train__beta1": 1.0}, "train.beta1", "1.0", "less than 1"),
    ({"train__beta2": -0.1}, "train.beta2", "-0.1", "at least 0"),
    ({"train__ema_decay": 1.0}, "train.ema_decay", "1.0", "less than 1"),
    ({"train__warmup_steps": -1}, "train.warmup_steps", "-1", "0 or more"),
    ({"train__decay_fraction": -0.1}, "train.decay_fraction", "-0.1", "between 0 and 1"),
    ({"train__decay_fraction": 1.1}, "train.decay_fraction", "1.1", "between 0 and 1"),
    ({"monitoring__log_interval": 0}, "monitoring.log_interval", "0", "more than 0"),
    ({"monitoring__sample_interval": 0}, "monitoring.sample_interval", "0", "more than 0"),
    ({"monitoring__checkpoint_interval": 0}, "monitoring.checkpoint_interval", "0", "more than 0"),
    ({"monitoring__checkpoints_kept": 0}, "monitoring.checkpoints_kept", "0", "more than 0"),
    ({"feature_network__kind": "vgg"}, "feature_network.kind", "vgg", "trained, effnet_lite0, inception"),
    ({"feature_network__kind": "inception"}, "feature_network.inception_weights", "null", "the path of a weights file"),
    (
        {"feature_network__kind": "inception", "feature_network__inception_weights": ""},
        "feature_network.inception_weights",
        "",
        "the path of a weights file",
    ),
    (
        {"feature_network__kind": "inception", "feature_network__inception_weights": "x.safetensors"},
        "feature_network.inception_sha256",
        "null",
        "the 64 digits of the weights file's sha256",
    ),
    ({"feature_network__seed": -1}, "feature_network.seed", "-1", "0 to 2**63 - 1"),
    ({"feature_network__channels": 0}, "feature_network.channels", "0", "more than 0"),
    ({"feature_network__feature_size": 0}, "feature_network.feature_size", "0", "more than 0"),
    ({"feature_network__steps": 0}, "feature_network.steps", "0", "more than 0"),
    ({"feature_network__batch_size": 0}, "feature_network.batch_size", "0", "more than 0"),
    ({"feature_network__lr": 0.0}, "feature_network.lr", "0.0", "more than 0"),
    ({"feature_network__shift": -1}, "feature_network.shift", "-1", "0 or more"),
    ({"evaluate_representation__seed": -1}, "evaluate_representation.seed", "-1", "0 to 2**63 - 1"),
    ({"evaluate_representation__l2_penalties": []}, "evaluate_representation.l2_penalties", "[]", "positive numbers"),
    (
        {"evaluate_representation__l2_penalties": [1, 0]},
        "evaluate_representation.l2_penalties",
        "[1.0, 0.0]",
        "positive",
    ),
    ({"evaluate_representation__neighbours": []}, "evaluate_representation.neighbours", "[]", "positive numbers"),
    ({"evaluate_representation__neighbours": [0]}, "evaluate_representation.neighbours", "[0]", "positive numbers"),
    ({"evaluate_representation__labels_per_class": [0]}, "evaluate_representation.labels_per_class", "[0]", "positive"),
    ({"evaluate_representation__labels_percent": [0]}, "evaluate_representation.labels_percent", "[0]", "positive"),
    ({"evaluate_representation__labels_percent": [100]}, "evaluate_representation.labels_percent", "[100]", "1 to 99"),
    ({"evaluate_representation__low_label_draws": 0}, "evaluate_representation.low_label_draws", "0", "more than 0"),
    ({"evaluate_representation__batch_size": 0}, "evaluate_representation.batch_size", "0", "more than 0"),
    ({"evaluate_generation__seed": -1}, "evaluate_generation.seed", "-1", "0 to 2**63 - 1"),
    ({"evaluate_generation__samples": 0}, "evaluate_generation.samples", "0", "more than 0"),
    ({"evaluate_generation__samples": 9}, "evaluate_generation.samples", "9", "at least 10: "),
    (
        {"evaluate_generation__precision_recall_neighbours": 10},
        "evaluate_generation.samples",
        "10",
        "at least 11: evaluate_generation.inception_score_splits is 10",
    ),
    (
        {"evaluate_generation__inception_score_splits": 0},
        "evaluate_generation.inception_score_splits",
        "0",
        "more than",
    ),
    (
        {"evaluate_generation__precision_recall_neighbours": 0},
        "evaluate_generation.precision_recall_neighbours",
        "0",
        "more than 0",
    ),
    (
        {"evaluate_generation__density_coverage_neighbours": 0},
        "evaluate_generation.density_coverage_neighbours",
        "0",
        "more than 0",
    ),
    ({"evaluate_generation__pairwise_images": 5}, "evaluate_generation.pairwise_images", "5", "at least 6, for"),
    (
        {"evaluate_generation__kernel_distance_subset_size": 11},
        "evaluate_generation.pairwise_images",
        "10",
        "at least 11, for",
    ),
    (
        {"evaluate_generation__kernel_distance_subset_size": 1},
        "evaluate_generation.kernel_distance_subset_size",
        "1",
        "2 or more",
    ),
    ({"evaluate_generation__kernel_distance_subsets": 0}, "evaluate_generation.kernel_distance_subsets", "0", "more"),
    ({"evaluate_generation__frechet_groups": 3}, "evaluate_generation.frechet_groups", "3", "a number with divisors"),
    ({"evaluate_generation__memorisation_images": -1}, "evaluate_generation.memorisation_images", "-1", "0 or more"),
    ({"evaluate_generation__batch_size": 0}, "evaluate_generation.batch_size", "0", "more than 0"),
    ({"evaluate_generation__sheet_images": 1}, "evaluate_generation.sheet_images", "1", "2 or more"),
    ({"evaluate_generation__interpolation_steps": 1}, "evaluate_generation.interpolation_steps", "1", "2 or more"),
    (
        {"register__gate": {"fid": {"better_than_champion": "up"}}},
        "register.gate.fid.better_than_champion",
        "up",
        "null, higher, lower",
    ),
    ({"register__gate": {"fid": {}}}, "register.gate.fid", "without a condition", "at_least, at_most"),
    ({"register__gate": {"fid": {"at_most": None}}}, "register.gate.fid", "without a condition", "at_least, at_most"),
]


@pytest.mark.parametrize(("changes", "key", "given", "allowed"), REFUSED, ids=lambda value: str(value)[:40])
def test_a_value_that_cannot_work_is_refused(changes, key, given, allowed):
    message = refusal(changed(**changes))
    assert message.startswith(f"{key} is {given}; allowed: ")
    assert allowed in message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train__steps": True}, "train.steps is true, but it must be of type int"),
        ({"train__steps": 10.0}, "train.steps is 10.0, but it must be of type int"),
        ({"train__steps": "10"}, "train.steps is '10', but it must be of type int"),
        ({"train__steps": None}, "train.steps is null, but it must be of type int"),
        ({"train__steps": [10]}, "train.steps is [10], but it must be of type int"),
        ({"train__lr": True}, "train.lr is true, but it must be of type float"),
        ({"train__lr": "1e-3"}, "train.lr is '1e-3', but it must be of type float"),
        ({"train__lr": math.nan}, "train.lr is nan, but it must be a finite number"),
        ({"train__lr": math.inf}, "train.lr is inf, but it must be a finite number"),
        ({"model__encoder__sigma_bias": -math.inf}, "model.encoder.sigma_bias is -inf, but it must be a finite number"),
        ({"augmentation__flip": 1}, "augmentation.flip is 1, but it must be of type bool"),
        ({"augmentation__flip": "yes"}, "augmentation.flip is 'yes', but it must be of type bool"),
        ({"model__latent__distribution": 1}, "model.latent.distribution is 1, but it must be of type str"),
        (
            {"model__generator__multipliers": 1},
            "model.generator.multipliers is 1, but it must be of type list[int]",
        ),
        (
            {"model__generator__multipliers": "12"},
            "model.generator.multipliers is '12', but it must be of type list[int]",
        ),
        (
            {"model__generator__multipliers": [1, 2.0]},
            "model.generator.multipliers[1] is 2.0, but it must be of type int",
        ),
        (
            {"model__generator__multipliers": [True]},
            "model.generator.multipliers[0] is true, but it must be of type int",
        ),
        (
            {"evaluate_representation__l2_penalties": [0.1, "x"]},
            "evaluate_representation.l2_penalties[1] is 'x', but it must be of type float",
        ),
        (
            {"feature_network__inception_weights": 5},
            "feature_network.inception_weights is 5, but it must be of type str",
        ),
        ({"model__encoder__trunk": None}, "model.encoder.trunk is null, but it is a section: give its keys one by one"),
        ({"augmentation": [1]}, "augmentation is [1], but it is a section: give its keys one by one"),
        ({"image": 28}, "image is 28, but it is a section: give its keys one by one"),
        ({"register__gate": []}, "register.gate is [], but it must be of type dict[str, typing.Any]"),
        ({"register__gate": {"fid": 3}}, "register.gate.fid is 3, but it is a section: give its keys one by one"),
        (
            {"register__gate": {"fid": {"at_most": "3"}}},
            "register.gate.fid.at_most is '3', but it must be of type float",
        ),
        (
            {"register__gate": {"fid": {"at_must": 3}}},
            "register.gate.fid.at_must is not a parameter; register.gate.fid has: at_least, at_most, "
            "better_than_champion",
        ),
        ({"image__colour": 1}, "image.colour is not a parameter; image has: size, channels"),
        (
            {"trian": {}},
            "trian is not a parameter; there are: image, prepare, model, objective, augmentation, train, monitoring, "
            "feature_network, evaluate_representation, evaluate_generation, register",
        ),
        ({"model__latent": None}, "model.latent is null, but it is a section: give its keys one by one"),
        ({"model__generator": None}, "model.generator is null, but it is a section: give its keys one by one"),
        ({"model__encoder": "small"}, "model.encoder is 'small', but it is a section: give its keys one by one"),
        (
            {"model__discriminator": False},
            "model.discriminator is false, but it is a section: give its keys one by one",
        ),
        (
            {"augmentation__minimum_area": 0.5},
            "augmentation.minimum_area is not a parameter of kind shift; "
            "augmentation has: kind, shift, flip, generated",
        ),
        (
            {"model__encoder__trunk__kind": "mlp"},
            "model.encoder.trunk.channels is not a parameter of kind mlp; model.encoder.trunk has: kind, width",
        ),
        (
            {"model__discriminator": DCGAN_D | {"width": 3}},
            "model.discriminator.width is not a parameter of kind dcgan; "
            "model.discriminator has: kind, channels, scores",
        ),
    ],
)
def test_a_wrong_type_or_an_unknown_key_is_refused(changes, message):
    assert refusal(changed(**changes)) == message


def test_the_first_unknown_key_is_named():
    assert refusal(changed(**{f"image__key{n}": 0 for n in range(9)})).startswith("image.key0 is not a parameter")


def all_keys(mapping: dict[str, Any], *above: str) -> list[tuple[str, ...]]:
    found = []
    for key, value in mapping.items():
        found += [(*above, key)] + (all_keys(value, *above, key) if isinstance(value, dict) else [])
    return found


@pytest.mark.parametrize("keys", all_keys(GOOD), ids=".".join)
def test_there_are_no_defaults_and_a_missing_key_is_named(keys):
    content = copy.deepcopy(GOOD)
    parent = content
    for key in keys[:-1]:
        parent = parent[key]
    del parent[keys[-1]]
    message = refusal(content)
    assert message.partition(";")[0] == f"{'.'.join(keys)} is missing"
    assert keys[-1] != "kind" or keys[0] == "feature_network" or "; allowed: " in message


def test_a_whole_number_will_do_for_a_float_and_becomes_one():
    lr = build(Parameters, changed(train__lr=1), "").train.lr
    assert isinstance(lr, float)
    assert lr == 1.0


def test_a_number_that_no_float_can_hold_is_refused():
    assert refusal(changed(train__lr=10**400)).endswith("but it must be a finite number")


def test_a_metric_that_is_null_is_not_in_the_gate():
    register = build(Register, {"name": "x", "gate": {"fid": None, "m": {"at_least": 1}}}, "")
    assert register.gate == {"m": Condition(at_least=1.0)}


def test_conditions_that_are_not_named_are_none():
    register = build(Register, {"name": "x", "gate": {"fid": {"at_most": 3, "better_than_champion": "lower"}}}, "")
    assert register.gate == {"fid": Condition(at_least=None, at_most=3.0, better_than_champion="lower")}


# --------------------------------------------------------------------------------------------------- load


@pytest.fixture
def resolved(tmp_path: Path) -> Path:
    (tmp_path / "resolved.yaml").write_text(yaml.safe_dump(GOOD))
    return tmp_path / "resolved.yaml"


def test_sections_are_loaded_in_the_order_asked(resolved):
    train, image = load(resolved, train=Train, image=Image)
    assert image == Image(size=32, channels=3)
    assert train.beta2 == 0.999


def test_sections_that_must_fit_each_other_are_loaded_together(resolved):
    recipe = load_together(resolved, Recipe)
    assert recipe == build(Parameters, GOOD, "").recipe()
    resolved.write_text(yaml.safe_dump(changed(model__generator=MLP_G)))
    with pytest.raises(UserError, match=r"^augmentation\.generated is true; allowed: false"):
        load_together(resolved, Recipe)


def test_a_section_of_several_kinds_is_loaded(resolved):
    resolved.write_text(yaml.safe_dump(changed(augmentation=CROP)))
    (augmentation,) = load(resolved, augmentation=Augmentation)
    assert augmentation == CropAugmentation("crop", 1.0, 1.0, True, False)


def test_a_step_does_not_mind_what_is_wrong_in_another_section(resolved):
    resolved.write_text(yaml.safe_dump(changed(train__lr="x")))
    assert load(resolved, image=Image) == (Image(size=32, channels=3),)


@pytest.mark.parametrize("content", ["", "just text", "- image", "train: {}"])
def test_a_missing_section_is_named(resolved, content):
    resolved.write_text(content)
    with pytest.raises(UserError, match=r"resolved\.yaml has no section image: make it anew"):
        load(resolved, image=Image)


def test_several_missing_sections_are_named_together(resolved):
    resolved.write_text("train: {}")
    with pytest.raises(UserError, match="has no section image, register"):
        load(resolved, image=Image, train=Train, register=Register)


def test_an_error_in_a_section_names_the_key(resolved):
    resolved.write_text("image: {size: 28, channels: one}")
    with pytest.raises(UserError, match=r"image\.channels is 'one'"):
        load(resolved, image=Image)


def test_a_missing_file_says_how_to_make_it(tmp_path):
    with pytest.raises(
        UserError, match=r"no\.yaml does not exist: `python -m components\.compose --output .*no\.yaml`"
    ):
        load(tmp_path / "no.yaml", image=Image)


@pytest.mark.parametrize("content", [b"image: [", b"image: {a: b\n c", b"image: \xff\x80", b"a: b: c", b"\x00"])
def test_what_is_not_yaml_is_refused_in_one_line(resolved, content):
    resolved.write_bytes(content)
    with pytest.raises(UserError, match=r"resolved\.yaml is not YAML") as caught:
        load(resolved, image=Image)
    assert len(str(caught.value).splitlines()) == 1


def test_yaml_that_would_run_code_is_refused(resolved):
    resolved.write_text("image: !!python/object/apply:os.getcwd []")
    with pytest.raises(UserError, match="is not YAML"):
        load(resolved, image=Image)

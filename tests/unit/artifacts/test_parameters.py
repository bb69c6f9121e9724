"""Each section refuses what cannot work, by the key, what was given and what is allowed."""

import copy
import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.artifacts.errors import UserError
from components.artifacts.parameters import Condition, Image, Parameters, Register, Train, build, load

GOOD: dict[str, Any] = {
    "image": {"size": 32, "channels": 3},
    "prepare": {
        "split_seed": 0,
        "validation_fraction": 0.1,
        "test_fraction": 0.2,
        "maximum_rejected_fraction": 0.0,
        "shard_images": 10,
    },
    "model": {
        "latent": {"size": 12, "distribution": "normal"},
        "generator": {"channels": 4, "multipliers": [4, 2, 1], "embedding_size": 8, "attention_resolution": 16},
        "discriminator": {
            "channels": 4,
            "multipliers": [1, 2, 4],
            "downsampling_blocks": 2,
            "attention_resolution": 8,
            "head_width": 16,
            "head_layers": 2,
            "image_unary": True,
            "latent_unary": False,
        },
        "encoder": {
            "channels": 4,
            "multipliers": [1, 2],
            "stem_kernel": 3,
            "head_width": 16,
            "head_layers": 2,
            "stochastic": True,
            "sigma_bias": -2.0,
        },
    },
    "train": {
        "seed": 0,
        "steps": 10,
        "batch_size": 2,
        "discriminator_steps": 2,
        "lr": 1e-3,
        "generator_lr_ratio": 0.5,
        "encoder_lr_ratio": 0.0,
        "beta1": 0.0,
        "beta2": 0.999,
        "eps": 1e-6,
        "warmup_steps": 0,
        "decay_fraction": 1.0,
        "ema_decay": 0.99,
        "augmentation": {"shift": 0, "flip": False, "generated": True},
        "standing_batches": 1,
    },
    "monitoring": {"log_interval": 1, "sample_interval": 1, "checkpoint_interval": 1, "checkpoints_kept": 1},
    "feature_network": {
        "kind": "trained",
        "inception_weights": None,
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
        "low_label_draws": 1,
        "batch_size": 1,
    },
    "evaluate_generation": {
        "seed": 0,
        "samples": 10,
        "inception_score_splits": 10,
        "precision_recall_neighbours": 3,
        "batch_size": 1,
        "sheet_images": 2,
        "interpolation_steps": 2,
    },
    "register": {"name": "bigbigan", "gate": {}},
}


def changed(**changes: Any) -> dict[str, Any]:
    """GOOD with some values replaced; keys are written with a double underscore for a dot."""
    content = copy.deepcopy(GOOD)
    for key, value in changes.items():
        *above, last = key.split("__")
        parent = content
        for name in above:
            parent = parent[name]
        parent[last] = value
    return content


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
    ({"model__generator__channels": 0}, "model.generator.channels", "0", "more than 0"),
    ({"model__generator__multipliers": [4]}, "model.generator.multipliers", "[4]", "two or more positive"),
    ({"model__generator__multipliers": []}, "model.generator.multipliers", "[]", "two or more positive"),
    ({"model__generator__multipliers": [4, 0, 1]}, "model.generator.multipliers", "[4, 0, 1]", "two or more positive"),
    ({"model__generator__embedding_size": 0}, "model.generator.embedding_size", "0", "more than 0"),
    (
        {"model__generator__attention_resolution": 8},
        "model.generator.attention_resolution",
        "8",
        "0, 32, 16",
    ),
    ({"model__discriminator__channels": -1}, "model.discriminator.channels", "-1", "more than 0"),
    ({"model__discriminator__multipliers": []}, "model.discriminator.multipliers", "[]", "one or more positive"),
    ({"model__discriminator__multipliers": [1, -1]}, "model.discriminator.multipliers", "[1, -1]", "one or more"),
    ({"model__discriminator__downsampling_blocks": 4}, "model.discriminator.downsampling_blocks", "4", "0 to the"),
    ({"model__discriminator__downsampling_blocks": -1}, "model.discriminator.downsampling_blocks", "-1", "0 to the"),
    (
        {"model__discriminator__multipliers": [1] * 6, "model__discriminator__downsampling_blocks": 6},
        "model.discriminator.downsampling_blocks",
        "6",
        "0 to 5: each halves image.size, which is 32",
    ),
    ({"model__discriminator__head_width": 0}, "model.discriminator.head_width", "0", "more than 0"),
    ({"model__discriminator__head_layers": 0}, "model.discriminator.head_layers", "0", "more than 0"),
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
    ({"model__encoder__channels": 0}, "model.encoder.channels", "0", "more than 0"),
    ({"model__encoder__multipliers": []}, "model.encoder.multipliers", "[]", "one or more positive"),
    ({"model__encoder__stem_kernel": 4}, "model.encoder.stem_kernel", "4", "an odd number"),
    ({"model__encoder__stem_kernel": -1}, "model.encoder.stem_kernel", "-1", "an odd number"),
    ({"model__encoder__head_width": 0}, "model.encoder.head_width", "0", "more than 0"),
    ({"model__encoder__head_layers": 0}, "model.encoder.head_layers", "0", "more than 0"),
    ({"image__size": 34}, "image.size", "34", "a multiple of 4"),
    (
        {"image__size": 8, "model__generator__multipliers": [1] * 4, "model__latent__size": 12},
        "image.size",
        "8",
        "a multiple of 8, at least 16",
    ),
    ({"train__seed": -1}, "train.seed", "-1", "0 to 2**63 - 1"),
    ({"train__seed": 2**63}, "train.seed", str(2**63), "0 to 2**63 - 1"),
    ({"train__steps": 0}, "train.steps", "0", "more than 0"),
    ({"train__batch_size": 0}, "train.batch_size", "0", "more than 0"),
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
    ({"train__decay_fraction": 1.1}, "train.decay_fraction", "1.1", "between 0 and 1"),
    ({"train__augmentation__shift": -1}, "train.augmentation.shift", "-1", "0 or more pixels"),
    ({"monitoring__log_interval": 0}, "monitoring.log_interval", "0", "more than 0"),
    ({"monitoring__sample_interval": 0}, "monitoring.sample_interval", "0", "more than 0"),
    ({"monitoring__checkpoint_interval": 0}, "monitoring.checkpoint_interval", "0", "more than 0"),
    ({"monitoring__checkpoints_kept": 0}, "monitoring.checkpoints_kept", "0", "more than 0"),
    ({"feature_network__kind": "vgg"}, "feature_network.kind", "vgg", "trained, inception"),
    ({"feature_network__kind": "inception"}, "feature_network.inception_weights", "None", "the path of a weights file"),
    (
        {"feature_network__kind": "inception", "feature_network__inception_weights": ""},
        "feature_network.inception_weights",
        "",
        "the path of a weights file",
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
        ({"train__steps": True}, "train.steps is True, but it must be of type int"),
        ({"train__steps": 10.0}, "train.steps is 10.0, but it must be of type int"),
        ({"train__steps": "10"}, "train.steps is '10', but it must be of type int"),
        ({"train__steps": None}, "train.steps is None, but it must be of type int"),
        ({"train__steps": [10]}, "train.steps is [10], but it must be of type int"),
        ({"train__lr": True}, "train.lr is True, but it must be of type float"),
        ({"train__lr": "1e-3"}, "train.lr is '1e-3', but it must be of type float"),
        ({"train__lr": math.nan}, "train.lr is nan, but it must be a finite number"),
        ({"train__lr": math.inf}, "train.lr is inf, but it must be a finite number"),
        ({"model__encoder__sigma_bias": -math.inf}, "model.encoder.sigma_bias is -inf, but it must be a finite number"),
        ({"train__augmentation__flip": 1}, "train.augmentation.flip is 1, but it must be of type bool"),
        ({"train__augmentation__flip": "yes"}, "train.augmentation.flip is 'yes', but it must be of type bool"),
        ({"model__latent__distribution": 1}, "model.latent.distribution is 1, but it must be of type str"),
        ({"model__encoder__multipliers": 1}, "model.encoder.multipliers is 1, but it must be of type list[int]"),
        ({"model__encoder__multipliers": "12"}, "model.encoder.multipliers is '12', but it must be of type list[int]"),
        ({"model__encoder__multipliers": [1, 2.0]}, "model.encoder.multipliers[1] is 2.0, but it must be of type int"),
        ({"model__encoder__multipliers": [True]}, "model.encoder.multipliers[0] is True, but it must be of type int"),
        (
            {"evaluate_representation__l2_penalties": [0.1, "x"]},
            "evaluate_representation.l2_penalties[1] is 'x', but it must be of type float",
        ),
        (
            {"feature_network__inception_weights": 5},
            "feature_network.inception_weights is 5, but it must be of type str",
        ),
        ({"train__augmentation": None}, "train.augmentation is None, but it is a section: give its keys one by one"),
        ({"train__augmentation": [1]}, "train.augmentation is [1], but it is a section: give its keys one by one"),
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
            "trian is not a parameter; there are: image, prepare, model, train, monitoring, feature_network, "
            "evaluate_representation, evaluate_generation, register",
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
    assert refusal(content) == f"{'.'.join(keys)} is missing"


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

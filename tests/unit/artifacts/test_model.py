"""A model comes back bit by bit, and anything that is not that model is refused by name."""

import copy
import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from components.artifacts.errors import UserError
from components.artifacts.files import sha256, write_json
from components.artifacts.model import load_model, save_model
from components.artifacts.model_files import PARTS
from components.bigbigan.build import build_networks
from tests.unit import toy_model
from tests.unit.toy_model import with_values

ROOT = Path(__file__).parents[3]
CONFIG = with_values(
    toy_model.CONFIG,
    {
        "model.generator.channels": 2,
        "model.generator.attention_resolution": 8,
        "model.encoder.trunk.channels": 2,
        "model.encoder.head_width": 6,
        "model.encoder.head_layers": 2,
        "model.encoder.sigma_bias": -1.0,
        "model.discriminator.channels": 2,
        "model.discriminator.multipliers": [1, 2],
        "model.discriminator.attention_resolution": 4,
        "model.discriminator.head_width": 5,
        "model.discriminator.scores": ["image", "joint"],
    },
)
PROVENANCE = {"seed": 1, "step": 20, "dataset_version": "é"}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    save_model(tmp_path, build_networks(CONFIG, seed=1), CONFIG, PROVENANCE)
    return tmp_path


def rewrite(model: Path, change: Any) -> None:
    content = json.loads((model / "model.json").read_text())
    change(content)
    write_json(model / "model.json", content)


def replace_part(model: Path, part: str, content: bytes) -> None:
    """Puts other bytes in the place of a file, with a checksum that is true to them."""
    path = model / f"{part}.safetensors"
    path.write_bytes(content)
    rewrite(model, lambda json_content: json_content["files"].update({path.name: sha256(path)}))


# ---------------------------------------------------------------------------------------------- round trip


def test_a_model_comes_back_bit_by_bit_ready_for_evaluation(model):
    saved = build_networks(CONFIG, seed=1)
    torch.manual_seed(5)
    loaded = load_model(model)
    assert loaded.config == CONFIG
    assert loaded.provenance == PROVENANCE
    expected, found = saved.state_dict(), loaded.networks.state_dict()
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert not any(module.training for module in loaded.networks.modules())
    assert not any(parameter.requires_grad for parameter in loaded.networks.parameters())
    z = torch.randn(3, 4)
    assert torch.equal(saved.eval().generator(z), loaded.networks.generator(z))


def test_a_folder_holds_four_files_that_anyone_may_read_who_may_read_the_folder(model):
    assert sorted(path.name for path in model.iterdir()) == [
        "discriminator.safetensors",
        "encoder.safetensors",
        "generator.safetensors",
        "model.json",
    ]
    assert {path.stat().st_mode for path in model.iterdir()} == {(model / "model.json").stat().st_mode}


def test_the_same_model_is_the_same_bytes_in_another_process(model, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    code = """
import json, sys
from pathlib import Path
from components.artifacts.model import save_model
from components.bigbigan.build import build_networks
from tests.unit import toy_model
from tests.unit.toy_model import with_values
config, provenance = json.loads(sys.argv[1])
save_model(Path(sys.argv[2]), build_networks(config, seed=1), config, provenance)
"""
    command = [sys.executable, "-c", code, json.dumps([CONFIG, PROVENANCE]), str(other)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "77"}
    subprocess.run(command, env=environment, check=True)
    for path in model.iterdir():
        assert path.read_bytes() == (other / path.name).read_bytes()


# Frozen: another name, shape, order or type of a tensor makes the models that were registered unreadable.
GOLDEN = {
    "generator.safetensors": "9230c4bc057bfc5f413a9ff31e1e9a2c06e7cfd7c74e2f3d3a1a79f2ead3ca52",
    "encoder.safetensors": "90022abf2b3b5ef0e4f1bbdb1934c3d996b39424068529240b804b6c49fed40a",
    "discriminator.safetensors": "63bfd636520c858f988d3871c7c3d7639787ce4249cb13ab47dec9ca170cb404",
}


def test_the_files_of_a_model_of_given_numbers_are_kept_byte_for_byte(tmp_path):
    networks = build_networks(CONFIG, seed=0)
    for tensor in networks.state_dict().values():
        tensor.copy_(torch.arange(tensor.numel()).reshape(tensor.shape))
    save_model(tmp_path, networks, CONFIG, PROVENANCE)
    assert {name: sha256(tmp_path / name) for name in GOLDEN} == GOLDEN


# ------------------------------------------------------------------------------- models without E, or without D


def without(part: str) -> dict[str, Any]:
    """A GAN without an encoder, or an autoencoder."""
    config = copy.deepcopy(CONFIG)
    config["model"][part] = None
    if part == "encoder":
        config["model"]["discriminator"]["scores"] = ["image"]
    return config


@pytest.fixture(params=["encoder", "discriminator"])
def absent(request) -> str:
    return request.param


@pytest.fixture
def smaller_model(tmp_path: Path, absent: str) -> Path:
    save_model(tmp_path, build_networks(without(absent), seed=1), without(absent), PROVENANCE)
    return tmp_path


def test_a_network_that_a_model_has_not_is_neither_saved_nor_loaded(smaller_model, absent):
    present = [part for part in PARTS if part != absent]
    names = sorted(f"{part}.safetensors" for part in present)
    assert sorted(path.name for path in smaller_model.iterdir()) == [*names, "model.json"]
    assert sorted(json.loads((smaller_model / "model.json").read_text())["files"]) == names
    loaded = load_model(smaller_model)
    assert getattr(loaded.networks, absent) is None
    assert loaded.config == without(absent)
    saved = build_networks(without(absent), seed=1).state_dict()
    found = loaded.networks.state_dict()
    assert saved.keys() == found.keys()
    assert all(torch.equal(value, found[name]) for name, value in saved.items())
    assert not any(module.training for module in loaded.networks.modules())


@pytest.mark.parametrize("missing", PARTS)
def test_of_the_networks_that_a_model_has_each_missing_file_is_named(smaller_model, absent, missing):
    (smaller_model / f"{missing}.safetensors").unlink(missing_ok=True)
    if missing == absent:
        assert getattr(load_model(smaller_model).networks, missing) is None
        return
    with pytest.raises(UserError, match=rf"{missing}\.safetensors is missing"):
        load_model(smaller_model)


def test_a_configuration_with_a_network_that_was_not_saved_is_refused(smaller_model, absent):
    rewrite(smaller_model, set_to("config", "model", absent, value=CONFIG["model"][absent]))
    with pytest.raises(UserError, match=rf"{absent}\.safetensors is missing"):
        load_model(smaller_model)


def test_a_score_of_latents_needs_an_encoder(model):
    rewrite(model, set_to("config", "model", "encoder", value=None))
    with pytest.raises(
        UserError, match=r"model\.json: model\.discriminator\.scores is .*, because model\.encoder is null"
    ):
        load_model(model)


def test_a_model_without_a_generator_is_refused(model):
    rewrite(model, set_to("config", "model", "generator", value=None))
    with pytest.raises(UserError, match=r"model\.json: config\.model\.generator is null"):
        load_model(model)


def test_a_full_disk_is_an_error_of_the_disk(model, monkeypatch):
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_model(model, build_networks(CONFIG, seed=2), CONFIG, PROVENANCE)


# ----------------------------------------------------------------------------------------- files that are wrong


@pytest.mark.parametrize("part", PARTS)
def test_a_missing_file_is_named(model, part):
    (model / f"{part}.safetensors").unlink()
    with pytest.raises(UserError, match=rf"{part}\.safetensors is missing"):
        load_model(model)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("damage", ["truncated", "altered", "empty"])
def test_a_damaged_file_is_named(model, part, damage):
    path = model / f"{part}.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes({"truncated": content[:-1], "altered": content, "empty": b""}[damage])
    with pytest.raises(UserError, match=rf"{part}\.safetensors is not the file that model\.json names"):
        load_model(model)


@pytest.mark.parametrize("content", [b"", b"no tensors at all", b"\x80\x04}."])
def test_what_is_no_safetensors_file_is_refused_even_with_a_true_checksum(model, content):
    replace_part(model, "encoder", content)
    with pytest.raises(UserError, match=r"encoder\.safetensors is not a safetensors file"):
        load_model(model)


def set_to(*keys: Any, value: Any) -> Any:
    def change(content: dict[str, Any]) -> None:
        for key in keys[:-1]:
            content = content[key]
        content[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("keys", "value", "named"),
    [
        (
            ("model", "generator", "channels"),
            3,
            r"generator\.safetensors .*: attention\.0\.key\.v is \(2,\), not \(3,\)",
        ),
        (("model", "generator", "attention_resolution"), 0, r"attention\.0\.gamma is \(\), not absent"),
        (("model", "encoder", "head_width"), 7, r"encoder\.safetensors .*: head\.first\.bias is \(6,\), not \(7,\)"),
        (
            ("model", "discriminator", "scores"),
            ["image", "latent", "joint"],
            r"latent_score\.bias is absent, not \(1,\)",
        ),
        (("image", "channels"), 3, r"generator\.safetensors .*: to_image\.bias is \(1,\), not \(3,\)"),
    ],
)
def test_weights_of_other_networks_than_the_configuration_says_are_refused_in_one_line(model, keys, value, named):
    rewrite(model, set_to("config", *keys, value=value))
    with pytest.raises(UserError, match=named) as refusal:
        load_model(model)
    assert len(str(refusal.value).splitlines()) == 1


def test_a_tensor_too_many_is_refused(model):
    tensors = safetensors.torch.load_file(model / "encoder.safetensors")
    replace_part(model, "encoder", safetensors.torch.save(tensors | {"extra": torch.zeros(2, 3)}))
    with pytest.raises(UserError, match=r"encoder\.safetensors does not fit .*: extra is \(2, 3\), not absent"):
        load_model(model)


def test_a_tensor_too_few_is_refused(model):
    tensors = safetensors.torch.load_file(model / "encoder.safetensors")
    del tensors["mu.weight"]
    replace_part(model, "encoder", safetensors.torch.save(tensors))
    with pytest.raises(UserError, match=r"encoder\.safetensors does not fit .*: mu\.weight is absent, not \(4, 6\)"):
        load_model(model)


# --------------------------------------------------------------------------------------- model.json that is wrong


def test_a_folder_without_a_model_says_what_to_run(tmp_path):
    with pytest.raises(UserError, match=r"model\.json does not exist: run the step that makes it"):
        load_model(tmp_path)


@pytest.mark.parametrize("form", ["bigbigan-model/1", None])
def test_another_format_is_refused(model, form):
    rewrite(model, set_to("format", value=form))
    with pytest.raises(UserError, match="is not a model of format bigbigan-model/2"):
        load_model(model)


def test_a_list_is_no_model(model):
    write_json(model / "model.json", ["bigbigan-model/2"])
    with pytest.raises(UserError, match="is not a model of format"):
        load_model(model)


@pytest.mark.parametrize("key", ["config", "provenance", "files"])
@pytest.mark.parametrize("how", ["missing", "list"])
def test_a_missing_or_malformed_part_of_it_is_named(model, key, how):
    rewrite(model, lambda content: content.pop(key) if how == "missing" else content.update({key: []}))
    with pytest.raises(UserError, match=rf"model\.json has no mapping {key}"):
        load_model(model)


def all_keys(mapping: dict[str, Any], *above: str) -> list[tuple[str, ...]]:
    found = []
    for key, value in mapping.items():
        found += [(*above, key)] + (all_keys(value, *above, key) if isinstance(value, dict) else [])
    return found


@pytest.mark.parametrize("keys", all_keys(CONFIG), ids=".".join)
def test_every_missing_key_of_the_configuration_is_named(model, keys):
    config = copy.deepcopy(CONFIG)
    parent = config
    for key in keys[:-1]:
        parent = parent[key]
    del parent[keys[-1]]
    rewrite(model, set_to("config", value=config))
    with pytest.raises(UserError, match=rf"model\.json: config\.{'.'.join(keys)} is ") as refusal:
        load_model(model)
    assert len(str(refusal.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("keys", "value", "named"),
    [
        (("model", "generator", "channels"), "2", r"config\.model\.generator\.channels is '2'"),
        (("model", "generator", "channels"), -2, r"model\.generator\.channels is -2; allowed"),
        (("model", "generator", "colour"), 1, r"config\.model\.generator\.colour is not a parameter"),
        (("model", "generator", "kind"), "stylegan", r"config\.model\.generator\.kind is stylegan; allowed: biggan"),
        (("model", "encoder", "trunk", "kind"), "vit", r"config\.model\.encoder\.trunk\.kind is vit; allowed: basic"),
        (("model", "latent", "size"), 5, r"model\.latent\.size is 5; allowed: a multiple of 2"),
        (("image",), [8, 1], r"config\.image is \[8, 1\]"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(model, keys, value, named):
    rewrite(model, set_to("config", *keys, value=value))
    with pytest.raises(UserError, match=rf"model\.json: {named}"):
        load_model(model)

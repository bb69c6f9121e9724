"""Inception's weights from a local file, and the conversion of the usual .pth file."""

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

from components.artifacts.errors import UserError
from components.artifacts.feature_network.inception import Inception
from components.artifacts.files import sha256
from components.feature_network.convert_inception import PUBLISHED_SHA256, convert
from components.feature_network.inception import inception_from_file


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    with torch.device("meta"):
        state = Inception().state_dict()
    return {name: torch.zeros(tensor.shape) for name, tensor in state.items()}


def drop(weights: dict[str, Tensor]) -> None:
    del weights["Mixed_5b.branch1x1.conv.weight"]


def reshape(weights: dict[str, Tensor]) -> None:
    weights["fc.weight"], weights["fc.bias"] = torch.zeros(1000, 2048), torch.zeros(1000)


def add(weights: dict[str, Tensor]) -> None:
    weights["AuxLogits.fc.bias"] = torch.zeros(1000)


def halve(weights: dict[str, Tensor]) -> None:
    weights["fc.bias"] = weights["fc.bias"].half()


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (drop, r"Mixed_5b.branch1x1.conv.weight is missing \(1 differences"),
        (reshape, r"fc.weight is 1000×2048 float32 and should be 1008×2048 float32 \(2 differences"),
        (add, "AuxLogits.fc.bias is unknown"),
        (halve, "fc.bias is 1008 float16 and should be 1008 float32"),
    ],
)
def test_other_weights_are_refused_by_name(
    tmp_path: Path, weights: dict[str, Tensor], harm: Callable[[dict[str, Tensor]], None], message: str
) -> None:
    harmed = dict(weights)
    harm(harmed)
    path = tmp_path / "other.safetensors"
    safetensors.torch.save_file(harmed, path)
    with pytest.raises(UserError, match=message):
        inception_from_file(path, sha256(path))


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        inception_from_file(tmp_path / "absent.safetensors", "0" * 64)


def test_converted_file_is_accepted(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    source, target = tmp_path / "in.pth", tmp_path / "out.safetensors"
    counter = {"Conv2d_1a_3x3.bn.num_batches_tracked": torch.tensor(0)}
    torch.save({**weights, **counter, "fc.bias": torch.arange(1008.0)}, source)
    convert(source, target, sha256(source))
    loaded = inception_from_file(target, sha256(target)).state_dict()
    assert loaded.keys() == weights.keys()
    assert torch.equal(loaded["fc.bias"], torch.arange(1008.0))


def test_another_file_than_the_published_one_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "in.pth"
    torch.save({"a": torch.zeros(1)}, source)
    monkeypatch.setattr(torch, "load", lambda *args, **kwargs: pytest.fail("it was opened"))
    with pytest.raises(UserError, match=rf"its sha256 is {sha256(source)}, not 6726825d"):
        convert(source, tmp_path / "out.safetensors", PUBLISHED_SHA256)


def test_another_file_than_the_parameter_names_is_refused(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    path = tmp_path / "weights.safetensors"
    safetensors.torch.save_file(weights, path)
    with pytest.raises(UserError, match=rf"inception_sha256 names: its sha256 is {sha256(path)}, not 000"):
        inception_from_file(path, "0" * 64)


class Hostile:
    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return Path.touch, (Path("executed"),)  # type: ignore[return-value]


def torn(path: Path) -> None:
    torch.save({"a": torch.zeros(1000)}, path)
    path.write_bytes(path.read_bytes()[:-600])


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: torch.save(Hostile(), path), "torn, or holds more than plain tensors"),
        (lambda path: path.write_bytes(pickle.dumps(Hostile())), "torn, or holds more than plain tensors"),
        (torn, "torn, or holds more than plain tensors"),
        (lambda path: path.write_bytes(b""), "torn, or holds more than plain tensors"),
        (lambda path: path.write_text("seed: 0\nfeature_network:\n"), "torn, or holds more than plain tensors"),
        (lambda path: torch.save([torch.zeros(1)], path), "not a state dict"),
        (lambda path: torch.save({"a": 1}, path), "not a state dict"),
        (lambda path: torch.save({"a": torch.zeros(1)}, path), "does not fit the network Inception"),
        (lambda path: None, "does not exist"),
    ],
    ids=["code", "bare pickle", "torn", "empty", "text", "list", "number", "other network", "absent"],
)
def test_hostile_or_other_file_is_not_converted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], None], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    source, target = tmp_path / "in.pth", tmp_path / "out.safetensors"
    write(source)
    with pytest.raises(UserError, match=message) as raised:
        convert(source, target, sha256(source) if source.exists() else "0" * 64)
    assert "\n" not in str(raised.value)
    assert not target.exists()
    assert not (tmp_path / "executed").exists()

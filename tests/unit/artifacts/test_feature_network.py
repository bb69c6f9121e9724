"""The feature network artifact, and TensorFlow's Inception: names, shapes, resizing, hostile files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn import functional

from components.artifacts.errors import UserError
from components.artifacts.feature_network import (
    FeatureNetworkModule,
    load_feature_network,
    read_weights,
    save_feature_network,
    with_weights,
)
from components.artifacts.feature_network.classifier import INPUT, Classifier
from components.artifacts.feature_network.convolution import FrozenBatchNorm, NormalisedConvolution, fold
from components.artifacts.feature_network.efficientnet_lite import EfficientNetLite0
from components.artifacts.feature_network.inception import Inception, resize_tensorflow1


def description(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "trained",
        "name": "classifier",
        "target": "labels",
        "feature_size": 5,
        "outputs": 3,
        "classes": ["a", "b", "c"],
        "image": {"size": 8, "channels": 1},
        "channels": 2,
        "input": INPUT,
        "dataset_version": "v",
        "validation_accuracy": 0.5,
        "validation_images": 4,
    } | changes


def small_classifier() -> Classifier:
    torch.manual_seed(0)
    return Classifier(8, 1, 2, 5, 3).eval()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_feature_network(tmp_path, small_classifier(), description())
    return tmp_path


def test_what_was_saved_is_loaded(saved: Path) -> None:
    images = torch.randint(0, 256, (4, 8, 8, 1), dtype=torch.uint8)
    loaded = load_feature_network(saved)
    features, logits = loaded(images)
    assert (loaded.name, loaded.target, loaded.feature_size) == ("classifier", "labels", 5)
    assert features.shape == (4, 5)
    assert logits.shape == (4, 3)
    torch.testing.assert_close((features, logits), small_classifier()(images))
    assert not loaded.network.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


def test_one_metadata_key_so_that_equal_networks_are_equal_bytes(saved: Path, tmp_path_factory: Any) -> None:
    again = tmp_path_factory.mktemp("again")
    save_feature_network(again, small_classifier(), description())
    assert (again / "network.safetensors").read_bytes() == (saved / "network.safetensors").read_bytes()
    assert (again / "network.json").read_bytes() == (saved / "network.json").read_bytes()
    content = (saved / "network.safetensors").read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert len(header["__metadata__"]) == 1


def test_description_must_be_whole(tmp_path: Path) -> None:
    incomplete = description()
    del incomplete["target"]
    with pytest.raises(ValueError, match="target"):
        save_feature_network(tmp_path, small_classifier(), incomplete)


def tear(directory: Path) -> None:
    path = directory / "network.safetensors"
    path.write_bytes(path.read_bytes()[:-1])


def alter(directory: Path) -> None:
    path = directory / "network.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def describe_wider(directory: Path) -> None:
    path = directory / "network.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"channels": 3}))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (tear, "torn or altered"),
        (alter, "torn or altered"),
        (lambda directory: (directory / "network.safetensors").unlink(), "missing"),
        (lambda directory: (directory / "network.json").unlink(), "does not exist"),
        (lambda directory: (directory / "network.json").write_text("{}"), "not a feature network of format"),
        (lambda directory: (directory / "network.json").write_text("[1"), "not readable as JSON"),
        (describe_wider, r"blocks.0.weight is 2×1×3×3 float32 and should be 3×1×3×3 float32"),
    ],
    ids=["torn", "altered", "no weights", "no description", "other format", "torn description", "does not fit"],
)
def test_harmed_artifact_is_refused(saved: Path, harm: Any, message: str) -> None:
    harm(saved)
    with pytest.raises(UserError, match=message):
        load_feature_network(saved)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x80\x04nonsense", b"\xff" * 8 + b"{}", safetensors.torch.save({"a": torch.zeros(9)})[:-1]],
    ids=["empty", "pickle", "huge header", "torn"],
)
def test_file_that_is_no_safetensors_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    with pytest.raises(UserError, match="torn or not a safetensors file"):
        read_weights(path)


# ------------------------------------------------------------------------------------------------ Inception


def on_meta() -> Inception:
    with torch.device("meta"):
        return Inception()


def random_inception() -> Inception:
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for name, tensor in on_meta().state_dict().items():
        fan = tensor[0].numel() if tensor.dim() > 1 else 1
        if name.endswith(("bn.weight", "running_var")):
            weights[name] = torch.ones(tensor.shape)
        elif tensor.dim() == 1:
            weights[name] = torch.zeros(tensor.shape)
        else:
            weights[name] = torch.randn(tensor.shape, generator=generator) * (2 / fan) ** 0.5
    return with_weights(on_meta(), weights, "test").eval()  # type: ignore[return-value]


@pytest.fixture(scope="module")
def inception() -> Inception:
    return random_inception()


def test_inception_has_the_parameters_of_the_tensorflow_graph() -> None:
    # Inception v3 with 1000 outputs and without the auxiliary head has 23,834,568; eight more outputs of 2048 + 1.
    assert sum(parameter.numel() for parameter in on_meta().parameters()) == 23_834_568 + 8 * 2049


def test_inception_names_and_shapes_are_those_of_the_usual_port() -> None:
    state = on_meta().state_dict()
    convolutions = [name for name in state if name.endswith(".conv.weight")]
    assert len(convolutions) == 94
    assert len(state) == 94 * 5 + 2
    expected = {
        "Conv2d_1a_3x3.conv.weight": (32, 3, 3, 3),
        "Conv2d_4a_3x3.bn.running_var": (192,),
        "Mixed_5b.branch5x5_2.conv.weight": (64, 48, 5, 5),
        "Mixed_5b.branch_pool.conv.weight": (32, 192, 1, 1),
        "Mixed_5d.branch3x3dbl_3.bn.bias": (96,),
        "Mixed_6a.branch3x3.conv.weight": (384, 288, 3, 3),
        "Mixed_6b.branch7x7_2.conv.weight": (128, 128, 1, 7),
        "Mixed_6c.branch7x7dbl_5.conv.weight": (192, 160, 1, 7),
        "Mixed_6e.branch7x7_3.conv.weight": (192, 192, 7, 1),
        "Mixed_7a.branch7x7x3_4.conv.weight": (192, 192, 3, 3),
        "Mixed_7b.branch3x3_2b.conv.weight": (384, 384, 3, 1),
        "Mixed_7c.branch3x3dbl_3a.conv.weight": (384, 384, 1, 3),
        "Mixed_7c.branch_pool.bn.weight": (192,),
        "fc.weight": (1008, 2048),
        "fc.bias": (1008,),
    }
    assert {name: tuple(state[name].shape) for name in expected} == expected


def test_inception_gives_features_and_logits_without_the_bias(inception: Inception) -> None:
    images = torch.randint(0, 256, (1, 28, 28, 1), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        features, logits = inception(images)
        inception.fc.bias.add_(1)
        assert torch.equal(inception(images.expand(-1, -1, -1, 3))[1], logits), "grey is repeated to three channels"
    assert features.shape == (1, 2048)
    assert logits.shape == (1, 1008)
    assert features.isfinite().all()
    assert features.std() > 0


def pool_branch_input(block: nn.Module, inputs: Tensor) -> Tensor:
    seen: list[Tensor] = []
    hook = block.branch_pool.register_forward_pre_hook(lambda module, given: seen.append(given[0]))  # type: ignore[union-attr, operator, arg-type]
    with torch.no_grad():
        block(inputs)
    hook.remove()
    return seen[0]


@pytest.mark.parametrize(("name", "channels"), [("Mixed_5b", 192), ("Mixed_6b", 768), ("Mixed_7b", 1280)])
def test_average_pooling_does_not_count_the_padding(inception: Inception, name: str, channels: int) -> None:
    pooled = pool_branch_input(getattr(inception, name), torch.ones(1, channels, 5, 5))
    torch.testing.assert_close(pooled, torch.ones(1, channels, 5, 5))


def test_last_block_pools_by_maximum(inception: Inception) -> None:
    inputs = torch.randn(1, 2048, 5, 5, generator=torch.Generator().manual_seed(2))
    expected = functional.max_pool2d(inputs, 3, stride=1, padding=1)
    torch.testing.assert_close(pool_branch_input(inception.Mixed_7c, inputs), expected)


def tensorflow1(image: np.ndarray, size: int) -> np.ndarray:
    """TensorFlow 1's ResizeBilinear with its defaults, pixel by pixel: H×W -> size×size, float32."""
    height, width = image.shape
    row_scale, column_scale = np.float32(height / size), np.float32(width / size)
    result = np.empty((size, size), np.float32)
    for row in range(size):
        y = np.float32(row) * row_scale
        top = int(y)
        bottom, down = min(top + 1, height - 1), y - np.float32(top)
        for column in range(size):
            x = np.float32(column) * column_scale
            left = int(x)
            right, across = min(left + 1, width - 1), x - np.float32(left)
            above = image[top, left] + (image[top, right] - image[top, left]) * across
            below = image[bottom, left] + (image[bottom, right] - image[bottom, left]) * across
            result[row, column] = above + (below - above) * down
    return result


@pytest.mark.parametrize(("height", "width", "size"), [(7, 5, 13), (13, 13, 7), (28, 28, 299), (300, 20, 50)])
def test_resize_is_tensorflow_1s_to_the_bit(height: int, width: int, size: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (height, width)).astype(np.float32)
    found = resize_tensorflow1(torch.from_numpy(image)[None, None], size)
    assert np.array_equal(found[0, 0].numpy(), tensorflow1(image, size))


@pytest.mark.parametrize(
    ("line", "size", "expected"),
    [
        ([0.0, 10.0], 4, [0.0, 5.0, 10.0, 10.0]),
        ([0.0, 1.0, 2.0, 3.0], 2, [0.0, 2.0]),
        ([0.0, 3.0, 6.0], 9, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 6.0, 6.0]),
        ([7.0, 7.0, 7.0], 5, [7.0] * 5),
        ([1.0, 2.0, 4.0], 3, [1.0, 2.0, 4.0]),
    ],
)
def test_resize_samples_at_i_times_scale(line: list[float], size: int, expected: list[float]) -> None:
    along_width = torch.tensor(line).repeat(len(line), 1)[None, None]
    wanted = torch.tensor(expected).repeat(size, 1)[None, None]
    torch.testing.assert_close(resize_tensorflow1(along_width, size), wanted)
    torch.testing.assert_close(resize_tensorflow1(along_width.mT, size), wanted.mT)


def test_resize_is_not_pytorchs() -> None:
    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    theirs = functional.interpolate(image, size=(6, 6), mode="bilinear", align_corners=False)
    assert (resize_tensorflow1(image, 6) - theirs).abs().max() > 0.1


def test_inception_sees_pixels_from_minus_one_to_just_under_one(inception: Inception) -> None:
    seen: list[Tensor] = []
    hook = inception.Conv2d_1a_3x3.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    with torch.no_grad():
        inception(torch.tensor([0, 128, 255], dtype=torch.uint8).reshape(3, 1, 1, 1))
    hook.remove()
    assert seen[0].shape == (3, 3, 299, 299)
    assert [(float(image.min()), float(image.max())) for image in seen[0]] == [(-1, -1), (0, 0), (127 / 128, 127 / 128)]


# ------------------------------------------------------------------------------------ the fast form of both


def with_random_statistics(network: nn.Module, dtype: torch.dtype) -> nn.Module:
    generator = torch.Generator().manual_seed(3)
    for name, tensor in network.state_dict().items():
        if name.endswith((".bn.weight", "running_var")):
            tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
        elif name.endswith((".bn.bias", "running_mean")):
            tensor.copy_(0.3 * torch.randn(tensor.shape, generator=generator))
    return network.to(dtype).eval()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_folded_convolution_is_the_same(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 5, 3, stride=2, bias=False)
    block = with_random_statistics(nn.Sequential(NormalisedConvolution(conv, functional.relu)), dtype)
    inputs = torch.randn(2, 3, 9, 9, dtype=dtype)
    with torch.no_grad():
        expected = block(inputs)
        fold(block)
        assert isinstance(block[0].bn, nn.Identity)
        torch.testing.assert_close(block(inputs), expected)
        fold(block)
        torch.testing.assert_close(block(inputs), expected)


@pytest.mark.parametrize("kind", ["inception", "effnet_lite0"])
def test_the_fast_form_gives_the_same_numbers(kind: str) -> None:
    network = random_inception() if kind == "inception" else random_effnet_lite0()
    module = FeatureNetworkModule(with_random_statistics(network, torch.float32), description(kind=kind, image=None))
    images = torch.randint(0, 256, (2, 20, 20, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(4))
    with torch.inference_mode():
        features, logits = module(images)
    module.prepare(torch.device("cpu"))
    assert not any(isinstance(part, FrozenBatchNorm) for part in module.modules())
    with torch.inference_mode():
        fast_features, fast_logits = module(images)
    assert features.std() > 0
    scale = float(features.abs().max()), float(logits.abs().max())
    assert float((fast_features - features).abs().max()) < 1e-5 * scale[0]
    assert float((fast_logits - logits).abs().max()) < 1e-5 * scale[1]


def test_a_trained_classifier_stays_as_it_is(saved: Path) -> None:
    images = torch.randint(0, 256, (4, 8, 8, 1), dtype=torch.uint8)
    loaded = load_feature_network(saved)
    loaded.prepare(torch.device("cpu"))
    torch.testing.assert_close(loaded(images), small_classifier()(images), rtol=0, atol=0)


# ---------------------------------------------------------------------------------------- EfficientNet-Lite0


def random_effnet_lite0() -> EfficientNetLite0:
    torch.manual_seed(0)
    return EfficientNetLite0().eval()


def test_effnet_lite0_has_the_parameters_of_the_release() -> None:
    # 4,652,008 without the moving statistics of its 49 normalisations.
    assert sum(parameter.numel() for parameter in EfficientNetLite0().parameters()) == 4_652_008


def test_effnet_lite0_pads_as_tensorflow_does() -> None:
    """Where a size is halved, the odd pixel of padding lies below and to the right."""
    stem = random_effnet_lite0().stem.conv
    stem.weight.data.zero_()
    stem.weight.data[:, :, 0, 0] = 1
    image = torch.arange(16.0).reshape(1, 1, 4, 4).expand(1, 3, -1, -1) / 3
    torch.testing.assert_close(stem(image)[0, 0], torch.tensor([[0.0, 2.0], [8.0, 10.0]]))


def test_effnet_lite0_of_grey_is_that_of_equal_colours() -> None:
    network = random_effnet_lite0()
    images = torch.randint(0, 256, (2, 30, 30, 1), dtype=torch.uint8)
    with torch.no_grad():
        features, logits = network(images)
        torch.testing.assert_close(network(images.expand(-1, -1, -1, 3))[0], features)
    assert features.shape == (2, 1280)
    assert logits.shape == (2, 1000)


def test_effnet_lite0_is_saved_and_loaded_without_its_package(tmp_path: Path) -> None:
    network = random_effnet_lite0()
    save_feature_network(tmp_path, network, description(kind="effnet_lite0", image=None, feature_size=1280))
    loaded = load_feature_network(tmp_path)
    images = torch.randint(0, 256, (1, 8, 8, 3), dtype=torch.uint8)
    torch.testing.assert_close(loaded(images), network(images), rtol=0, atol=0)

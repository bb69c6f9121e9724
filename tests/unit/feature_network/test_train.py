"""The trained feature network: what it learns from, that it is reproducible, and its augmentation."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from components.artifacts.dataset import Dataset, Split
from components.artifacts.errors import UserError
from components.artifacts.feature_network import load_feature_network, save_feature_network
from components.artifacts.parameters import FeatureNetwork
from components.feature_network.augmentation import all_rotations, rotated, shifted
from components.feature_network.train import train

CPU = torch.device("cpu")
PARAMETERS = FeatureNetwork(
    kind="trained",
    inception_weights=None,
    inception_sha256=None,
    seed=0,
    channels=4,
    feature_size=6,
    steps=30,
    batch_size=16,
    lr=0.01,
    shift=1,
)


def split(count: int, seed: int, labelled: bool) -> Split:
    """Dim noise with a bright band at the top: at the left (class 0) or at the right (class 1)."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 60, (count, 8, 8, 1), dtype=np.uint8)
    labels = np.arange(count, dtype=np.int64) % 2
    for image, label in zip(images, labels, strict=True):
        image[1:3, 4 * label : 4 * label + 4] = 255
    return Split([images] if count else [], labels if labelled else None)


def dataset(classes: list[str] | None, validation: int = 40) -> Dataset:
    labelled = classes is not None
    parts = split(60, 0, labelled), split(validation, 1, labelled), split(4, 2, labelled)
    return Dataset({"classes": classes, "version": "v1"}, *parts)


def test_learns_the_labels() -> None:
    trained = train(dataset(["left", "right"]), PARAMETERS, CPU)
    told = {key: trained.description[key] for key in ("name", "target", "outputs", "classes", "dataset_version")}
    assert told == {
        "name": "classifier",
        "target": "labels",
        "outputs": 2,
        "classes": ["left", "right"],
        "dataset_version": "v1",
    }
    assert trained.description["validation_accuracy"] > 0.9
    assert trained.description["validation_images"] == 40


@pytest.mark.parametrize("classes", [None, ["only"]], ids=["no labels", "one class"])
def test_learns_rotations_where_there_are_no_two_classes(classes: list[str] | None) -> None:
    trained = train(dataset(classes), replace(PARAMETERS, steps=100), CPU)
    told = [trained.description[key] for key in ("name", "target", "outputs")]
    assert told == ["rotations", "rotations", 4]
    assert trained.description["validation_accuracy"] > 0.9


def test_artifact_holds_the_trained_network(tmp_path: Path) -> None:
    trained = train(dataset(None), PARAMETERS, CPU)
    save_feature_network(tmp_path, trained.network, trained.description)
    images = torch.from_numpy(split(3, 5, False).images())
    torch.testing.assert_close(load_feature_network(tmp_path)(images), trained.network(images))


def weights(data: Dataset, **changes: Any) -> dict[str, torch.Tensor]:
    return train(data, replace(PARAMETERS, steps=3, **changes), CPU).network.state_dict()


def test_same_seed_same_weights_and_nothing_else_is_touched() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = weights(dataset(None))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    second = weights(dataset(None))
    assert all(torch.equal(first[name], second[name]) for name in first)
    other = weights(dataset(None), seed=1)
    assert not torch.equal(first["logits.weight"], other["logits.weight"])


def test_sees_the_train_split_only() -> None:
    data = dataset(["left", "right"])
    other = Dataset(data.manifest, data.train, split(40, 7, True), split(4, 8, True))
    first, second = weights(data), weights(other)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_no_validation_images_no_accuracy() -> None:
    description = train(dataset(None, validation=0), replace(PARAMETERS, steps=1), CPU).description
    assert description["validation_accuracy"] is None
    assert description["validation_images"] == 0


def test_empty_train_split_is_refused() -> None:
    data = dataset(None)
    with pytest.raises(UserError, match="train split is empty"):
        train(Dataset(data.manifest, Split([], None), data.validation, data.test), PARAMETERS, CPU)


def test_shift_moves_whole_pixels_and_repeats_the_edge() -> None:
    image = torch.arange(25, dtype=torch.uint8).reshape(1, 5, 5, 1)
    padded = image[0, :, :, 0].float()[None, None]
    padded = torch.nn.functional.pad(padded, (2, 2, 2, 2), mode="replicate")[0, 0].to(torch.uint8)
    windows = {padded[i : i + 5, j : j + 5].numpy().tobytes() for i in range(5) for j in range(5)}
    found = {
        one.numpy().tobytes()
        for one in shifted(image.expand(2000, -1, -1, -1), 2, torch.Generator().manual_seed(0))[..., 0].contiguous()
    }
    assert found == windows


def test_rotations_are_quarter_turns() -> None:
    images = torch.randint(0, 256, (4, 6, 6, 3), dtype=torch.uint8)
    turned = rotated(images, torch.tensor([0, 1, 2, 3]))
    for turns in range(4):
        assert np.array_equal(turned[turns].numpy(), np.rot90(images[turns].numpy(), turns))
    everything, turns_of = all_rotations(images)
    assert torch.equal(everything[8:12], torch.rot90(images, 2, (1, 2)))
    assert turns_of.tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4

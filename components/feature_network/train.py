"""Trains the classifier whose features measure generation, on the train split only."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from components.artifacts.dataset import Dataset, Split
from components.artifacts.errors import UserError
from components.artifacts.feature_network.classifier import INPUT, Classifier
from components.artifacts.parameters import FeatureNetwork
from components.feature_network.augmentation import all_rotations, rotated, shifted


@dataclass(frozen=True)
class Trained:
    """A network in evaluation mode, and its description as the artifact wants it."""

    network: Classifier
    description: dict[str, Any]


def train(dataset: Dataset, parameters: FeatureNetwork, device: torch.device) -> Trained:
    """Trains on the labels, where the dataset has two classes or more; otherwise on four rotations.

    Rotations as a task without labels: Gidaris et al. 2018. The same dataset, parameters, machine and
    number of threads give the same weights. The validation split only tells the accuracy in the description.

    Raises:
        UserError: the train split is empty.
    """
    if len(dataset.train) == 0:
        raise UserError("the dataset's train split is empty: give the step `prepare` more images")
    classes = dataset.classes
    labelled = classes is not None and len(classes) >= 2
    outputs = len(classes) if labelled and classes is not None else 4
    _, size, _, image_channels = dataset.train.shards[0].shape

    with torch.random.fork_rng():
        torch.manual_seed(parameters.seed)
        network = Classifier(size, image_channels, parameters.channels, parameters.feature_size, outputs).to(device)
    _fit(network, dataset.train, labelled, parameters, device)
    accuracy = _accuracy(network.eval(), dataset.validation, labelled, parameters.batch_size, device)

    description = {
        "kind": "trained",
        "name": "classifier" if labelled else "rotations",
        "target": "labels" if labelled else "rotations",
        "feature_size": parameters.feature_size,
        "outputs": outputs,
        "classes": classes if labelled else ["0°", "90°", "180°", "270°"],
        "image": {"size": size, "channels": image_channels},
        "channels": parameters.channels,
        "input": INPUT,
        "dataset_version": dataset.manifest["version"],
        "validation_accuracy": accuracy,
        "validation_images": len(dataset.validation),
    }
    return Trained(network, description)


def _fit(network: nn.Module, split: Split, labelled: bool, parameters: FeatureNetwork, device: torch.device) -> None:
    generator = torch.Generator().manual_seed(parameters.seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=parameters.lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=parameters.steps)
    network.train()
    with tqdm(total=parameters.steps, desc="feature network", unit="step") as bar:
        for step in range(parameters.steps):
            indices = torch.randint(len(split), (parameters.batch_size,), generator=generator)
            images = shifted(torch.from_numpy(split.images(indices.tolist())), parameters.shift, generator)
            if labelled:
                targets = _labels(split)[indices]
            else:
                targets = torch.randint(4, (parameters.batch_size,), generator=generator)
                images = rotated(images, targets)
            _, logits = network(images.to(device))
            loss = functional.cross_entropy(logits, targets.to(device))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            bar.update()
            if step % 20 == 0:
                bar.set_postfix(loss=f"{loss.item():.3f}")


@torch.no_grad()
def _accuracy(network: nn.Module, split: Split, labelled: bool, batch_size: int, device: torch.device) -> float | None:
    """Share of images (of all four rotations of each, where there are no labels) that are told right."""
    right = count = 0
    for start in range(0, len(split), batch_size):
        indices = range(start, min(start + batch_size, len(split)))
        images = torch.from_numpy(split.images(indices))
        if labelled:
            targets = _labels(split)[start : indices.stop]
        else:
            images, targets = all_rotations(images)
        _, logits = network(images.to(device))
        right += int((logits.argmax(1).cpu() == targets).sum())
        count += len(targets)
    return right / count if count else None


def _labels(split: Split) -> Tensor:
    if split.labels is None:
        raise ValueError("a dataset with classes has labels in each split")
    return torch.from_numpy(split.labels)

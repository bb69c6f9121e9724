"""Step evaluate_generation: measures what a model generates, on the features of a named network.

Inputs: a model (from the step train), a dataset (prepare) and a feature network (feature_network).

Output: metrics.json and protocol.json with Fréchet distance, an Inception-style score, precision and recall, class
histogram and mean pixel of samples against the train split, each beside the same number of real test images (the
floor), and errors of reconstruction; samples.png, reconstructions.png and interpolations.png. A key says what was
computed: fd_classifier_samples5000_train4000 is the Fréchet distance between 5000 samples and 4000 train images on
the classifier's features. Only numbers on Inception are called fid and inception_score.

A model without an encoder has no reconstructions, and its interpolations lie between samples. Where the generator's
images are smaller than the dataset's, real images are averaged down to its resolution first.

Parameters read: evaluate_generation.
"""

import argparse
from pathlib import Path

import torch

from components.artifacts.command import run
from components.artifacts.dataset import open_dataset
from components.artifacts.feature_network import load_feature_network
from components.artifacts.files import new_directory
from components.artifacts.metrics import write_metrics
from components.artifacts.model import load_model
from components.artifacts.parameters import EvaluateGeneration, load
from components.evaluate_generation.evaluate import evaluate, save_pictures
from components.evaluate_generation.summary import summary


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m components.evaluate_generation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--params", type=Path, required=True, help="resolved.yaml")
    parser.add_argument("--model", type=Path, required=True, help="the model's folder")
    parser.add_argument("--dataset", type=Path, required=True, help="the dataset's folder")
    parser.add_argument("--feature-network", type=Path, required=True, help="the feature network's folder")
    parser.add_argument("--output", type=Path, required=True, help="folder to write, replaced if it exists")
    args = parser.parse_args()

    (parameters,) = load(args.params, evaluate_generation=EvaluateGeneration)
    model, dataset = load_model(args.model), open_dataset(args.dataset)
    network = load_feature_network(args.feature_network)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    metrics = evaluate(model, dataset, network, parameters, device)
    with new_directory(args.output, known_by="metrics.json") as directory:
        write_metrics(directory, metrics)
        save_pictures(directory, model, dataset, parameters, device)
    print(summary(metrics))
    pictures = sorted(path.name for path in args.output.glob("*.png"))
    print(f"pictures in {args.output}: {', '.join(pictures)}")


if __name__ == "__main__":
    run(main)

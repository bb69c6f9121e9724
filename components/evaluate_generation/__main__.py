"""Step evaluate_generation: measures what a model generates, on the features of a named network.

Inputs: a model (from the step train), a dataset (prepare) and a feature network (feature_network).

Output: metrics.json and protocol.json with Fréchet distance, kernel distance, an Inception-style score, precision and
recall, density and coverage, class histogram and mean pixel of samples against the train split, each beside the same
number of real test images (the floor); how certain the Fréchet distance is; how near samples lie to train images,
beside test images (memorisation); and errors of reconstruction; samples.png, memorisation.png, reconstructions.png and
interpolations.png. A key says what was computed: fd_classifier_samples5000_train4000 is the Fréchet distance between
5000 samples and 4000 train images on the classifier's features. Only numbers on Inception are called fid, kid and
inception_score.

A model without an encoder has no reconstructions, and its interpolations lie between samples. Where the generator's
images are smaller than the dataset's, real images are averaged down to its resolution first.

It takes all GPUs of the machine, through torchrun; on several machines start `torchrun -m
components.evaluate_generation ...` on each. The images are shared out; their number changes no sample and no order.

Parameters read: evaluate_generation.
"""

import argparse
import os
import sys
from pathlib import Path

from components.artifacts.command import run
from components.artifacts.dataset import open_dataset
from components.artifacts.feature_network import load_feature_network
from components.artifacts.files import new_directory
from components.artifacts.metrics import write_metrics
from components.artifacts.model import load_model
from components.artifacts.parameters import EvaluateGeneration, load
from components.artifacts.ranks import all_ranks, torchrun_for_all_gpus
from components.evaluate_generation.evaluate import evaluate
from components.evaluate_generation.imported_statistics import read_statistics
from components.evaluate_generation.pictures import save_pictures
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
    parser.add_argument(
        "--reference-statistics",
        type=Path,
        metavar="FILE",
        help="an .npz with mu and sigma of another reference on the same feature network: the Fréchet distance to it "
        "is measured as well, as ..._imported",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="folder in which statistics of the train split are kept for later runs; without it they are measured anew",
    )
    parser.add_argument("--output", type=Path, required=True, help="folder to write, replaced if it exists")
    args = parser.parse_args()

    if torchrun := torchrun_for_all_gpus("components.evaluate_generation", sys.argv[1:]):
        os.execv(torchrun[0], torchrun)

    (parameters,) = load(args.params, evaluate_generation=EvaluateGeneration)
    model, dataset = load_model(args.model), open_dataset(args.dataset)
    network = load_feature_network(args.feature_network)
    imported = None
    if args.reference_statistics:
        imported = read_statistics(args.reference_statistics, network.feature_size)
    with all_ranks() as ranks:
        found = evaluate(model, dataset, network, parameters, ranks, args.cache, imported)
        if found is not None:
            with new_directory(args.output, known_by="metrics.json") as directory:
                write_metrics(directory, found.metrics)
                save_pictures(directory, model, dataset, parameters, found.memorisation, ranks.device)
            print(summary(found.metrics))
            pictures = sorted(path.name for path in args.output.glob("*.png"))
            print(f"pictures in {args.output}: {', '.join(pictures)}")
        ranks.wait()


if __name__ == "__main__":
    run(main)

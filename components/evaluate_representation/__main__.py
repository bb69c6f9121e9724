"""`python -m components.evaluate_representation`; see `--help`."""

import argparse
import os
import sys
from pathlib import Path

from components.artifacts.command import run
from components.artifacts.dataset import open_dataset
from components.artifacts.model import load_model
from components.artifacts.parameters import EvaluateRepresentation, load
from components.artifacts.ranks import all_ranks, torchrun_for_all_gpus
from components.evaluate_representation.evaluate import evaluate
from components.evaluate_representation.features_file import parse

DESCRIPTION = """\
Measures what the encoder's features are worth: a linear probe (all labels, and few labels) and k nearest neighbours,
on the test split, which training never saw. The probe is fitted on train; its penalty is chosen on validation.

Views of an image: AvePool, BN+CReLU and mu of the trained encoder; as references, by the same protocol, the raw
pixels, AvePool and BN+CReLU of an untrained encoder of the same shape, the discriminator's features, and whatever
features you bring. The encoder stays as it is.

Features are computed once, on all GPUs of the machine, and kept in --cache by weights and dataset: a later run takes
them from there. It may be deleted at any time. Neither features nor neighbours are ever held in memory as a whole.

A dataset without labels, or with one class only, gives empty metrics that say so, and the picture of neighbours. A
model without an encoder gives empty metrics that say so, and no picture.
"""

OUTPUTS = """\
written to --output:
  metrics.json     fractions in [0, 1], such as linear_top1_bn_crelu_test, linear_top5_avepool_test,
                   linear_top1_pixels_10_per_class_test_mean, linear_top5_bn_crelu_1_percent_test_mean,
                   knn5_top1_untrained_avepool_test, linear_top1_features_dino_test (for --features dino=FILE)
  protocol.json    all that two runs must share for these numbers to be comparable; and what validation selected
  per_class.csv    accuracy of the linear probe by class, a column per view
  per_class.png    the same, of the trained view that is best on validation
  confusion.png    what that probe takes for what
  neighbours.png   test images beside their nearest train images

section read from --params: evaluate_representation
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m components.evaluate_representation",
        description=DESCRIPTION,
        epilog=OUTPUTS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--params", type=Path, required=True, metavar="FILE", help="resolved.yaml, made by compose")
    parser.add_argument("--model", type=Path, required=True, metavar="DIR", help="the model, made by train")
    parser.add_argument("--dataset", type=Path, required=True, metavar="DIR", help="the dataset, made by prepare")
    parser.add_argument("--cache", type=Path, required=True, metavar="DIR", help="where features are kept and found")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where the metrics go; replaced")
    parser.add_argument(
        "--features",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="features of any other network, as .npz with the arrays train, validation and test, each N×F in the "
        "order of the dataset's images (docs/evaluation.md); may be given several times",
    )
    args = parser.parse_args()
    files = parse(args.features)
    if torchrun := torchrun_for_all_gpus("components.evaluate_representation", sys.argv[1:]):
        os.execv(torchrun[0], torchrun)
    (parameters,) = load(args.params, evaluate_representation=EvaluateRepresentation)
    with all_ranks() as ranks:
        model, dataset = load_model(args.model), open_dataset(args.dataset)
        for line in evaluate(model, dataset, parameters, files, args.cache, args.output, ranks):
            print(line)


if __name__ == "__main__":
    run(main)

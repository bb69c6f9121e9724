"""`python -m components.evaluate_representation`; see `--help`."""

import argparse
from pathlib import Path

from components.artifacts.command import run
from components.artifacts.dataset import open_dataset
from components.artifacts.model import load_model
from components.artifacts.parameters import EvaluateRepresentation, load
from components.evaluate_representation.evaluate import evaluate

DESCRIPTION = """\
Measures what the encoder's features are worth: a linear probe (all labels, and few labels) and k nearest neighbours,
on the test split, which training never saw. The probe is fitted on train; its penalty is chosen on validation.

Views of an image: AvePool, BN+CReLU and mu of the trained encoder; as references, by the same protocol, the raw
pixels, and AvePool and BN+CReLU of an untrained encoder of the same shape. The encoder stays as it is.

A dataset without labels, or with one class only, gives empty metrics that say so, and the picture of neighbours. A
model without an encoder gives empty metrics that say so, and no picture.
"""

OUTPUTS = """\
written to --output:
  metrics.json     fractions in [0, 1], such as linear_top1_bn_crelu_test, linear_top5_avepool_test,
                   linear_top1_pixels_10_per_class_test_mean, knn5_top1_untrained_avepool_test
  protocol.json    all that two runs must share for these numbers to be comparable; and what validation selected
  confusion.png    the linear probe of the trained view that is best on validation, measured on test
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
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where the metrics go; replaced")
    args = parser.parse_args()
    (parameters,) = load(args.params, evaluate_representation=EvaluateRepresentation)
    for line in evaluate(load_model(args.model), open_dataset(args.dataset), parameters, args.output):
        print(line)


if __name__ == "__main__":
    run(main)

"""dataset -> model. Trains BigBiGAN's generator, encoder and discriminator; labels are never read.

Run the same command again after Ctrl-C, SIGTERM or a crash: training goes on from the last checkpoint in --runs and
ends with the same weights as if nothing had happened. The model folder appears when training is done: averaged
weights of G and E, D, the training log, its curves, samples and reconstructions. While it runs, new sheets of samples
and reconstructions appear under <runs>/<run>/sheets/, and `tensorboard --logdir <runs>` shows the curves.

It takes all GPUs of the machine, through torchrun (CUDA_VISIBLE_DEVICES chooses some). On several machines start
`torchrun -m components.train ...` on each. The batch is shared among the processes; their number changes no image
order and no noise.

Which layers that trains, and how much memory and computation it takes, is said in seconds by

    python -m components.train describe --params resolved.yaml
"""

import argparse
import os
import sys
from pathlib import Path

from components.artifacts import command
from components.artifacts.dataset import open_dataset
from components.artifacts.parameters import Monitoring, Recipe, load, load_together
from components.artifacts.ranks import all_ranks, torchrun_for_all_gpus
from components.train.describe.command import main as describe
from components.train.run import run


def main() -> None:
    if sys.argv[1:2] == ["describe"]:
        describe(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(
        prog="python -m components.train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--params", type=Path, required=True, metavar="FILE", help="resolved.yaml")
    parser.add_argument("--dataset", type=Path, required=True, metavar="DIR", help="what `prepare` made")
    parser.add_argument("--runs", type=Path, required=True, metavar="DIR", help="where checkpoints and logs are kept")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="the model folder to write")
    flags = parser.parse_args()
    if torchrun := torchrun_for_all_gpus("components.train", sys.argv[1:]):
        os.execv(torchrun[0], torchrun)
    recipe = load_together(flags.params, Recipe)
    (monitoring,) = load(flags.params, monitoring=Monitoring)
    with all_ranks() as ranks:
        directory = run(open_dataset(flags.dataset), recipe, monitoring, ranks, flags.runs, flags.output)
        if ranks.writes:
            print(f"model: {flags.output}  (log, checkpoints and sheets: {directory})")


if __name__ == "__main__":
    command.run(main)

"""Makes the dataset that all other steps read, from a folder of images or from arrays.

A folder may hold JPEG, PNG, WebP, BMP, GIF and TIFF files, as deep as you like. If every image lies in a sub-folder,
the names of the first-level sub-folders are the labels; else there are none. If the top level is train/, test/ and
perhaps val/ or validation/, these are the splits, and the same holds beneath each; else the splits are drawn
(prepare.split_seed). Linked files are read, linked folders are not followed, hidden files are passed over.
A .npz file holds `images` (uint8, N×H×W or N×H×W×C) and perhaps `labels` (integers).

Each image is turned upright, laid over white where it is transparent, cropped to its centre, and scaled to image.size
and image.channels. Files that cannot be read are listed in rejected.csv with the reason; more of them than
prepare.maximum_rejected_fraction stop the step. Labels are for evaluation; training never reads them.
"""

import argparse
import sys
from pathlib import Path

from components.artifacts.command import run
from components.artifacts.parameters import Image, Prepare, load
from components.prepare.build import prepare
from components.prepare.summary import summary, warnings


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m components.prepare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", type=Path, required=True, help="a folder of images, or a .npz file")
    parser.add_argument("--params", type=Path, required=True, help="resolved.yaml; reads its sections image, prepare")
    parser.add_argument("--output", type=Path, required=True, help="the dataset's folder; a dataset there is replaced")
    args = parser.parse_args()
    image, parameters = load(args.params, image=Image, prepare=Prepare)
    manifest = prepare(args.source, args.output, image, parameters)
    for line in warnings(manifest):
        print(f"warning: {line}", file=sys.stderr)
    print("\n".join(summary(manifest)))
    print(f"{args.output}: version {manifest['version'][:12]}; look at {args.output / 'contact_sheet.png'}")


if __name__ == "__main__":
    run(main)

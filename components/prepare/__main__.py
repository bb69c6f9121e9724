"""Makes the dataset that all other steps read, from whatever images there are.

A folder may hold JPEG, PNG, WebP, BMP, GIF and TIFF files, as deep as you like. If every image lies in a sub-folder,
the names of the first-level sub-folders are the labels; else there are none. If the top level is train/ with test/ or
val/ (or both), these are the splits, and the same holds beneath each; else the splits are drawn (prepare.split_seed).
Linked files are read, linked folders are not followed, hidden files are passed over. ImageNet's folders are known:
val/ becomes the test split, LOC_synset_mapping.txt names the classes. The same rules hold for a .tar, .tar.gz,
.tar.bz2, .tar.xz or .zip archive, which is read and never extracted, and for s3://bucket/prefix on any S3 server
(AWS's environment variables say which, and with what credentials).
A list, .csv or .jsonl, has a `path` for each image, perhaps a `label` and a `split`.
MNIST's idx files: the folder with them. A .npz file holds `images` (uint8, N×H×W or N×H×W×C) and perhaps `labels`.

Each image is turned upright, laid over white where it is transparent, cropped to its centre, scaled to image.size and
image.channels, and brought to sRGB if a colour profile is embedded. Files that cannot be read are listed in
rejected.csv with the reason; more of them than prepare.maximum_rejected_fraction stop the step, and so do images that
lie in two splits (prepare.duplicates_across_splits). Labels are for evaluation; training never reads them.
Stopped or killed, the same command goes on where it was: what is done lies beside the output, in .unfinished-…
"""

import argparse
import sys
from pathlib import Path

import torch

from components.artifacts.command import run
from components.artifacts.parameters import Image, Prepare, load
from components.prepare.build import prepare
from components.prepare.summary import summary, warnings


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m components.prepare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", required=True, help="a folder, an archive, a list, idx or .npz files, or s3://…")
    parser.add_argument("--params", type=Path, required=True, help="resolved.yaml; reads its sections image, prepare")
    parser.add_argument("--output", type=Path, required=True, help="the dataset's folder; a dataset there is replaced")
    args = parser.parse_args()
    # Cores are shared among processes; threads within one would wait for each other.
    torch.set_num_threads(1)
    image, parameters = load(args.params, image=Image, prepare=Prepare)
    manifest = prepare(args.source, args.output, image, parameters)
    for line in warnings(manifest):
        print(f"warning: {line}", file=sys.stderr)
    print("\n".join(summary(manifest)))
    sheets = f"{args.output / 'contact_sheet.png'} and {args.output / 'data_sheet.png'}"
    print(f"{args.output}: version {manifest['version'][:12]}; look at {sheets}")


if __name__ == "__main__":
    run(main)

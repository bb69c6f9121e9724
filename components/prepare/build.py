"""Source -> dataset artifact; `components.artifacts.dataset` has its format, this file its manifest."""

import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import PIL

from components.artifacts.dataset import FORMAT, SPLITS, Split
from components.artifacts.errors import UserError
from components.artifacts.files import check_replaceable, new_directory, sha256, write_json
from components.artifacts.parameters import Image, Prepare
from components.artifacts.pictures import save_grid
from components.prepare.contact_sheet import COLUMNS, contact_sheet
from components.prepare.folder import read_folder
from components.prepare.npz import read_npz
from components.prepare.source import Source
from components.prepare.split import assign_splits
from components.prepare.write import Written, version, write_images, write_labels, write_rejected

_PRINTED_REJECTIONS = 50
_QUOTED_REJECTIONS = 3


def prepare(source_path: Path, output: Path, image: Image, parameters: Prepare) -> dict[str, Any]:
    """Makes the dataset artifact at `output` and returns its manifest.

    The same source and parameters give the same bytes, wherever the source and the output lie.

    Raises:
        UserError: the source cannot be used, too many of its images cannot, or `output` holds something else.
        OSError: the output cannot be written.
    """
    _check_places(source_path, output)
    source = read_source(source_path)
    splits = assign_splits(source.names, source.labels, source.splits, parameters)
    with new_directory(output, known_by="manifest.json") as directory:
        written = write_images(directory, source, splits, image, parameters.shard_images)
        _check_rejected(written, source, parameters.maximum_rejected_fraction)
        classes, labels = write_labels(directory, source, written.accepted)
        write_rejected(directory / "rejected.csv", written.rejected + source.others)
        _write_contact_sheet(directory, labels.get("train"))
        manifest = {
            "format": FORMAT,
            "version": version(written, labels, image),
            "image": asdict(image),
            "classes": classes,
            "splits": {name: _counts(written.accepted[name], labels.get(name), classes) for name in SPLITS},
            "source": {
                "kind": source.kind,
                "name": source.name,
                "sha256": source.content_hash(written.digests),
                "labels_from": source.labels_from,
                "splits_from": _splits_from(source),
            },
            "rejected": {
                "images": len(written.rejected),
                "of_images": len(source.names),
                "reasons": dict(Counter(reason.split(":")[0] for _, reason in written.rejected)),
                "other_files": len(source.others),
            },
            "enlarged": written.enlarged,
            "decoder": f"Pillow {PIL.__version__}",
            "parameters": {"image": asdict(image), "prepare": asdict(parameters)},
            "files": _files(directory),
        }
        write_json(directory / "manifest.json", manifest)
    return manifest


def read_source(path: Path) -> Source:
    """Raises: UserError, if there is nothing at `path`, or nothing that can be read."""
    if path.is_dir():
        return read_folder(path)
    if path.suffix.lower() == ".npz" and path.is_file():
        return read_npz(path)
    if not path.exists():
        raise UserError(f"the source {path} does not exist: give a folder of images or a .npz file")
    raise UserError(f"the source {path} is neither a folder nor a .npz file: give one of these")


def _check_places(source: Path, output: Path) -> None:
    """The output is replaced as a whole, and must not take the source with it."""
    read, replaced = source.resolve(), output.resolve()
    if read.is_relative_to(replaced) or replaced.is_relative_to(read):
        raise UserError(f"the output {output} and the source {source} lie in one another: choose another output")
    for place in (output, *output.parents):
        if place.exists() and not place.is_dir():
            raise UserError(f"the output {output} cannot be made, for {place} is a file: choose another output")
    check_replaceable(output, known_by="manifest.json")


def _check_rejected(written: Written, source: Source, maximum: float) -> None:
    rejected, images = written.rejected, len(source.names)
    too_many = len(rejected) > maximum * images
    emptied = [name for name in SPLITS if not written.accepted[name]]
    if not too_many and not emptied:
        return
    for path, reason in rejected[:_PRINTED_REJECTIONS]:
        print(f"rejected: {path}: {reason}", file=sys.stderr)
    if len(rejected) > _PRINTED_REJECTIONS:
        print(f"… and {len(rejected) - _PRINTED_REJECTIONS} more", file=sys.stderr)
    quoted = "; ".join(f"{path} ({reason})" for path, reason in rejected[:_QUOTED_REJECTIONS])
    quoted += "; …" if len(rejected) > _QUOTED_REJECTIONS else ""
    share = f"{len(rejected)} of {images} images ({len(rejected) / images:.1%})"
    if too_many:
        raise UserError(
            f"{share} cannot be used, more than prepare.maximum_rejected_fraction = {maximum} allows: {quoted}: "
            "mend or remove them, or allow more by that parameter"
        )
    raise UserError(f"no image is left for {' and '.join(emptied)}, after {share} were rejected: {quoted}: mend them")


def _write_contact_sheet(directory: Path, train_labels: np.ndarray | None) -> None:
    shards = [np.load(path, mmap_mode="r") for path in sorted((directory / "train").glob("images-*.npy"))]
    save_grid(directory / "contact_sheet.png", contact_sheet(Split(shards, train_labels)), COLUMNS)


# ----------------------------------------------------------------------------------------------- manifest


def _counts(accepted: list[int], labels: np.ndarray | None, classes: list[str] | None) -> dict[str, Any]:
    """Images in a split, and of each class, in the order of `classes`."""
    per_class = None if labels is None or classes is None else np.bincount(labels, minlength=len(classes)).tolist()
    return {"images": len(accepted), "images_per_class": per_class}


def _splits_from(source: Source) -> str:
    if source.splits is None:
        return "drawn by prepare.split_seed"
    if "validation" in source.splits:
        return "the source's folders"
    return "the source's folders; validation drawn from train by prepare.split_seed"


def _files(directory: Path) -> dict[str, dict[str, Any]]:
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    return {
        path.relative_to(directory).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256(path)} for path in paths
    }

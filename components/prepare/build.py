"""Source -> dataset artifact; `components.artifacts.dataset` has its format, this file its manifest."""

import hashlib
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

import numpy as np

from components.artifacts.dataset import FORMAT, SPLITS, Split
from components.artifacts.errors import UserError
from components.artifacts.files import check_replaceable, replace_directory, sha256, write_json
from components.artifacts.parameters import Image, Prepare
from components.artifacts.pictures import save_grid
from components.prepare.contact_sheet import COLUMNS, contact_sheet
from components.prepare.data_sheet import draw_data_sheet
from components.prepare.duplicates import find_duplicates, treat_leaks
from components.prepare.sources.choose import read_source
from components.prepare.sources.s3 import SCHEME
from components.prepare.sources.source import Source
from components.prepare.split import assign_splits
from components.prepare.statistics import images_per_class, pixels, source_sizes
from components.prepare.unfinished import key_of, unfinished
from components.prepare.write import Written, rejected, version, write_images, write_labels, write_rejected

_PRINTED_REJECTIONS = 50
_QUOTED_REJECTIONS = 3
_DECODERS = ("pillow", "simplejpeg", "torch")


def prepare(place: str, output: Path, image: Image, parameters: Prepare) -> dict[str, Any]:
    """Makes the dataset artifact at `output` from the source at `place`, and returns its manifest.

    The same source and parameters give the same bytes, wherever the source and the output lie, and however often the
    work was stopped. What is done stays beside the output until all is done (`unfinished.py`).

    Raises:
        UserError: the source cannot be used, too many of its images cannot, some are in two splits, or `output` holds
            something else.
        OSError: the output cannot be written.
    """
    output = output.resolve()
    _check_places(place, output)
    source = read_source(place)
    splits = assign_splits(source.names, source.labelling.labels, source.labelling.splits, parameters)
    depends_on = {
        "source": source.fingerprint,
        "splits": hashlib.sha256("\n".join(splits).encode()).hexdigest(),
        "image": asdict(image),
        "shard_images": parameters.shard_images,
        "decoders": _decoders(),
    }
    with unfinished(output, key_of(depends_on)) as folder:
        written = write_images(folder, source, splits, image, parameters.shard_images)
        _check_rejected(written, source, parameters.maximum_rejected_fraction)
        leaks = treat_leaks(find_duplicates(written), written, source.names, parameters.duplicates_across_splits)
        _check_not_emptied(written, f"{leaks['dropped']} duplicates were dropped: change prepare.split_seed")
        manifest = _finish(folder / "dataset", source, written, image, parameters, leaks)
        replace_directory(output, folder / "dataset")
    return manifest


def _finish(
    directory: Path, source: Source, written: Written, image: Image, parameters: Prepare, leaks: dict[str, Any]
) -> dict[str, Any]:
    """Writes all that is not shards, and closes the shards' gaps."""
    _remove_leftovers(directory)
    pixel_hashes = {
        name: shards.close_gaps(written.accepted[written.split == number])
        for number, (name, shards) in enumerate(written.shards.items())
    }
    classes, labels = write_labels(directory, source, written)
    lines = rejected(source, written)
    write_rejected(directory / "rejected.csv", lines + source.others)
    _write_contact_sheet(directory, labels.get("train"))
    per_class, counts = images_per_class(labels, classes), {name: len(written.of(name)) for name in SPLITS}
    manifest = {
        "format": FORMAT,
        "version": version(counts, pixel_hashes, labels, image),
        "image": asdict(image),
        "classes": classes,
        "splits": {name: {"images": counts[name], "images_per_class": per_class[name]} for name in SPLITS},
        "source": {
            "kind": source.kind,
            "name": source.name,
            "sha256": source.content_hash(_content_digests(written)),
            "labels_from": source.labelling.labels_from,
            "splits_from": _splits_from(source),
        },
        "rejected": {
            "images": len(lines),
            "of_images": len(source.names),
            "reasons": dict(Counter(reason.split(":")[0] for _, reason in lines)),
            "other_files": len(source.others),
        },
        "enlarged": int((written.records["short_side"][written.accepted] < image.size).sum()),
        "source_sizes": source_sizes(written),
        "pixels": pixels(written, image),
        "duplicates": leaks,
        "decoder": _decoders(),
        "parameters": {"image": asdict(image), "prepare": asdict(parameters)},
    }
    draw_data_sheet(manifest, directory / "data_sheet.png")
    manifest["files"] = _files(directory)
    write_json(directory / "manifest.json", manifest)
    return manifest


# ----------------------------------------------------------------------------------------------- refusals


def _check_places(place: str, output: Path) -> None:
    """The output is replaced as a whole, and must not take the source with it."""
    if not place.startswith(SCHEME):
        read = Path(place).resolve()
        if read.is_relative_to(output) or output.is_relative_to(read):
            raise UserError(f"the output {output} and the source {place} lie in one another: choose another output")
    for above in (output, *output.parents):
        if above.exists() and not above.is_dir():
            raise UserError(f"the output {output} cannot be made, for {above} is a file: choose another output")
    check_replaceable(output, known_by="manifest.json")


def _check_rejected(written: Written, source: Source, maximum: float) -> None:
    lines, images = rejected(source, written), len(source.names)
    too_many = len(lines) > maximum * images
    if not too_many and all(len(written.of(name)) for name in SPLITS):
        return
    for path, reason in lines[:_PRINTED_REJECTIONS]:
        print(f"rejected: {path}: {reason}", file=sys.stderr)
    if len(lines) > _PRINTED_REJECTIONS:
        print(f"… and {len(lines) - _PRINTED_REJECTIONS} more", file=sys.stderr)
    quoted = "; ".join(f"{path} ({reason})" for path, reason in lines[:_QUOTED_REJECTIONS])
    quoted += "; …" if len(lines) > _QUOTED_REJECTIONS else ""
    share = f"{len(lines)} of {images} images ({len(lines) / images:.1%})"
    if too_many:
        raise UserError(
            f"{share} cannot be used, more than prepare.maximum_rejected_fraction = {maximum} allows: {quoted}: "
            "mend or remove them, or allow more by that parameter"
        )
    _check_not_emptied(written, f"{share} were rejected: {quoted}: mend them")


def _check_not_emptied(written: Written, after: str) -> None:
    emptied = [name for name in SPLITS if not len(written.of(name))]
    if emptied:
        raise UserError(f"no image is left for {' and '.join(emptied)}, after {after}")


# ------------------------------------------------------------------------------------------------- parts


def _remove_leftovers(directory: Path) -> None:
    """What a run that was killed while it finished has left; shards stay."""
    for path in directory.iterdir():
        if path.name not in SPLITS:
            path.unlink()
    for path in directory.glob("*/labels.npy"):
        path.unlink()


def _write_contact_sheet(directory: Path, train_labels: np.ndarray | None) -> None:
    shards = [np.load(path, mmap_mode="r") for path in sorted((directory / "train").glob("images-*.npy"))]
    save_grid(directory / "contact_sheet.png", contact_sheet(Split(shards, train_labels)), COLUMNS)


def _content_digests(written: Written) -> Iterator[bytes]:
    """Of each image; empty if it could not be read."""
    for digest in written.records["content"]:
        yield digest.tobytes() if digest.any() else b""


def _splits_from(source: Source) -> str:
    splits, given = source.labelling.splits, source.labelling.splits_from
    if splits is None:
        return f"drawn by prepare.split_seed{f' from {given}' if given else ''}"
    return given if "validation" in splits else f"{given}; validation drawn from train by prepare.split_seed"


def _decoders() -> str:
    return ", ".join(f"{name} {version_of(name)}" for name in _DECODERS)


def _files(directory: Path) -> dict[str, dict[str, Any]]:
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    return {
        path.relative_to(directory).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256(path)} for path in paths
    }

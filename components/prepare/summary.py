"""What a person should read once a dataset is made."""

from typing import Any

from components.artifacts.dataset import SPLITS


def summary(manifest: dict[str, Any]) -> list[str]:
    """A few lines on what was made, from the manifest."""
    size, channels = manifest["image"]["size"], manifest["image"]["channels"]
    counts = ", ".join(f"{manifest['splits'][name]['images']:,} {name}" for name in SPLITS)
    classes, rejected, source = manifest["classes"], manifest["rejected"], manifest["source"]
    named = "no labels" if classes is None else f"{len(classes)} {'class' if len(classes) == 1 else 'classes'}"
    lines = [
        f"{counts} images of {size}×{size}×{channels}; splits: {source['splits_from']}",
        f"{named} ({source['labels_from']})",
    ]
    if rejected["images"] or rejected["other_files"]:
        lines.append(
            f"rejected {rejected['images']:,} of {rejected['of_images']:,} images; passed over "
            f"{rejected['other_files']:,} other entries; rejected.csv lists both"
        )
    if manifest["enlarged"]:
        lines.append(f"enlarged {manifest['enlarged']:,} images that are smaller than {size} px")
    duplicates = manifest["duplicates"]
    repeated = sum(duplicates["within_splits"].values())
    if repeated or duplicates["across_splits"]:
        lines.append(
            f"equal pixel for pixel: {repeated:,} images to another of their split, {duplicates['across_splits']:,} to "
            f"one of another split, of which {duplicates['dropped']:,} were dropped"
        )
    return lines


def warnings(manifest: dict[str, Any]) -> list[str]:
    """What may not be as the person meant it."""
    duplicates = manifest["duplicates"]
    leaks = duplicates["across_splits"] - duplicates["dropped"]
    said = [f"{leaks:,} images lie in two splits: what is measured on them is not new to the model"] if leaks else []
    return said + _about_labels(manifest)


def _about_labels(manifest: dict[str, Any]) -> list[str]:
    classes = manifest["classes"]
    if classes is None:
        mixed = "the others do" in manifest["source"]["labels_from"]
        return ["images lie both in and outside of sub-folders, so none gets a label"] if mixed else []
    if len(classes) == 1:
        return [f"there is one class only, {classes[0]}: accuracy on it means nothing"]
    train = manifest["splits"]["train"]["images_per_class"]
    lacking = [name for name, count in zip(classes, train, strict=True) if count == 0]
    return [f"{len(lacking)} classes have no training image, such as {lacking[0]}"] if lacking else []

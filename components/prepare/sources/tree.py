"""What a tree of names says about labels and splits: the same rules for a folder, an archive and a bucket.

| layout | labels | splits |
|---|---|---|
| every image in a sub-folder | name of the first-level sub-folder | drawn |
| images at the top level, or there and in sub-folders | none | drawn |
| nothing but `train/` and `test/`, `val/` or both (or `validation/`) | by the two rules above, beneath each | kept |

Where there are `train/` and `val/` but no `test/`, as in ImageNet, `val/` is the official split, on which results are
reported: it becomes test. A `test/` without class folders beside a `train/` with them (ImageNet's own, whose labels
are secret) is passed over. A `val/` without class folders gets its labels from Kaggle's LOC_val_solution.csv at the
top of the tree, never from a guess. Classes that are named there by LOC_synset_mapping.txt or synset_words.txt carry
the first of their words: "n01440764 tench".
"""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from components.artifacts.errors import UserError
from components.prepare.sources.source import Labelling, numbered, printable

SPLIT_FOLDERS = {b"train": "train", b"val": "validation", b"validation": "validation", b"test": "test"}
_CLASS_NAMES = (b"LOC_synset_mapping.txt", b"synset_words.txt")
_VAL_LABELS = b"LOC_val_solution.csv"
LABEL_FILES = (*_CLASS_NAMES, _VAL_LABELS)
READ_FOR_LABELS = "read for labels and class names"
OFFICIAL = "the official split, on which results are reported"


@dataclass(frozen=True)
class Tree:
    """The images of a tree that are taken.

    Attributes:
        names: sorted.
        others: (path, reason) of all other entries.
    """

    names: list[bytes]
    labelling: Labelling
    others: list[tuple[str, str]]


def read_tree(place: str, names: list[bytes], others: list[tuple[str, str]], label_files: dict[bytes, bytes]) -> Tree:
    """Args:
        place: what the tree is, for messages.
        names: of the images, unique, with "/" between folders.
        others: (path, reason) of what is no image.
        label_files: contents of those of `LABEL_FILES` that lie at the top of the tree.

    Raises:
        UserError: there is no image, split folders are incomplete or double, or labels are missing.
    """
    if not names:
        raise UserError(_nothing_found(place, others))
    names = sorted(names)
    splits = _split_folders(place, names)
    if splits is None:
        labelling = _labelled_by_folder(names, 0, label_files)
    else:
        names, splits, passed_over = _without_unlabelled_test(names, splits)
        others = others + passed_over
        labelling = _official(place, names, splits, bool(passed_over), label_files)
    return Tree(names, labelling, sorted(others))


def _nothing_found(place: str, others: list[tuple[str, str]]) -> str:
    if not others:
        return f"{place} is empty: give a folder with images in it"
    linked = sum("link to a folder" in reason for _, reason in others)
    hint = f" ({linked} linked folders were not followed: copy them, or link the files)" if linked else ""
    return f"{place} holds no image, only {len(others)} other entries, such as {others[0][0]} ({others[0][1]}){hint}"


# ------------------------------------------------------------------------------------------------- splits


def _split_folders(place: str, names: list[bytes]) -> list[str] | None:
    """The split of each image by its top-level folder, if there are no other top-level folders and no images."""
    if any(b"/" not in name for name in names):
        return None
    tops = sorted({name.partition(b"/")[0] for name in names})
    if any(top.lower() not in SPLIT_FOLDERS for top in tops):
        return None
    found = [SPLIT_FOLDERS[top.lower()] for top in tops]
    shown = ", ".join(map(printable, tops))
    if len(set(found)) < len(found):
        raise UserError(f"{place} has the folders {shown}, which name a split twice: put them together")
    if "train" not in found or len(found) == 1:
        raise UserError(
            f"{place} has no other folders with images than {shown}: these name splits, which need train and one of "
            f"test and val; rename them, or give {place}/{printable(tops[0])} as the source to have its images split"
        )
    return [SPLIT_FOLDERS[name.partition(b"/")[0].lower()] for name in names]


def _without_unlabelled_test(
    names: list[bytes], splits: list[str]
) -> tuple[list[bytes], list[str], list[tuple[str, str]]]:
    flat = _flat(names, splits)
    if "test" not in flat or not (flat["train"] == 0.0 and flat["test"] == 1.0):
        return names, splits, []
    taken = [index for index, split in enumerate(splits) if split != "test"]
    reason = "in a test folder without class folders, beside a train folder with them: passed over"
    passed_over = [(printable(name), reason) for name, split in zip(names, splits, strict=True) if split == "test"]
    return [names[index] for index in taken], [splits[index] for index in taken], passed_over


def _official(
    place: str, names: list[bytes], splits: list[str], test_passed_over: bool, label_files: dict[bytes, bytes]
) -> Labelling:
    flat = _flat(names, splits)
    from_list = None
    if flat["train"] == 0.0 and flat.get("validation") == 1.0:
        if _VAL_LABELS not in label_files:
            raise UserError(
                f"{place} has class folders in train but none in val, so that val has no labels, and they are not "
                f"guessed: put Kaggle's {_VAL_LABELS.decode()} at the top of the source, or sort val into class "
                "folders, or give a .csv list of path, label and split as the source"
            )
        from_list = _val_labels(label_files[_VAL_LABELS])
    labelling = _labelled_by_folder(names, 1, label_files, splits, from_list)
    splits_from = "the source's folders"
    if "test" not in flat and "validation" in flat:
        splits = validation_as_test(splits)
        splits_from += f", val as test: {OFFICIAL}"
    if test_passed_over:
        splits_from += "; its test, which has no labels, passed over"
    only_train = "test" not in flat and "validation" not in flat
    return Labelling(
        labelling.classes, labelling.labels, labelling.labels_from, None if only_train else splits, splits_from
    )


def validation_as_test(splits: list[str]) -> list[str]:
    return ["test" if split == "validation" else split for split in splits]


def _flat(names: list[bytes], splits: list[str]) -> dict[str, float]:
    """Of each split that there is, the share of images that lie in no class folder."""
    images = Counter(splits)
    flat = Counter(split for name, split in zip(names, splits, strict=True) if name.count(b"/") == 1)
    return {split: flat[split] / images[split] for split in images}


# ------------------------------------------------------------------------------------------------- labels


def _labelled_by_folder(
    names: list[bytes],
    depth: int,
    label_files: dict[bytes, bytes],
    splits: list[str] | None = None,
    val_labels: dict[bytes, bytes] | None = None,
) -> Labelling:
    """Labels by the folder at `depth`, or for the validation images by `val_labels` (file name -> class)."""
    beneath = " beneath the split folders" if depth else ""
    listed = [] if val_labels is None or splits is None else [split == "validation" for split in splits]
    in_none = sum(name.count(b"/") == depth for name in names) - sum(listed)
    if in_none == len(names):
        return Labelling(None, None, f"none: the images lie in no sub-folder{beneath}")
    if in_none:
        return Labelling(
            None, None, f"none: {in_none} of {len(names)} images lie in no sub-folder{beneath}, the others do"
        )

    def of_each() -> Iterator[bytes]:
        for index, name in enumerate(names):
            if listed and listed[index]:
                assert val_labels is not None
                yield _listed_label(name, val_labels)
            else:
                yield name.split(b"/", depth + 1)[depth]

    classes, labels = numbered(of_each())
    labels_from = f"names of the first-level sub-folders{beneath}"
    labels_from += f"; of val, {_VAL_LABELS.decode()}" if listed else ""
    shown, named_by = _class_names(classes, label_files)
    return Labelling(shown, labels, labels_from + (f"; their words, {named_by}" if named_by else ""))


def _listed_label(name: bytes, val_labels: dict[bytes, bytes]) -> bytes:
    stem = name.rpartition(b"/")[2].partition(b".")[0]
    if stem not in val_labels:
        raise UserError(f"{_VAL_LABELS.decode()} has no line for {printable(name)}: take the list that belongs to val")
    return val_labels[stem]


def _val_labels(content: bytes) -> dict[bytes, bytes]:
    """Image name without extension -> class, from lines like `ILSVRC2012_val_00000001,n01751748 111 108 495 370`."""
    labels = {}
    for row in csv.reader(content.decode("utf-8", "surrogateescape").splitlines()[1:]):
        if len(row) != 2 or not row[1].split():
            raise UserError(f"{_VAL_LABELS.decode()} has the line {','.join(row)!r}, not an image and its class")
        labels[row[0].encode("utf-8", "surrogateescape")] = row[1].split()[0].encode("utf-8", "surrogateescape")
    return labels


def _class_names(classes: list[bytes], label_files: dict[bytes, bytes]) -> tuple[list[str], str]:
    """Each class with the first of its words, and the file that has them, if one names any of the classes."""
    for name in _CLASS_NAMES:
        lines = [line.strip().partition(b" ") for line in label_files.get(name, b"").splitlines()]
        words = {synset: text.partition(b",")[0].strip() for synset, _, text in lines}
        if any(words.get(folder) for folder in classes):
            joined = [folder + b" " + words[folder] if words.get(folder) else folder for folder in classes]
            return [printable(folder) for folder in joined], name.decode()
    return [printable(folder) for folder in classes], ""

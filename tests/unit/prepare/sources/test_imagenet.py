"""ImageNet's folders: its official split, its unlabelled test, a flat val, and the words of its synsets."""

from pathlib import Path

import pytest

from components.artifacts.errors import UserError
from components.artifacts.parameters import Prepare
from components.prepare.sources.folder import read_folder
from components.prepare.split import assign_splits

TENCH, GOLDFISH = "n01440764", "n01443537"
PARAMETERS = Prepare(
    split_seed=0, validation_fraction=0.1, test_fraction=0.1, maximum_rejected_fraction=0.05,
    duplicates_across_splits="refuse", shard_images=100,
)  # fmt: skip
TRAIN = [f"train/{synset}/{synset}_{number}.JPEG" for synset in (TENCH, GOLDFISH) for number in range(10)]
VAL = [f"val/{synset}/ILSVRC2012_val_0000000{number}.JPEG" for number, synset in enumerate((TENCH, GOLDFISH), 1)]
FLAT_VAL = [f"val/{Path(name).name}" for name in VAL]
TEST = ["test/ILSVRC2012_test_00000001.JPEG"]
SOLUTION = f"ImageId,PredictionString\nILSVRC2012_val_00000002,{GOLDFISH} 1 2 3 4 {GOLDFISH} 5 6 7 8\n"
SOLUTION += f"ILSVRC2012_val_00000001,{TENCH} 1 2 3 4 \n"


def tree(root: Path, files: list[str], **texts: str) -> Path:
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    for name, text in texts.items():
        suffix = "csv" if name.endswith("solution") else "txt"
        (root / f"{name}.{suffix}").write_text(text)
    return root


@pytest.mark.parametrize("rest", [[], TEST])
def test_val_becomes_test_and_validation_is_drawn_from_train(tmp_path, rest):
    source = read_folder(tree(tmp_path / "imagenet", TRAIN + VAL + rest))
    labelling = source.labelling
    assert set(labelling.splits) == {"train", "test"}
    assert [name for name, split in zip(source.names, labelling.splits, strict=True) if split == "test"] == [
        name.encode() for name in VAL
    ]
    assert labelling.splits_from.startswith("the source's folders, val as test: the official split")
    assert labelling.classes == [TENCH, GOLDFISH]
    splits = assign_splits(source.names, labelling.labels, labelling.splits, PARAMETERS)
    assert (splits.count("train"), splits.count("validation"), splits.count("test")) == (18, 2, 2)


def test_an_unlabelled_test_is_passed_over_and_listed(tmp_path):
    source = read_folder(tree(tmp_path / "imagenet", TRAIN + VAL + TEST))
    assert source.labelling.splits_from.endswith("; its test, which has no labels, passed over")
    assert source.others == [
        (TEST[0], "in a test folder without class folders, beside a train folder with them: passed over")
    ]


def test_without_val_all_splits_are_drawn_from_train_beside_an_unlabelled_test(tmp_path):
    source = read_folder(tree(tmp_path / "pictures", TRAIN + TEST))
    assert source.labelling.splits is None
    assert len(source.names) == len(TRAIN)


def test_three_labelled_splits_are_kept_as_they_are(tmp_path):
    files = [*TRAIN, *VAL, f"test/{TENCH}/1.JPEG"]
    assert (
        read_folder(tree(tmp_path / "imagenet", files)).labelling.splits
        == ["test"] + ["train"] * 20 + ["validation"] * 2
    )


def test_a_flat_val_gets_no_label_by_guess(tmp_path):
    with pytest.raises(UserError, match=r"val has no labels, and they are not guessed: put Kaggle's LOC_val_solution"):
        read_folder(tree(tmp_path / "imagenet", TRAIN + FLAT_VAL))


def test_a_flat_val_is_labelled_by_kaggles_list(tmp_path):
    source = read_folder(tree(tmp_path / "imagenet", TRAIN + FLAT_VAL, LOC_val_solution=SOLUTION))
    labels = dict(zip(source.names, source.labelling.labels.tolist(), strict=True))
    assert [source.labelling.classes[labels[name.encode()]] for name in FLAT_VAL] == [TENCH, GOLDFISH]
    assert "of val, LOC_val_solution.csv" in source.labelling.labels_from
    assert ("LOC_val_solution.csv", "read for labels and class names") in source.others


@pytest.mark.parametrize(
    ("solution", "message"),
    [
        (SOLUTION.rpartition("ILSVRC")[0], "has no line for val/ILSVRC2012_val_00000001.JPEG"),
        (SOLUTION + "odd line\n", "has the line 'odd line'"),
    ],
)
def test_a_list_that_does_not_fit_is_refused(tmp_path, solution, message):
    with pytest.raises(UserError, match=message):
        read_folder(tree(tmp_path / "imagenet", TRAIN + FLAT_VAL, LOC_val_solution=solution))


@pytest.mark.parametrize("name", ["LOC_synset_mapping", "synset_words"])
def test_classes_carry_the_words_of_their_synsets(tmp_path, name):
    words = f"{TENCH} tench, Tinca tinca\n{GOLDFISH} goldfish, Carassius auratus\n"
    source = read_folder(tree(tmp_path / "imagenet", TRAIN + VAL, **{name: words}))
    assert source.labelling.classes == [f"{TENCH} tench", f"{GOLDFISH} goldfish"]
    assert source.labelling.labels_from.endswith(f"; their words, {name}.txt")


def test_words_for_other_classes_change_no_name(tmp_path):
    source = read_folder(tree(tmp_path / "pictures", ["cat/1.png", "dog/1.png"], synset_words=f"{TENCH} tench\n"))
    assert source.labelling.classes == ["cat", "dog"]

"""What a folder or a `.npz` file is taken for: images, labels, splits, and what is passed over."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from components.artifacts.errors import UserError
from components.prepare.build import read_source
from components.prepare.folder import read_folder
from components.prepare.npz import read_npz
from components.prepare.source import printable


def tree(root: Path, *files: str) -> Path:
    """A folder with these files in it; only their names matter here."""
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    root.mkdir(exist_ok=True)
    return root


# ------------------------------------------------------------------------------------------------- layouts


@pytest.mark.parametrize(
    ("files", "classes", "labels", "splits", "labels_from"),
    [
        (["b.png", "a.jpg"], None, None, None, "none: the images lie in no sub-folder"),
        (["dog/1.png", "cat/2.png", "cat/1.png"], ["cat", "dog"], [0, 0, 1], None, "names of the first-level sub-f"),
        (["dog/deep/er/1.png", "cat/1.png"], ["cat", "dog"], [0, 1], None, "names of the first-level sub-folders"),
        (["cat/1.png", "dog/1.png", "x.png"], None, None, None, "none: 1 of 3 images lie in no sub-folder, the oth"),
        (["all/1.png", "all/2.png"], ["all"], [0, 0], None, "names of the first-level sub-folders"),
        (["cat/1.png", "dog/readme.txt"], ["cat"], [0], None, "names of the first-level sub-folders"),
        (["cat/1.png", "readme.txt"], ["cat"], [0], None, "names of the first-level sub-folders"),
        (
            ["train/cat/1.png", "train/dog/1.png", "test/dog/1.png"],
            ["cat", "dog"],
            [1, 0, 1],
            ["test", "train", "train"],
            "names of the first-level sub-folders beneath the split folders",
        ),
        (
            ["train/1.png", "val/1.png", "test/1.png"],
            None,
            None,
            ["test", "train", "validation"],
            "none: the images lie in no sub-folder beneath the split folders",
        ),
        (
            ["Train/c/1.png", "Validation/c/1.png", "TEST/1.png"],
            None,
            None,
            ["test", "train", "validation"],
            "none: 1 of 3 images lie in no sub-folder beneath the split folders, the others do",
        ),
        (["train/1.png", "bus/1.png"], ["bus", "train"], [0, 1], None, "names of the first-level sub-folders"),
    ],
)
def test_layout(tmp_path, files, classes, labels, splits, labels_from):
    source = read_folder(tree(tmp_path / "pictures", *files))
    assert source.classes == classes
    assert (source.labels if labels is None else source.labels.tolist()) == labels
    assert source.splits == splits
    assert source.labels_from.startswith(labels_from)
    assert source.name == "pictures"
    assert source.names == sorted(source.names)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["train/1.png", "val/1.png"], "need train and test at least; rename them, or give .*train as the source"),
        (["train/a/1.png"], "need train and test at least"),
        (["train/1.png", "val/1.png", "validation/1.png", "test/1.png"], "name a split twice"),
        ([], "is empty"),
        (["a.txt", "b/c.pdf"], "holds no image, only 2 other entries, such as a.txt"),
        ([".hidden.png"], "is empty"),
    ],
)
def test_folders_that_are_refused(tmp_path, files, message):
    with pytest.raises(UserError, match=message):
        read_folder(tree(tmp_path / "pictures", *files))


# ---------------------------------------------------------------------------------- what is an image, what is not


def test_hidden_files_are_passed_over_and_others_are_listed(tmp_path):
    root = tree(
        tmp_path / "pictures",
        *["a.PNG", "b.JPEG", "photo.heic", "README.txt", ".DS_Store", "Thumbs.db", ".git/x.png", "__MACOSX/y.png"],
    )
    source = read_folder(root)
    assert source.names == [b"a.PNG", b"b.JPEG", b"photo.heic"]
    assert source.others == [("README.txt", "not an image")]


@pytest.mark.parametrize(
    ("start", "is_image"),
    [
        (b"\xff\xd8\xff\xe0", True),
        (b"\x89PNG\r\n\x1a\n", True),
        (b"GIF89a", True),
        (b"RIFF\0\0\0\0WEBP", True),
        (b"MM\0*", True),
        (b"BM" + bytes(12) + b"\x28\0\0\0", True),
        (b"BMW and other words in a text", False),
        (b"RIFF\0\0\0\0WAVE", False),
        (b"", False),
    ],
)
def test_files_without_an_image_name_are_known_by_their_first_bytes(tmp_path, start, is_image):
    root = tree(tmp_path / "pictures", "a.png")
    (root / "0a1b2c").write_bytes(start)
    assert (b"0a1b2c" in read_folder(root).names) == is_image


def test_linked_files_are_read_and_linked_folders_are_not_followed(tmp_path):
    root = tree(tmp_path / "pictures", "a.png")
    elsewhere = tree(tmp_path / "elsewhere", "b.png")
    (root / "b.png").symlink_to(elsewhere / "b.png")
    (root / "circle").symlink_to(root)
    (root / "broken.png").symlink_to(tmp_path / "nothing")
    (root / "itself.png").symlink_to(root / "itself.png")
    (root / "broken").symlink_to(tmp_path / "nothing")
    source = read_folder(root)
    assert source.names == [b"a.png", b"b.png", b"broken.png", b"itself.png"]
    assert source.others == [("broken", "not an image"), ("circle", "a link to a folder: not followed")]


def test_nothing_but_linked_folders_says_what_to_do(tmp_path):
    root = tree(tmp_path / "pictures")
    (root / "cats").symlink_to(tree(tmp_path / "elsewhere", "b.png"))
    with pytest.raises(UserError, match="1 linked folders were not followed: copy them"):
        read_folder(root)


def test_a_pipe_is_not_opened(tmp_path):
    root = tree(tmp_path / "pictures", "a.png")
    os.mkfifo(root / "pipe.png")
    (root / "link.png").symlink_to(root / "pipe.png")
    assert read_folder(root).others == [("link.png", "not a regular file"), ("pipe.png", "not a regular file")]


def test_names_that_are_no_utf8(tmp_path):
    root = tree(tmp_path / "pictures")
    folder = os.fsencode(root) + b"/gr\xfcn"
    Path(os.fsdecode(folder)).mkdir()
    Path(os.fsdecode(folder + b"/\xff.png")).write_bytes(b"x")
    source = read_folder(root)
    assert source.names == [b"gr\xfcn/\xff.png"]
    assert source.classes == [r"gr\xfcn"]


@pytest.mark.parametrize(
    ("name", "shown"), [("grün/a.png", "grün/a.png"), (b"\xff.png", r"\xff.png"), ("a\nb\x1b.png", r"a\x0ab\x1b.png")]
)
def test_printable(name, shown):
    assert printable(name) == shown


def test_a_folder_that_may_not_be_read_is_an_error(tmp_path, monkeypatch):
    root = tree(tmp_path / "pictures", "a.png", "locked/b.png")
    real = os.scandir

    def scandir(path: Path) -> object:
        if str(path).endswith("locked"):
            # Root may read anything, so the refusal is made here.
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(UserError, match="locked cannot be read: change its permissions"):
        read_folder(root)


# ----------------------------------------------------------------------------------------------------- npz


IMAGES = np.zeros((4, 8, 8), np.uint8)


def npz(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("shape", [(4, 8, 8), (4, 8, 8, 1), (4, 8, 9, 3), (4, 8, 8, 4)])
def test_npz_without_labels(tmp_path, shape):
    source = read_npz(npz(tmp_path / "a.npz", images=np.zeros(shape, np.uint8)))
    assert len(source.payloads) == 4
    assert source.labels is None
    assert source.classes is None
    assert source.labels_from == "none: there is no array `labels`"
    assert source.name == "a.npz"


def test_npz_labels_become_classes_in_the_order_of_their_numbers(tmp_path):
    source = read_npz(npz(tmp_path / "a.npz", images=IMAGES, labels=np.array([10, 2, 2, 7], np.int32)))
    assert source.classes == ["2", "7", "10"]
    assert source.labels.tolist() == [2, 0, 0, 1]
    assert source.labels_from == "the array `labels`"


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"pictures": IMAGES}, "has no array `images`"),
        ({"images": IMAGES.astype(np.float32)}, "of type float32, but it must be uint8"),
        ({"images": IMAGES[0]}, r"of shape \(8, 8\), but it must be N×H×W"),
        ({"images": np.zeros((4, 8, 8, 2), np.uint8)}, "with C 1, 3 or 4"),
        ({"images": np.zeros((4, 0, 8), np.uint8)}, "of shape"),
        ({"images": IMAGES[:0]}, "is empty"),
        ({"images": IMAGES, "labels": np.zeros(4)}, "labels is of type float64, but it must hold integers"),
        ({"images": IMAGES, "labels": np.zeros(3, int)}, r"labels is of shape \(3,\), but there are 4 images"),
        ({"images": IMAGES, "labels": np.array([0, -1, 0, 0])}, "labels holds -1"),
        ({"images": np.array([{}, []], object)}, r"not readable as \.npz"),
    ],
)
def test_npz_that_is_refused(tmp_path, arrays, message):
    with pytest.raises(UserError, match=message):
        read_npz(npz(tmp_path / "a.npz", **arrays))


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut off"])
def test_npz_that_is_damaged(tmp_path, content):
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"not readable as \.npz"):
        read_npz(path)


def test_npz_that_is_truncated_or_a_single_array(tmp_path):
    whole = npz(tmp_path / "a.npz", images=IMAGES).read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[:-100])
    np.save(tmp_path / "single.npy", IMAGES)
    shutil.move(tmp_path / "single.npy", tmp_path / "single.npz")
    with pytest.raises(UserError, match="not readable"):
        read_npz(tmp_path / "cut.npz")
    with pytest.raises(UserError, match="a single array"):
        read_npz(tmp_path / "single.npz")


# --------------------------------------------------------------------------------------------- other sources


@pytest.mark.parametrize(
    ("name", "message"),
    [("nothing", "does not exist: give a folder"), ("nothing.npz", "does not exist"), ("a.zip", "is neither a folder")],
)
def test_sources_that_are_refused(tmp_path, name, message):
    tree(tmp_path, "a.zip")
    with pytest.raises(UserError, match=message):
        read_source(tmp_path / name)

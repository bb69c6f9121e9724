"""What a folder or a `.npz` file is taken for: images, labels, splits, and what is passed over."""

import os
from pathlib import Path

import pytest

from components.artifacts.errors import UserError
from components.prepare.sources.folder import read_file, read_folder
from components.prepare.sources.source import MOST_BYTES, Unreadable, printable


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
            ["Train/c/1.png", "Validation/c/1.png", "Validation/2.png", "TEST/c/1.png"],
            None,
            None,
            ["test", "train", "validation", "validation"],
            "none: 1 of 4 images lie in no sub-folder beneath the split folders, the others do",
        ),
        (["train/1.png", "bus/1.png"], ["bus", "train"], [0, 1], None, "names of the first-level sub-folders"),
    ],
)
def test_layout(tmp_path, files, classes, labels, splits, labels_from):
    source = read_folder(tree(tmp_path / "pictures", *files))
    assert source.labelling.classes == classes
    assert (source.labelling.labels if labels is None else source.labelling.labels.tolist()) == labels
    assert source.labelling.splits == splits
    assert source.labelling.labels_from.startswith(labels_from)
    assert source.name == "pictures"
    assert source.names == sorted(source.names)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["val/1.png", "test/1.png"], "need train and one of test and val; rename them, or give .*test as the source"),
        (["train/a/1.png"], "need train and one of test and val"),
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
    assert source.labelling.classes == [r"gr\xfcn"]


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


# ------------------------------------------------------------------------------------------------- contents


@pytest.mark.parametrize("link", [False, True])
def test_a_missing_file_is_unreadable(tmp_path, link):
    path = tmp_path / "a.png"
    if link:
        path.symlink_to(tmp_path / "nothing.png")
    assert read_file(str(path)) == Unreadable("cannot be read: No such file or directory")


def test_a_file_that_became_a_pipe_is_unreadable(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    assert read_file(str(tmp_path / "a.png")) == Unreadable("not a regular file")


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    assert read_file(str(tmp_path / "a.png")).reason == "too large: a file of more than 256 MiB"


def test_a_failing_disk_stops_the_step_instead_of_shrinking_the_dataset(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(b"x")

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", fail)
        with pytest.raises(UserError, match=r"a\.png could not be read \(Input/output error\)"):
            read_file(str(tmp_path / "a.png"))


@pytest.mark.parametrize("change", ["added", "removed", "renamed", "longer", "later"])
def test_every_change_of_the_folder_changes_the_fingerprint(tmp_path, change):
    root = tree(tmp_path / "pictures", "a.png", "b.png")
    before = read_folder(root).fingerprint
    assert read_folder(root).fingerprint == before
    if change == "added":
        tree(root, "c.png")
    elif change == "removed":
        (root / "a.png").unlink()
    elif change == "renamed":
        (root / "a.png").rename(root / "aa.png")
    elif change == "longer":
        (root / "a.png").write_bytes(b"xx")
    else:
        os.utime(root / "a.png", ns=(1, 1))
    assert read_folder(root).fingerprint != before

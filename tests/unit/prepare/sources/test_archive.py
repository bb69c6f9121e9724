"""Archives, good and hostile: what is read, what is listed and not read, and what is refused as a whole."""

import gzip
import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from components.artifacts.errors import UserError
from components.artifacts.parameters import Image, Prepare
from components.prepare.build import prepare
from components.prepare.sources import archive as archive_module
from components.prepare.sources import member
from components.prepare.sources.archive import read_archive
from components.prepare.sources.source import Source, Unreadable

PARAMETERS = Prepare(
    split_seed=0, validation_fraction=0.1, test_fraction=0.1, maximum_rejected_fraction=0.05,
    duplicates_across_splits="refuse", shard_images=100,
)  # fmt: skip
Make = Callable[[Path, dict[str, bytes]], Path]


def png(number: int = 0) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (9, 8), (number, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def make_tar(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def make_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


MAKERS: dict[str, Make] = {
    "a.tar": make_tar,
    "a.tar.gz": lambda path, files: make_tar(path, files, "w:gz"),
    "a.tar.bz2": lambda path, files: make_tar(path, files, "w:bz2"),
    "a.tar.xz": lambda path, files: make_tar(path, files, "w:xz"),
    "a.zip": make_zip,
}


def contents(source: Source, wanted: np.ndarray | None = None) -> dict[bytes, object]:
    read = {}
    for indices, part in source.parts(np.ones(len(source.names), bool) if wanted is None else wanted):
        read |= dict(zip((source.names[index] for index in indices), part.contents(), strict=True))
    return read


@pytest.mark.parametrize("kind", MAKERS)
def test_members_are_read_whatever_their_order(tmp_path, kind):
    files = {f"./{folder}/{number}.png": png(number) for number in (3, 1, 2) for folder in ("dog", "cat")}
    source = read_archive(MAKERS[kind](tmp_path / kind, files | {"README.txt": b"words", "cat/.hidden.png": b"x"}))
    assert source.names == sorted(name[2:].encode() for name in files)
    assert source.labelling.classes == ["cat", "dog"]
    assert source.others == [("README.txt", "not an image")]
    assert contents(source) == {name[2:].encode(): content for name, content in files.items()}
    wanted = np.zeros(6, bool)
    wanted[[1, 4]] = True
    assert set(contents(source, wanted)) == {b"cat/2.png", b"dog/2.png"}


@pytest.mark.parametrize("kind", MAKERS)
def test_an_archive_gives_the_same_images_as_its_folder(tmp_path, kind):
    files = {f"{'ab'[number % 2]}/{number:02d}.png": png(number) for number in range(40)}
    for name, content in files.items():
        (tmp_path / "pictures" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pictures" / name).write_bytes(content)
    packed = MAKERS[kind](tmp_path / kind, {f"pictures/{name}": files[name] for name in sorted(files, reverse=True)})
    manifests = [
        prepare(str(place), tmp_path / "dataset", Image(8, 3), PARAMETERS) for place in (tmp_path / "pictures", packed)
    ]
    for key in ("version", "classes", "splits", "pixels"):
        assert manifests[0][key] == manifests[1][key]
    assert manifests[0]["source"]["sha256"] == manifests[1]["source"]["sha256"]
    assert manifests[1]["source"]["kind"] == "archive"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([kind, "dataset", "pictures"])


def test_parts_are_bounded_in_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(archive_module, "_PART_BYTES", 1000)
    source = read_archive(make_tar(tmp_path / "a.tar", {f"{n}.jpg": bytes(400) for n in range(7)}))
    sizes = [len(indices) for indices, _ in source.parts(np.ones(7, bool))]
    assert sizes == [3, 3, 1]


def test_a_folder_around_all_is_taken_off_unless_it_names_a_split(tmp_path):
    source = read_archive(make_zip(tmp_path / "a.zip", {"all/cat/1.png": b"x", "all/dog/1.png": b"x"}))
    assert source.labelling.classes == ["cat", "dog"]
    with pytest.raises(UserError, match=r"need train and one of test and val"):
        read_archive(make_zip(tmp_path / "b.zip", {"train/cat/1.png": b"x", "train/dog/1.png": b"x"}))


# -------------------------------------------------------------------------------------------------- hostile


@pytest.mark.parametrize("kind", ["a.tar", "a.zip"])
def test_paths_that_lead_out_are_listed_and_nothing_is_written(tmp_path, kind):
    files = {"../out.png": png(), "/etc/out.png": png(), "a/../../out.png": png(), "C:/out.png": png(), "in.png": png()}
    (tmp_path / "here").mkdir()
    source = read_archive(MAKERS[kind](tmp_path / "here" / kind, files))
    assert source.names == [b"in.png"]
    assert {reason for _, reason in source.others} == {
        "an absolute path: not read", "a path that leads out of the archive: not read"
    }  # fmt: skip
    assert len(source.others) == 4
    contents(source)
    assert [path.name for path in tmp_path.rglob("*")] == ["here", kind]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (tarfile.SYMTYPE, "a link in an archive: not followed"),
        (tarfile.LNKTYPE, "a link in an archive: not followed"),
        (tarfile.CHRTYPE, "not a regular file"),
        (tarfile.BLKTYPE, "not a regular file"),
        (tarfile.FIFOTYPE, "not a regular file"),
    ],
)
def test_links_and_devices_in_a_tar_are_not_followed(tmp_path, kind, reason):
    path = make_tar(tmp_path / "a.tar", {"in.png": png()})
    with tarfile.open(path, "a") as archive:
        entry = tarfile.TarInfo("odd.png")
        entry.type, entry.linkname = kind, "/etc/passwd"
        archive.addfile(entry)
    source = read_archive(path)
    assert source.names == [b"in.png"]
    assert source.others == [("odd.png", reason)]


def test_links_in_a_zip_are_not_followed(tmp_path):
    path = make_zip(tmp_path / "a.zip", {"in.png": png()})
    with zipfile.ZipFile(path, "a") as archive:
        entry = zipfile.ZipInfo("odd.png")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    assert read_archive(path).others == [("odd.png", "a link in an archive: not followed")]


def test_of_members_with_one_name_the_last_counts(tmp_path):
    path = make_tar(tmp_path / "a.tar", {"a.png": png(1)})
    with tarfile.open(path, "a") as archive:
        entry = tarfile.TarInfo("./a.png")
        entry.size = len(png(2))
        archive.addfile(entry, io.BytesIO(png(2)))
    source = read_archive(path)
    assert contents(source) == {b"a.png": png(2)}
    assert source.others == [("a.png", "replaced by a later member of the same name")]


@pytest.mark.parametrize("kind", ["a.tar", "a.zip"])
def test_names_that_are_no_utf8(tmp_path, kind):
    name = os.fsdecode(b"gr\xfcn/\xff.png") if kind == "a.tar" else "grün/ÿ.png"
    if kind == "a.tar":
        with tarfile.open(tmp_path / kind, "w", format=tarfile.GNU_FORMAT) as archive:
            archive.addfile(tarfile.TarInfo(name))
            archive.addfile(tarfile.TarInfo("a/b.png"))
    else:
        make_zip(tmp_path / kind, {"grXn/Y.png": b"", "a/b.png": b""})
        content = (tmp_path / kind).read_bytes().replace(b"grXn/Y.png", b"gr\xfcn/\xff.png")
        (tmp_path / kind).write_bytes(content)
    source = read_archive(tmp_path / kind)
    assert len(source.names) == 2
    assert len(source.labelling.classes) == 2
    assert kind != "a.tar" or (source.names[1] == b"gr\xfcn/\xff.png" and source.labelling.classes[1] == r"gr\xfcn")


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.85])
def test_a_truncated_archive_is_refused(tmp_path, kind, share):
    rng = np.random.default_rng(0)
    whole = MAKERS[kind](tmp_path / kind, {f"{n}.jpg": rng.bytes(3000) for n in range(20)}).read_bytes()
    (tmp_path / kind).write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UserError, match=r"cut off.*: fetch or make it anew|its end is missing; fetch"):
        read_archive(tmp_path / kind)


def test_a_tar_that_is_cut_between_two_members_is_refused(tmp_path):
    whole = make_tar(tmp_path / "a.tar", {f"{n}.jpg": bytes(512) for n in range(4)}).read_bytes()
    (tmp_path / "a.tar").write_bytes(whole[: 2 * 1024])
    with pytest.raises(UserError, match="is cut off: its end is missing"):
        read_archive(tmp_path / "a.tar")


@pytest.mark.parametrize("name", ["a.tar", "a.zip", "a.tar.gz"])
@pytest.mark.parametrize("content", [b"", b"no archive at all" * 99, b"PK\x03\x04 cut off", b"\x1f\x8b cut off"])
def test_what_is_no_archive_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=rf"{name} is (not readable as|cut off)"):
        read_archive(tmp_path / name)


def test_an_archive_without_images_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"holds no image, only 1 other entries, such as a.txt"):
        read_archive(make_tar(tmp_path / "a.tar", {"a.txt": b"words"}))


@pytest.mark.parametrize("kind", ["a.tar.gz", "a.tar.bz2", "a.tar.xz", "a.zip"])
def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, kind, monkeypatch):
    monkeypatch.setattr(member, "HARMLESS_BYTES", 2**20)
    path = MAKERS[kind](tmp_path / kind, {"a.png": png(), "b.png": bytes(2**22)})
    with pytest.raises(UserError, match=r"would unpack to 4,19.* more than 200 times its size"):
        read_archive(path)


def test_a_size_that_is_only_promised_is_refused_at_once(tmp_path):
    entry = tarfile.TarInfo("a.png")
    entry.size = 2**50
    with gzip.open(tmp_path / "a.tar.gz", "wb") as file:
        file.write(entry.tobuf(tarfile.GNU_FORMAT))
    with pytest.raises(UserError, match=r"would unpack to 1,125,899,906,84.* bytes"):
        read_archive(tmp_path / "a.tar.gz")


def test_a_member_of_a_zip_that_unpacks_enormously_is_rejected_alone(tmp_path):
    source = read_archive(make_zip(tmp_path / "a.zip", {"a.png": png(), "b.png": bytes(2**21)}))
    assert contents(source)[b"b.png"] == Unreadable("packed more than 200 times smaller than it says it is")
    assert contents(source)[b"a.png"] == png()


def test_a_member_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(member, "MOST_BYTES", 1000)
    read = contents(read_archive(make_tar(tmp_path / "a.tar", {"a.png": bytes(1001), "b.png": bytes(1000)})))
    assert read[b"a.png"].reason.startswith("too large")
    assert read[b"b.png"] == bytes(1000)


def test_a_damaged_member_of_a_zip_is_rejected_alone(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", b"marked content")
        archive.writestr("b.png", png())
    path.write_bytes(path.read_bytes().replace(b"marked content", b"marked cOntent"))
    read = contents(read_archive(path))
    assert read[b"a.png"].reason.startswith("corrupt: Bad CRC-32")
    assert read[b"b.png"] == png()


def test_an_encrypted_member_of_a_zip_is_rejected(tmp_path):
    path = make_zip(tmp_path / "a.zip", {"a.png": png()})
    content = bytearray(path.read_bytes())
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + place] |= 1
    path.write_bytes(content)
    assert contents(read_archive(path)) == {b"a.png": Unreadable("encrypted")}

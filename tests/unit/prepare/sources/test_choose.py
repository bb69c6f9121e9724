"""What is taken for which kind of source, and what is none."""

import os

import numpy as np
import pytest

from components.artifacts.errors import UserError
from components.prepare.sources.choose import read_source


@pytest.mark.parametrize("name", ["nothing", "nothing.npz", "nothing.tar.gz"])
def test_what_does_not_exist_is_refused_with_the_kinds(tmp_path, name):
    with pytest.raises(UserError, match=r"does not exist: give a folder of images, an archive .*\.zip.*s3://"):
        read_source(str(tmp_path / name))


@pytest.mark.parametrize("name", ["a.pdf", "a.gz", "images"])
def test_a_file_of_no_known_kind_is_refused_with_the_kinds(tmp_path, name):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UserError, match=r"is of no kind that is known: give a folder of images, an archive"):
        read_source(str(tmp_path / name))


def test_a_pipe_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(UserError, match="is of no kind"):
        read_source(str(tmp_path / "a.csv"))


def test_a_name_in_capitals_is_known(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.zeros((3, 8, 8), np.uint8))
    (tmp_path / "a.npz").rename(tmp_path / "A.NPZ")
    assert read_source(str(tmp_path / "A.NPZ")).kind == "npz"


def test_s3_without_a_bucket_is_refused():
    with pytest.raises(UserError, match="names no bucket"):
        read_source("s3://")

"""A bucket on a real S3 server (SeaweedFS, started here) as a source of images."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions
import numpy as np
import PIL.Image
import pytest

from components.artifacts.errors import UserError
from components.artifacts.parameters import Image, Prepare
from components.prepare import write
from components.prepare.build import prepare
from components.prepare.sources import s3
from components.prepare.sources.choose import read_source
from components.prepare.sources.source import Unreadable

PARAMETERS = Prepare(
    split_seed=0, validation_fraction=0.1, test_fraction=0.1, maximum_rejected_fraction=0.05,
    duplicates_across_splits="refuse", shard_images=100,
)  # fmt: skip
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}  # fmt: skip


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client whose server runs; the environment leads boto3 there."""
    folder = tmp_path_factory.mktemp("weed")
    weed = shutil.which("weed") or str(Path(sys.executable).parent / "weed")
    endpoint = f"http://127.0.0.1:{free_port()}"
    names = ("s3", "master", "volume", "filer")
    ports = [f"-{name}.port={endpoint.rpartition(':')[2] if name == 's3' else free_port()}" for name in names]
    ports += [f"-{name}.port.grpc={free_port()}" for name in ("master", "volume", "filer")]
    command = [
        weed, "mini", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-webdav=false", "-admin.ui=false",
        "-master.telemetry=false", "-bucket=pictures", *ports,
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch, (folder / "log").open("w") as log:
        for name, value in (ENVIRONMENT | {"AWS_ENDPOINT_URL_S3": endpoint}).items():
            patch.setenv(name, value)
        server = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | ENVIRONMENT, cwd=folder)
        try:
            s3._client.cache_clear()
            client = boto3.client("s3")
            wait_until_it_answers(client, server, folder / "log")
            yield client
        finally:
            server.kill()
            server.wait()
            s3._client.cache_clear()


def wait_until_it_answers(client: Any, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            client.put_object(Bucket="pictures", Key="probe/a.txt", Body=b"x")
            return
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
            assert server.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.5)


@pytest.fixture(scope="module")
def folder(bucket: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labelled pictures, and what is no picture, on the disk and in the bucket."""
    root = tmp_path_factory.mktemp("source") / "labelled"
    for number in range(40):
        path = root / ("cat", "dög")[number % 2] / f"{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.new("RGB", (9, 9), (number, 0, 0)).save(path)
    (root / "README.txt").write_text("words")
    (root / "cat" / "nameless").write_bytes((root / "cat" / "00.png").read_bytes()[:-4] + b"\0\0\0\0")
    (root / ".hidden.png").write_bytes(b"x")
    for path in root.rglob("*"):
        if path.is_file():
            bucket.put_object(Bucket="pictures", Key=f"deep/labelled/{path.relative_to(root)}", Body=path.read_bytes())
    return root


def test_a_prefix_gives_the_same_dataset_as_the_folder(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(write, "available_cores", lambda: 1)
    parameters = PARAMETERS
    manifests = [
        prepare(place, tmp_path / "dataset", Image(8, 3), parameters)
        for place in (str(folder), "s3://pictures/deep/labelled")
    ]
    for key in ("version", "classes", "splits", "rejected", "pixels", "enlarged"):
        assert manifests[0][key] == manifests[1][key]
    assert manifests[0]["source"] | {"kind": "s3"} == manifests[1]["source"]


def test_another_object_of_the_same_size_changes_the_fingerprint(bucket, folder):
    before = read_source("s3://pictures/deep/labelled/").fingerprint
    assert read_source("s3://pictures/deep/labelled").fingerprint == before
    bucket.put_object(Bucket="pictures", Key="deep/labelled/cat/00.png", Body=(folder / "cat/02.png").read_bytes())
    assert read_source("s3://pictures/deep/labelled").fingerprint != before


def test_a_list_may_name_objects_beside_files(folder, tmp_path):
    lines = [f"{folder}/cat/02.png,cat", "s3://pictures/deep/labelled/dög/01.png,dog", "s3://pictures/absent.png,dog"]
    (tmp_path / "list.csv").write_text("path,label\n" + "\n".join(lines) + "\n")
    source = read_source(str(tmp_path / "list.csv"))
    (indices, part), *_ = source.parts(np.ones(3, bool))
    found = {source.names[index]: content for index, content in zip(indices, part.contents(), strict=True)}
    assert found[f"{folder}/cat/02.png".encode()] == (folder / "cat/02.png").read_bytes()
    assert found["s3://pictures/deep/labelled/dög/01.png".encode()] == (folder / "dög/01.png").read_bytes()
    assert found[b"s3://pictures/absent.png"] == Unreadable("cannot be read: No such object")


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("s3://absent-bucket/x", r"s3://absent-bucket/x: the server answers NoSuchBucket .*check the bucket's name"),
        ("s3://pictures/nothing", r"s3://pictures/nothing is empty"),
        ("s3://pictures/probe", r"s3://pictures/probe holds no image, only 1 other entries, such as a\.txt"),
    ],
)
def test_what_cannot_be_used_is_said(bucket, uri, message):
    with pytest.raises(UserError, match=message):
        read_source(uri)


def test_a_server_that_does_not_answer_is_said(bucket, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3._client.cache_clear()
    try:
        with pytest.raises(UserError, match="check AWS_ENDPOINT_URL_S3 and the network"):
            read_source("s3://pictures/deep")
    finally:
        s3._client.cache_clear()

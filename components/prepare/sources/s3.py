"""Objects beneath an `s3://bucket/prefix` as a source; `tree.py` has what their keys say.

Any S3 server: boto3 takes the endpoint, region and credentials from AWS's own environment variables
(AWS_ENDPOINT_URL_S3, AWS_REGION, AWS_ACCESS_KEY_ID, …) or files. Objects are fetched by the decoding processes.
"""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import boto3
import botocore.config
import botocore.exceptions

from components.artifacts.errors import UserError
from components.prepare.sources.names import START_BYTES, looks_like_image, named_as_image, passed_over
from components.prepare.sources.source import (
    MOST_BYTES,
    TOO_LARGE,
    Content,
    Parts,
    Source,
    Unreadable,
    Wanted,
    in_parts,
    printable,
)
from components.prepare.sources.tree import LABEL_FILES, READ_FOR_LABELS, read_tree

SCHEME = "s3://"
# Fetches at a time in each process: most of the time of a fetch is waiting.
_FETCHES = 16
_ABSENT = ("NoSuchKey", "404")


@dataclass(frozen=True)
class Objects:
    """A part: objects by their URIs."""

    uris: list[str]

    def contents(self) -> Iterator[Content]:
        with ThreadPoolExecutor(_FETCHES) as pool:
            yield from pool.map(fetch, self.uris)


def fetch(uri: str, first_bytes: int | None = None) -> bytes | Unreadable:
    """Raises: UserError, if the server cannot be reached or refuses. An absent object is `Unreadable`."""
    bucket, key = parse(uri)
    with _said_plainly(uri):
        try:
            span = {} if first_bytes is None else {"Range": f"bytes=0-{first_bytes - 1}"}
            answer = _client().get_object(Bucket=bucket, Key=key, **span)
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in _ABSENT:
                return Unreadable("cannot be read: No such object")
            raise
        return answer["Body"].read() if answer["ContentLength"] <= MOST_BYTES else Unreadable(TOO_LARGE)


def parse(uri: str) -> tuple[str, str]:
    """Bucket and key."""
    bucket, _, key = uri.removeprefix(SCHEME).partition("/")
    if not bucket:
        raise UserError(f"{uri} names no bucket: give s3://bucket/prefix")
    return bucket, key


def read_s3(uri: str) -> Source:
    """Lists the images beneath a prefix, which is taken for a folder.

    Raises:
        UserError: the server cannot be reached or refuses; or as `read_tree`.
    """
    bucket, prefix = parse(uri)
    prefix = prefix.rstrip("/") + "/" if prefix.strip("/") else ""
    root = f"{SCHEME}{bucket}/{prefix}"
    seen: dict[bytes, bytes] = {}
    odd: list[str] = []
    others, label_files = [], {}
    for key, mark in _list(uri, bucket, prefix):
        relative = key.removeprefix(prefix)
        if key.endswith("/") or any(passed_over(part) for part in relative.split("/")):
            continue
        if relative.encode() in LABEL_FILES:
            content = fetch(root + relative)
            label_files[relative.encode()] = content if isinstance(content, bytes) else b""
            others.append((printable(relative), READ_FOR_LABELS))
            continue
        seen[relative.encode()] = mark
        if not named_as_image(relative):
            odd.append(relative)
    with ThreadPoolExecutor(_FETCHES) as pool:
        starts = pool.map(lambda relative: fetch(root + relative, START_BYTES), odd)
        for relative, start in zip(odd, starts, strict=True):
            if not (isinstance(start, bytes) and looks_like_image(start)):
                del seen[relative.encode()]
                others.append((printable(relative), "not an image"))
    tree = read_tree(uri, list(seen), others, label_files)
    listing = hashlib.sha256()
    for name in tree.names:
        listing.update(name + b"\0" + seen[name] + b"\n")
    return Source(
        kind="s3",
        name=printable(prefix.rstrip("/").rpartition("/")[2] or bucket),
        names=tree.names,
        labelling=tree.labelling,
        others=tree.others,
        fingerprint=listing.hexdigest(),
        parts=partial(_parts, root, tree.names),
    )


def _parts(root: str, names: list[bytes], wanted: Wanted) -> Parts:
    return in_parts(wanted, lambda chosen: Objects([root + names[index].decode() for index in chosen]))


def _list(uri: str, bucket: str, prefix: str) -> Iterator[tuple[str, bytes]]:
    """Yields each key and what changes with its object: ETag and size."""
    with _said_plainly(uri):
        for page in _client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for entry in page.get("Contents", []):
                yield entry["Key"], f"{entry['ETag']}:{entry['Size']}".encode()


@lru_cache(maxsize=1)
def _client() -> Any:
    retries = {"mode": "standard", "max_attempts": 8}
    return boto3.client("s3", config=botocore.config.Config(max_pool_connections=_FETCHES, retries=retries))


@contextmanager
def _said_plainly(uri: str) -> Iterator[None]:
    """Turns boto3's errors into what a person can mend."""
    try:
        yield
    except botocore.exceptions.NoCredentialsError:
        raise UserError(f"{uri}: no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY") from None
    except botocore.exceptions.ClientError as error:
        answer = error.response["Error"]
        raise UserError(
            f"{uri}: the server answers {answer['Code']} ({answer.get('Message', '')}): check the bucket's name, the "
            "credentials and what they allow"
        ) from None
    except botocore.exceptions.BotoCoreError as error:
        raise UserError(f"{uri}: {error}: check AWS_ENDPOINT_URL_S3 and the network, then run again") from None

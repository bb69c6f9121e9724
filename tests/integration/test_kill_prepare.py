"""A real `prepare`, killed for real at several points: the same command goes on and ends with the same bytes."""

import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

REPOSITORY = Path(__file__).parents[2]
IMAGES = 640
PREPARE = {
    "split_seed": 0, "validation_fraction": 0.1, "test_fraction": 0.1, "maximum_rejected_fraction": 0.05,
    "duplicates_across_splits": "drop", "shard_images": 100,
}  # fmt: skip


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise, of which some is broken and some is there twice, and the same as an archive."""
    root = tmp_path_factory.mktemp("sources")
    (root / "pictures").mkdir()
    rng = np.random.default_rng(0)
    for number in range(IMAGES):
        pixels = rng.integers(0, 256, (150, 150, 3), np.uint8)
        PIL.Image.fromarray(pixels).save(root / "pictures" / f"{number:03d}.jpg", quality=90)
    (root / "pictures" / "100.jpg").write_bytes(b"broken")
    for number in range(300, 310):
        (root / "pictures" / f"{number}.jpg").write_bytes((root / "pictures" / f"{number - 50}.jpg").read_bytes())
    with tarfile.open(root / "pictures.tar.gz", "w:gz", compresslevel=1) as archive:
        archive.add(root / "pictures", "pictures")
    return root


def start(place: Path, output: Path, **changes: object) -> subprocess.Popen[str]:
    params = output.parent / "resolved.yaml"
    params.write_text(json.dumps({"image": {"size": 32, "channels": 3}, "prepare": PREPARE | changes}))
    flags = ["--source", place, "--params", params, "--output", output]
    return subprocess.Popen(
        [sys.executable, "-m", "components.prepare", *map(str, flags)],
        cwd=REPOSITORY, env=os.environ | {"OMP_NUM_THREADS": "1"}, text=True, stderr=subprocess.PIPE,
    )  # fmt: skip


def finish(place: Path, output: Path, **changes: object) -> str:
    process = start(place, output, **changes)
    said = process.communicate(timeout=300)[1]
    assert process.returncode == 0, said
    return said


def all_bytes(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def wait_for_bytes(path: Path, count: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not path.exists() or path.stat().st_size < count:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.005)


def recorded(output: Path) -> int:
    path = output.parent / f".unfinished-{output.name}" / "outcomes"
    return path.stat().st_size if path.exists() else 0


@pytest.mark.parametrize(("kind", "kills"), [("pictures", 3), ("pictures.tar.gz", 1)])
def test_killed_again_and_again_it_ends_with_the_same_bytes(pictures, tmp_path, kind, kills):
    (tmp_path / "whole").mkdir()
    finish(pictures / kind, tmp_path / "whole" / "dataset")
    output = tmp_path / "killed" / "dataset"
    output.parent.mkdir()
    for _ in range(kills):
        before = recorded(output)
        process = start(pictures / kind, output)
        # Another record than those that were there: it went on.
        wait_for_bytes(output.parent / ".unfinished-dataset" / "outcomes", before + 1, process)
        process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=60) == -signal.SIGKILL
        assert not output.exists()
    assert "going on: " in finish(pictures / kind, output)
    assert all_bytes(output) == all_bytes(tmp_path / "whole" / "dataset")
    assert sorted(path.name for path in output.parent.iterdir()) == ["dataset", "resolved.yaml"]

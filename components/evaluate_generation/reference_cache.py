"""Statistics of the reference on disk, by all that they depend on: a later run takes them instead of the images.

    <cache>/reference-<hash of the identity>.safetensors    mean, covariance, class counts, mean pixel, held features

A file that is torn or of something else counts as absent and is written anew. Any of them may be deleted at any time.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open

from components.artifacts.files import write_bytes
from components.artifacts.ranks import Ranks
from components.evaluate_generation.reference import Reference
from components.measures.frechet_distance import Moments

FORMAT = "bigbigan-reference-statistics/1"
_NAMES = {"mean", "covariance", "class_counts", "mean_pixel", "held"}


def obtain_reference(
    cache: Path | None, identity: Mapping[str, Any], measure: Callable[[], Reference], ranks: Ranks
) -> Reference | None:
    """From the cache, if it is there, else measured by all ranks and put there. All ranks call this together.

    Args:
        cache: the folder, made if need be; None: nothing is kept.
        identity: all that the statistics depend on, as plain values.

    Returns: the reference, on the rank that writes; elsewhere perhaps None.
    """
    if cache is None:
        return measure()
    text = json.dumps({"format": FORMAT, **identity}, sort_keys=True)
    path = cache / f"reference-{hashlib.sha256(text.encode()).hexdigest()[:16]}.safetensors"
    found = _read(path, text) if ranks.writes else None
    if ranks.any(found is not None):
        return found
    reference = measure()
    if ranks.writes:
        _write(path, text, reference)
    return reference


def _read(path: Path, identity: str) -> Reference | None:
    try:
        with safe_open(path, framework="pt") as file:
            if (file.metadata() or {}).get("identity") != identity or set(file.keys()) != _NAMES:
                return None
            tensors = {name: file.get_tensor(name) for name in _NAMES}
    except (FileNotFoundError, SafetensorError):
        return None
    moments = Moments(tensors["mean"], tensors["covariance"])
    return Reference(moments, tensors["class_counts"], float(tensors["mean_pixel"]), tensors["held"])


def _write(path: Path, identity: str, reference: Reference) -> None:
    tensors = {
        "mean": reference.moments.mean,
        "covariance": reference.moments.covariance,
        "class_counts": reference.class_counts,
        "mean_pixel": torch.tensor(reference.mean_pixel, dtype=torch.float64),
        "held": reference.held,
    }
    # One metadata key: safetensors writes several in an order that differs from process to process.
    write_bytes(path, safetensors.torch.save(tensors, metadata={"identity": identity}))

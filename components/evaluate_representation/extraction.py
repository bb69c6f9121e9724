"""Features of every image, computed once, on all devices of the machine, and written to disk.

The images are cut into batches, and each rank takes its own of them. So a batch holds the same images however many
ranks there are, and the numbers are those of one process.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from components.artifacts.dataset import SPLITS, Dataset
from components.artifacts.errors import UserError
from components.artifacts.ranks import Ranks
from components.bigbigan.pixels import to_float

# Images, float32 N×C×H×W in [-1, 1], on the rank's device -> features N×F, by view.
Extract = Callable[[Tensor], dict[str, Tensor]]


@torch.no_grad()
def write_features(
    extract: Extract, dataset: Dataset, batch_size: int, directory: Path, ranks: Ranks, title: str
) -> None:
    """Writes `<view>-<split>.npy`, float32 N×F, in the dataset's order; all ranks call this together.

    Args:
        batch_size: images in a pass; no result depends on it, up to rounding.
        title: what the features are of, for the progress bar and errors.

    Raises:
        UserError: a feature is not finite. Every rank raises it.
    """

    def features(split: str, rows: slice) -> dict[str, Tensor]:
        part = getattr(dataset, split)
        images = part.images(np.arange(rows.start, min(rows.stop, len(part))))
        return extract(to_float(images).to(ranks.device))

    if ranks.writes:
        for view, first in features("train", slice(0, 1)).items():
            for split in SPLITS:
                shape = (len(getattr(dataset, split)), first.shape[1])
                np.lib.format.open_memmap(directory / f"{view}-{split}.npy", mode="w+", dtype=np.float32, shape=shape)
    ranks.wait()
    batches = [
        (split, slice(start, start + batch_size))
        for split in SPLITS
        for start in range(0, len(getattr(dataset, split)), batch_size)
    ]
    own = batches[ranks.rank :: ranks.count]
    arrays: dict[str, np.ndarray] = {}
    finite = True
    for split, rows in tqdm(own, desc=f"features, {title}", unit="batch", leave=False, disable=not ranks.writes):
        for view, values in features(split, rows).items():
            finite = finite and bool(values.isfinite().all())
            name = f"{view}-{split}.npy"
            if name not in arrays:
                arrays[name] = np.load(directory / name, mmap_mode="r+", allow_pickle=False)
            arrays[name][rows] = values.float().cpu().numpy()
    if ranks.any(not finite):
        raise UserError(f"the {title} gives features that are not finite: its weights are of no use, train again")

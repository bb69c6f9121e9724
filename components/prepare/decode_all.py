"""Many images through `decode` and into their slots, on all cores, with a bounded number of them in memory."""

import hashlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

import numpy as np
import PIL.Image
import torch

from components.artifacts.errors import UserError
from components.artifacts.parameters import Image
from components.prepare.decode import decode
from components.prepare.shards import Shards
from components.prepare.sources.source import Part
from components.prepare.unfinished import DIGEST_BYTES, record_type

_LEVELS = np.arange(256.0)


@dataclass(frozen=True)
class Task:
    """A part of the source, and for each of its images its index, its split and its slot there."""

    part: Part
    indices: list[int]
    places: list[tuple[str, int]]


@dataclass(frozen=True)
class Done:
    """What became of a task's images.

    Attributes:
        records: of those that lie in their slots now (`unfinished.record_type`).
        rejected: (index, sha256 of the content or nothing, reason) of the others.
    """

    records: np.ndarray
    rejected: list[tuple[int, bytes, str]]


def decode_all(tasks: Iterator[Task], image: Image, shards: dict[str, Shards], workers: int) -> Generator[Done]:
    """Does each task, in order, whatever the number of worker processes."""
    if workers > 1:
        yield from _in_processes(tasks, image, shards, workers)
    else:
        yield from (do(task, image, shards) for task in tasks)


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def do(task: Task, image: Image, shards: dict[str, Shards]) -> Done:
    """Decodes a task's images and writes each into its slot."""
    records = np.zeros(len(task.indices), record_type(image.channels))
    count, rejected = 0, []
    slots: dict[str, list[int]] = {split: [] for split in shards}
    images: dict[str, list[np.ndarray]] = {split: [] for split in shards}
    for index, (split, slot), content in zip(task.indices, task.places, task.part.contents(), strict=True):
        outcome = decode(content, image)
        if outcome.pixels is None:
            rejected.append((index, outcome.digest, outcome.reason))
            continue
        slots[split].append(slot)
        images[split].append(outcome.pixels)
        records[count] = _record(index, outcome.digest, outcome.pixels, outcome.short_side)
        count += 1
    for split in shards:
        shards[split].put(slots[split], images[split])
    return Done(records[:count], rejected)


def _record(index: int, content: bytes, pixels: np.ndarray, short_side: int) -> tuple[object, ...]:
    picture = PIL.Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    counts = np.array(picture.histogram(), np.float64).reshape(-1, len(_LEVELS))
    digest = np.frombuffer(hashlib.sha256(pixels.tobytes()).digest(), np.uint8, DIGEST_BYTES)
    content_digest = np.frombuffer(content, np.uint8, DIGEST_BYTES)
    # Whole numbers, below 2**53: exact.
    return index, content_digest, digest, short_side, counts @ _LEVELS, counts @ _LEVELS**2


def _in_processes(tasks: Iterator[Task], image: Image, shards: dict[str, Shards], workers: int) -> Iterator[Done]:
    # Spawned, not forked: the progress bar has a thread.
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_start_worker)
    pending: deque[Future[Done]] = deque()
    try:
        for task in tasks:
            pending.append(pool.submit(do, task, image, shards))
            if len(pending) > 2 * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    except BrokenProcessPool:
        raise UserError(
            "a decoding process was killed, most likely for lack of memory: free some, or allow fewer processes with "
            "`taskset -c 0 …`, then run the same command again: it goes on where it was"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    torch.set_num_threads(1)
    # Ctrl-C reaches the parent too, which ends the workers in order; if the parent is killed, nobody would.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)

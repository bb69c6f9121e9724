"""Many images through `decode`, on all cores, in order, with a bounded number of them in memory."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import numpy as np
from tqdm import tqdm

from components.artifacts.errors import UserError
from components.artifacts.parameters import Image
from components.prepare.decode import Outcome, decode

CHUNK_IMAGES = 64


def decode_all(payloads: Sequence[str | np.ndarray], image: Image, workers: int) -> Generator[Outcome]:
    """Yields the outcome of each payload, in order, whatever the number of worker processes."""
    chunks = [payloads[start : start + CHUNK_IMAGES] for start in range(0, len(payloads), CHUNK_IMAGES)]
    workers = min(workers, len(chunks))
    outcomes = _in_processes(chunks, image, workers) if workers > 1 else (_decode_chunk(c, image) for c in chunks)
    with tqdm(total=len(payloads), desc="decoding", unit="image", smoothing=0) as bar:
        for chunk in outcomes:
            for outcome in chunk:
                bar.update()
                yield outcome


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _decode_chunk(payloads: Sequence[str | np.ndarray], image: Image) -> list[Outcome]:
    return [decode(payload, image) for payload in payloads]


def _in_processes(chunks: list[Sequence[str | np.ndarray]], image: Image, workers: int) -> Iterator[list[Outcome]]:
    # Spawned, not forked: the progress bar has a thread.
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_start_worker)
    pending: deque[Future[list[Outcome]]] = deque()
    try:
        for chunk in chunks:
            pending.append(pool.submit(_decode_chunk, chunk, image))
            if len(pending) > 2 * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    except BrokenProcessPool:
        raise UserError(
            "a decoding process was killed, most likely for lack of memory: free some, or allow fewer processes with "
            "`taskset -c 0 …`, then run the same command again"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    # Ctrl-C reaches the parent too, which ends the workers in order; if the parent is killed, nobody would.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)

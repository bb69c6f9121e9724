"""Ctrl-C and SIGTERM as a wish that the loop asks about between steps, where the state is whole."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from components.artifacts.command import Terminated


@contextmanager
def stop_between_steps() -> Iterator[Callable[[], bool]]:
    """Yields a function that tells whether a stop was requested. A second Ctrl-C stops at once.

    Raises: Terminated, at the end of the block, in the place of KeyboardInterrupt if the request was SIGTERM.
    """
    requests: list[int] = []

    def remember(signum: int, frame: FrameType | None) -> None:
        if requests and signum == signal.SIGINT:
            raise KeyboardInterrupt
        requests.append(signum)

    before = {number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(requests)
    except KeyboardInterrupt:
        if requests and requests[0] == signal.SIGTERM:
            raise Terminated from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

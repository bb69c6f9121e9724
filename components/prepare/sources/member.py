"""One entry of an archive, while the archive is read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from components.artifacts.errors import UserError
from components.prepare.sources.source import MOST_BYTES, TOO_LARGE, Unreadable

# Photos hardly shrink when they are packed, and no drawing shrinks a thousandfold. What does is meant to fill memory.
MOST_RATIO = 200
HARMLESS_BYTES = 2**30


@dataclass(frozen=True)
class Member:
    """Valid until the next member is asked for.

    Attributes:
        name: as the archive has it.
        size: of its content, in bytes, as the archive says.
        read: the first bytes of its content, at most as many as asked for; or `Unreadable`.
        why_not_read: what it is, if it is no file; else empty.
    """

    name: bytes
    size: int
    read: Callable[[int], bytes | Unreadable]
    why_not_read: str = ""

    def start(self, count: int) -> bytes:
        """At most `count` bytes; none if it cannot be read."""
        content = self.read(count)
        return content if isinstance(content, bytes) else b""

    def content(self) -> bytes | Unreadable:
        return self.read(self.size) if self.size <= MOST_BYTES else Unreadable(TOO_LARGE)


def check_ratio(path: Path, unpacked: int) -> None:
    """Raises: UserError, if an archive (or .npz file) unpacks to more than any images would."""
    packed = path.stat().st_size
    if unpacked > max(HARMLESS_BYTES, MOST_RATIO * packed):
        raise UserError(
            f"{path} would unpack to {unpacked:,} bytes from {packed:,}, more than {MOST_RATIO} times its size: it "
            "is made to fill memory or disk, not to hold images; do not use it"
        )

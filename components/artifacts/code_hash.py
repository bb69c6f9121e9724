"""What code something was made by, for work and caches that other code must not take over."""

import hashlib
from pathlib import Path


def code_hash(*places: Path) -> str:
    """The hash of Python files and of those in folders, with their names: 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for place in places:
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(f"{path.relative_to(place.parent)}\n".encode() + path.read_bytes())
    return digest.hexdigest()

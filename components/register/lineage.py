"""Which code is running, as far as git can tell."""

import subprocess
from pathlib import Path
from typing import Any

_CODE = Path(__file__).resolve().parents[1]


def git_revision(code: Path = _CODE) -> dict[str, Any]:
    """The commit that the code is of, and whether it was changed since: {"revision": str | None, "dirty": bool | None}.

    Looks at the folder of the code alone, because DVC rewrites `dvc.lock` while it runs the stages, and every
    parameter is kept in full beside the model. Both are None where there is no git or no repository: a container.
    """
    revision = _git(code, "rev-parse", "HEAD")
    changes = _git(code, "status", "--porcelain", "--", ".")
    return {"revision": revision or None, "dirty": None if revision is None or changes is None else bool(changes)}


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "--no-optional-locks", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None

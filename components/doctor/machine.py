"""The facts about this machine, gathered with the standard library; torch is imported if it is there."""

import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

_ANSWER_WITHIN = 10.0  # seconds; `dvc --version` takes one or two on a cold disk
_REACH_WITHIN = 3.0  # seconds
_CONTAINER_MEMORY = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True)
class Torch:
    """`gpus`: name and bytes of each that torch can use; None where torch cannot say."""

    version: str | None
    broken: str | None
    cuda: str | None
    gpus: list[tuple[str, int]] | None


def ask(command: list[str]) -> str | None:
    """A command's output, stripped; None if it is not installed, fails, says nothing, or takes too long."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_ANSWER_WITHIN, stdin=subprocess.DEVNULL, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def torch() -> Torch:
    if importlib.util.find_spec("torch") is None:
        return Torch(None, None, None, None)
    try:
        module = importlib.import_module("torch")
        count = module.cuda.device_count() if module.cuda.is_available() else 0
        devices = [module.cuda.get_device_properties(index) for index in range(count)]
    except Exception as error:  # whatever a broken installation raises is the finding
        return Torch(None, f"{type(error).__name__}: {error}".splitlines()[0], None, None)
    gpus = [(device.name, device.total_memory) for device in devices]
    return Torch(module.__version__, None, module.version.cuda, gpus)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory(limit: Path = _CONTAINER_MEMORY) -> int | None:
    """Bytes of memory: the machine's, or the container's if that is less; None if the system does not say."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    allowed = limit.read_text().strip() if limit.is_file() else "max"
    return min(total, int(allowed)) if allowed.isdecimal() else total


def dvc_program() -> str | None:
    """DVC beside this Python, in the checkout's environment, or on the path."""
    beside = [Path(sys.executable).parent / "dvc", Path(".venv/bin/dvc")]
    return next((str(path) for path in beside if path.is_file()), None) or shutil.which("dvc")


def reach(endpoint: str) -> str | None:
    """None if a KFP API answers there in any way, also by asking for a login; otherwise what went wrong."""
    try:
        urllib.request.urlopen(f"{endpoint.rstrip('/')}/apis/v2beta1/healthz", timeout=_REACH_WITHIN).close()
    except urllib.error.HTTPError as error:
        return None if error.code in (401, 403) else f"HTTP {error.code}"
    except urllib.error.URLError as error:
        return str(error.reason)
    except (OSError, ValueError) as error:
        return str(error)
    return None

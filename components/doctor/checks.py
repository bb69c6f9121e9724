"""The items that the doctor looks at. Each takes facts and gives a verdict; `machine` gathers the facts.

This file needs the standard library alone: the doctor is asked before anything is installed.
"""

from collections.abc import Callable
from dataclasses import dataclass

GIB = 2**30
PYTHON = (3, 11)
MEMORY_ADVISED = 4 * GIB
DISK_ADVISED = 5 * GIB
DISK_REQUIRED = GIB

# A command line to its output, or to None if it is not installed, fails, or does not answer in time.
Ask = Callable[[list[str]], str | None]


@dataclass(frozen=True)
class Item:
    """One line. `mark`: ok, optional (absent, and not needed here), warn, or fail (nothing works without it)."""

    name: str
    mark: str
    found: str
    remedy: str = ""

    def line(self) -> str:
        return f"{self.mark:<8}  {self.name:<8}  {self.found}" + (f": {self.remedy}" if self.remedy else "")


def python(version: tuple[int, ...]) -> Item:
    found = ".".join(map(str, version[:3]))
    if version[:2] < PYTHON:
        return Item("Python", "fail", found, "install Python 3.11 or newer, then call make with PYTHON=python3.11")
    return Item("Python", "ok", found)


def torch(version: str | None, broken: str | None, cuda: str | None) -> Item:
    """`version`: None if not installed; `broken`: why the import failed; `cuda`: that torch was built for."""
    if broken is not None:
        return Item("torch", "warn", f"cannot be imported ({broken})", "remove .venv, then `make run` installs it anew")
    if version is None:
        return Item("torch", "warn", "not installed", "`make run` installs it")
    return Item("torch", "ok", f"{version}, " + (f"for CUDA {cuda}" if cuda else "for the CPU"))


def gpu(seen_by_torch: list[tuple[str, int]] | None, ask: Ask) -> Item:
    """`seen_by_torch`: name and bytes of each GPU; None if torch is not there to say."""
    if seen_by_torch:
        return Item("GPU", "ok", ", ".join(f"{name} ({memory / GIB:.0f} GiB)" for name, memory in seen_by_torch))
    present = ask(["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"])
    if not present:
        return Item("GPU", "ok", "none; the CPU will do")
    found = "; ".join(line.strip() for line in present.splitlines())
    if seen_by_torch is None:
        return Item("GPU", "ok", found)
    return Item("GPU", "warn", f"{found}, which torch cannot use", "install torch for CUDA, as the README says")


def cpu(cores: int) -> Item:
    return Item("CPU", "ok", f"{cores} core" + ("" if cores == 1 else "s"))


def memory(available: int | None) -> Item:
    """`available`: bytes that this process may use; None if the system does not say."""
    if available is None:
        return Item("memory", "warn", "not known", f"see that there are {MEMORY_ADVISED / GIB:.0f} GiB")
    found = f"{available / GIB:.1f} GiB"
    if available < MEMORY_ADVISED:
        return Item("memory", "warn", found, f"have {MEMORY_ADVISED / GIB:.0f} GiB, or lower train.batch_size")
    return Item("memory", "ok", found)


def disk(free: int, place: str) -> Item:
    found = f"{free / GIB:.1f} GiB free at {place}"
    if free < DISK_REQUIRED:
        return Item("disk", "fail", found, f"free some: {DISK_ADVISED / GIB:.0f} GiB are advised")
    if free < DISK_ADVISED:
        return Item("disk", "warn", found, f"the environment, data and models want {DISK_ADVISED / GIB:.0f} GiB")
    return Item("disk", "ok", found)


def git(ask: Ask) -> Item:
    version = ask(["git", "--version"])
    if version is None:
        return Item("git", "warn", "not found", "install it: a registered model names the revision of its code")
    return Item("git", "ok", version.removeprefix("git version "))


def dvc(program: str | None, ask: Ask) -> Item:
    """`program`: the path of the `dvc` that would be used; None if there is none."""
    if program is None:
        return Item("DVC", "warn", "not installed", "`make run` installs it")
    version = ask([program, "--version"])
    if version is None:
        return Item("DVC", "warn", f"{program} does not run", "remove .venv, then `make run` installs it anew")
    return Item("DVC", "ok", version)


def docker(ask: Ask) -> Item:
    client = ask(["docker", "--version"])
    if client is None:
        return Item("Docker", "optional", "not found; only images for a cluster need it")
    server = ask(["docker", "version", "--format", "{{.Server.Version}}"])
    if server is None:
        remedy = "start it, or see that you may use its socket, if you want to build images"
        return Item("Docker", "optional", f"{client}, but its daemon does not answer", remedy)
    return Item("Docker", "ok", f"{client}; daemon {server}")


def kubectl(ask: Ask) -> Item:
    if ask(["kubectl", "version", "--client"]) is None:
        return Item("kubectl", "optional", "not found; only a cluster needs it")
    context = ask(["kubectl", "config", "current-context"])
    if context is None:
        return Item("kubectl", "optional", "no cluster chosen", "`kubectl config use-context NAME` if you want one")
    return Item("kubectl", "ok", f"context {context}")


def kfp(endpoint: str | None, reach: Callable[[str], str | None]) -> Item:
    """`reach` gives None for an endpoint that answers, otherwise why it does not."""
    if not endpoint:
        return Item("KFP", "optional", "KFP_ENDPOINT is not set; only a cluster needs it")
    problem = reach(endpoint)
    if problem is not None:
        remedy = "see that KFP_ENDPOINT is right, and that a port-forward runs if it needs one"
        return Item("KFP", "warn", f"{endpoint} does not answer ({problem})", remedy)
    return Item("KFP", "ok", endpoint)

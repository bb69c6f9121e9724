"""Loading a file runs no code from it: nothing that comes from outside is unpickled."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

COMPONENTS = Path(__file__).parents[2] / "components"
# Modules whose loading unpickles, and functions that do unless they are told otherwise.
MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
CALLS = {"torch.load", "torch.save", "torch.hub.load", "torch.jit.load", "torch.package.PackageImporter"}
CALLS |= {"torch.distributed.broadcast_object_list", "torch.distributed.all_gather_object"}
# Published weights of Inception and of EfficientNet-Lite0 are .pth files. They are converted once, if their sha256 is
# the known one, with torch's unpickler that knows plain tensors only; what evaluations read is the safetensors file.
ALLOWED = {("feature_network/published.py", "torch.load(weights_only=True)")}


def findings(code: str) -> Iterator[str]:
    """What unpickles in a module."""
    names: dict[str, str] = {}
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
                if alias.name.split(".")[0] in MODULES:
                    yield alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            if node.module.split(".")[0] in MODULES:
                yield node.module
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and (called := full_name(node, names)) in CALLS:
            call = next((n for n in ast.walk(tree) if isinstance(n, ast.Call) and n.func is node), None)
            safe = call is not None and any(is_true(keyword, "weights_only") for keyword in call.keywords)
            yield f"{called}(weights_only=True)" if safe else called
        elif isinstance(node, ast.keyword) and is_true(node, "allow_pickle"):
            yield "allow_pickle=True"


def full_name(node: ast.expr, names: dict[str, str]) -> str:
    """`F.relu` -> torch.nn.functional.relu, as far as the imports say so."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return f"{full_name(node.value, names)}.{node.attr}"
    return ""


def is_true(keyword: ast.keyword, name: str) -> bool:
    return keyword.arg == name and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)


def test_no_component_unpickles() -> None:
    files = sorted(COMPONENTS.rglob("*.py"))
    assert len(files) > 100
    found = {(str(path.relative_to(COMPONENTS)), what) for path in files for what in findings(path.read_text())}
    assert found == ALLOWED


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import pickle", ["pickle"]),
        ("from pickle import loads", ["pickle"]),
        ("import torch\ntorch.load(path)", ["torch.load"]),
        ("import torch as t\nt.load(path, weights_only=False)", ["torch.load"]),
        ("from torch import load\nload(path)", ["torch.load"]),
        ("import torch\nread = torch.load", ["torch.load"]),
        ("import torch\ntorch.load(path, weights_only=True)", ["torch.load(weights_only=True)"]),
        (
            "import torch.distributed as dist\ndist.broadcast_object_list(x)",
            ["torch.distributed.broadcast_object_list"],
        ),
        ("import numpy as np\nnp.load(path, allow_pickle=True)", ["allow_pickle=True"]),
        ("import numpy as np\nnp.load(path, allow_pickle=False)", []),
        ("import safetensors.torch\nsafetensors.torch.load_file(path)", []),
    ],
)
def test_the_search_finds_what_unpickles(code: str, found: list[str]) -> None:
    assert list(findings(code)) == found

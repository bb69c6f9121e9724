"""Every parameter is read by some step, every one that is read exists, and every option says what it means."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import yaml

from components.artifacts import parameters as schema
from components.artifacts.parameters import Parameters
from components.bigbigan.discriminator import Discriminator, ImageFeatures
from components.bigbigan.encoder import Encoder
from components.bigbigan.generator import Generator

ROOT = Path(__file__).parents[2]
OPTIONS = ROOT / "params"
SECTIONS: dict[str, Any] = get_type_hints(Parameters)
OPTION_FILES = sorted(path for name in SECTIONS for path in (OPTIONS / name).glob("*.yaml"))

# `build_networks` hands these subsections to constructors, key by key, as `**mapping`.
CONSTRUCTED: dict[str, list[type]] = {
    "generator": [Generator],
    "discriminator": [Discriminator, ImageFeatures],
    "encoder": [Encoder],
}


def leaves(kind: Any, *above: str) -> Iterator[tuple[str, ...]]:
    """Each key of a section that holds a value, as its path."""
    for name, hint in get_type_hints(kind).items():
        if is_dataclass(hint):
            yield from leaves(hint, *above, name)
        else:
            yield (*above, name)


def classes(kind: Any) -> Iterator[Any]:
    """The class of a section, and those of its subsections."""
    yield kind
    for hint in get_type_hints(kind).values():
        if is_dataclass(hint):
            yield from classes(hint)


# ------------------------------------------------------------------------------------------ what the code reads


def sources() -> list[Path]:
    """The code that may read a parameter: not the schema, and not what composes it."""
    files = sorted((ROOT / "components").rglob("*.py"))
    return [file for file in files if file.name != "parameters.py" and file.parent.name != "compose"]


def known_names(tree: ast.Module, function: ast.FunctionDef) -> dict[str, Any]:
    """The variables of a function that hold a section, and its class: annotated arguments, and results of `load`."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imported = {
        alias.asname or alias.name: getattr(schema, alias.name)
        for node in imports
        if node.module == "components.artifacts.parameters"
        for alias in node.names
    }
    names = {}
    for argument in (*function.args.args, *function.args.kwonlyargs):
        if isinstance(argument.annotation, ast.Name) and is_dataclass(imported.get(argument.annotation.id)):
            names[argument.arg] = imported[argument.annotation.id]
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "load":
            (targets,) = node.targets
            assert isinstance(targets, ast.Tuple)
            for target, section in zip(targets.elts, node.value.keywords, strict=True):
                names[ast.unparse(target)] = imported[ast.unparse(section.value)]
    return names


def read_by(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(class, key) for each attribute of a section that the code asks for."""
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        names = known_names(tree, function)
        for node in ast.walk(function):
            variable, *chain = ast.unparse(node).split(".") if isinstance(node, ast.Attribute) else ("",)
            kind = names.get(variable)
            for key in chain:
                if not is_dataclass(kind):
                    break
                assert isinstance(kind, type)
                yield kind.__name__, key
                kind = get_type_hints(kind).get(key)


READ = {file: set(read_by(ast.parse(file.read_text()))) for file in sources()}


@pytest.mark.parametrize(
    ("section", "key"),
    [
        (kind.__name__, field.name)
        for section in SECTIONS.values()
        for kind in classes(section)
        if kind.__name__.lower() not in CONSTRUCTED
        for field in fields(kind)
        if not is_dataclass(field.type)
    ],
)
def test_every_key_is_read(section, key):
    assert any((section, key) in read for read in READ.values()), (
        f"no step reads {section}.{key}: use it, or take it out of the schema and of params/"
    )


@pytest.mark.parametrize(
    "file", [file for file in READ if READ[file]], ids=lambda file: f"{file.parent.name}/{file.name}"
)
def test_every_key_that_is_read_exists(file):
    unknown = {(kind, key) for kind, key in READ[file] if key not in get_type_hints(getattr(schema, kind))}
    assert not unknown


@pytest.mark.parametrize("name", CONSTRUCTED)
def test_the_keys_of_a_network_are_the_arguments_of_its_constructors(name):
    arguments = {argument for kind in CONSTRUCTED[name] for argument in inspect.signature(kind).parameters}
    given = {"image_size", "image_channels", "latent_size", "image_features"}
    assert {field.name for field in fields(get_type_hints(schema.Model)[name])} == arguments - given


def test_the_arguments_of_the_constructors_are_used_by_them():
    for kind in (kind for kinds in CONSTRUCTED.values() for kind in kinds):
        tree = ast.parse(inspect.cleandoc("\n" + inspect.getsource(kind.__init__)))
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        assert set(inspect.signature(kind).parameters) <= used, kind


# ------------------------------------------------------------------------------------------- the option files


def keys(content: dict[str, Any], *above: str) -> set[tuple[str, ...]]:
    found = set()
    for name, value in content.items():
        found |= keys(value, *above, name) if isinstance(value, dict) and value else {(*above, name)}
    return found


@pytest.mark.parametrize("path", OPTION_FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_option_has_exactly_the_keys_of_its_section(path):
    kind = SECTIONS[path.parent.name]
    expected = set(leaves(kind))
    found = keys(yaml.safe_load(path.read_text()))
    if path.parent.name == "register":  # the gate's own keys are names of metrics
        found = {key[:1] for key in found}
    assert found == expected


@pytest.mark.parametrize("path", OPTION_FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_value_of_an_option_has_its_meaning_at_the_end_of_the_line(path):
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#")]
    heads = [line for line in lines if re.fullmatch(r"\s*\w+:\s*", line)]
    bare = [line for line in lines if line not in heads and not re.search(r"\s#\s\S", line)]
    assert not bare


def test_every_section_has_a_group_and_every_group_is_known():
    groups = {path.name for path in OPTIONS.iterdir() if path.is_dir()}
    assert groups == set(SECTIONS) | {"experiment", "debug"}
    listed = [next(iter(entry)) for entry in yaml.safe_load((OPTIONS / "config.yaml").read_text())["defaults"][1:-1]]
    assert set(listed) == groups
    assert listed[-2:] == ["experiment", "debug"], "order is precedence"


@pytest.mark.parametrize(
    "path", sorted(OPTIONS.glob("experiment/*.yaml")) + sorted(OPTIONS.glob("debug/*.yaml")), ids=lambda path: path.stem
)
def test_an_experiment_starts_with_what_it_is(path):
    first, second, *_ = path.read_text().splitlines()
    assert first == "# @package _global_"
    assert re.fullmatch(r"# \S.{10,}", second)

"""Every parameter is read by some step, every one that is read exists, and every option says what it means."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
import yaml

from components.artifacts import parameters as schema
from components.artifacts.parameters import Parameters, Recipe
from components.bigbigan.build import DISCRIMINATORS, GENERATORS, TRUNKS
from components.bigbigan.discriminator.biggan import ImageFeatures
from components.bigbigan.encoder.encoder import Encoder

ROOT = Path(__file__).parents[2]
OPTIONS = ROOT / "params"
SECTIONS: dict[str, Any] = get_type_hints(Parameters)
# Folders of params/ that hold no options of a section: what chooses among those, and what runs several of them.
CHOOSERS = {"experiment", "debug"}
OTHERS = {"study"}


def kinds(hint: Any) -> tuple[Any, ...]:
    """The classes that a section can be of: one, or one for each of its kinds. None for a value that is no section."""
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    return tuple(option for option in options if is_dataclass(option))


def classes(hint: Any) -> Iterator[Any]:
    """The classes of a section, and those of its subsections."""
    for kind in kinds(hint):
        yield kind
        for inner in get_type_hints(kind).values():
            yield from classes(inner)


def has(kind: Any, key: str) -> bool:
    return key in get_type_hints(kind) or hasattr(kind, key)


def group_of(path: Path) -> str:
    return path.parent.relative_to(OPTIONS).as_posix()


def section(group: str) -> Any:
    """What `model/generator`, or any other group, is the section of."""
    hint: Any = Parameters
    for name in group.split("/"):
        hint = get_type_hints(hint)[name]
    return hint


OPTION_FILES = [
    path for path in sorted(OPTIONS.glob("*/**/*.yaml")) if group_of(path).partition("/")[0] not in CHOOSERS | OTHERS
]
MODEL = get_type_hints(schema.Model)
# `build_networks` hands these sections to constructors, key by key, as `**mapping`.
CONSTRUCTED: dict[str, tuple[Any, dict[str, Any]]] = {
    "model.generator": (MODEL["generator"], GENERATORS),
    "model.encoder.trunk": (get_type_hints(schema.Encoder)["trunk"], TRUNKS),
    "model.discriminator": (MODEL["discriminator"], DISCRIMINATORS),
}
# What constructors are given besides their section. G's own resolution is a key, which D and a trunk are told.
GIVEN = {
    "model.generator": {"image_channels", "latent_size"},
    "model.encoder.trunk": {"image_channels", "image_size"},
    "model.discriminator": {"image_channels", "image_size", "latent_size"},
}
CONSTRUCTED_CLASSES = {kind for hint, _ in CONSTRUCTED.values() for kind in kinds(hint)} | {schema.Encoder}


# ------------------------------------------------------------------------------------------ what the code reads


def sources() -> list[Path]:
    """The code that may read a parameter: not the schema, and not what composes it."""
    files = sorted((ROOT / "components").rglob("*.py"))
    return [file for file in files if file.parent.name not in ("parameters", "compose")]


class Reads(ast.NodeVisitor):
    """Collects (class, key) for each attribute of a section that a module asks for.

    It knows which section a variable holds from annotations of arguments, from results of `load`, and from plain
    assignments of what it knows; `self.x` is a variable of its class, and of those that derive from it.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.found: set[tuple[str, str]] = set()
        self.names: dict[str, tuple[Any, ...]] = {}
        self.attributes: dict[str, dict[str, tuple[Any, ...]]] = {}
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        self.imported = {
            alias.asname or alias.name: getattr(schema, alias.name)
            for node in imports
            if node.module == "components.artifacts.parameters"
            for alias in node.names
        }
        self.visit(tree)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        outer = self.names
        self.names = dict(outer)
        for base in node.bases:
            self.names |= self.attributes.get(ast.unparse(base), {})
        self.generic_visit(node)
        self.attributes[node.name] = self._attributes()
        self.names = outer

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        outer = self.names
        self.names = dict(outer)
        for argument in (*node.args.args, *node.args.kwonlyargs):
            named = argument.annotation.id if isinstance(argument.annotation, ast.Name) else ""
            self.names[argument.arg] = kinds(self.imported.get(named))
        self.generic_visit(node)
        self.names = outer | self._attributes()

    def _attributes(self) -> dict[str, tuple[Any, ...]]:
        return {name: known for name, known in self.names.items() if name.startswith("self.")}

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        (target,) = node.targets[:1]
        called = ast.unparse(node.value.func) if isinstance(node.value, ast.Call) else ""
        if called == "load" and isinstance(target, ast.Tuple) and isinstance(node.value, ast.Call):
            for element, asked in zip(target.elts, node.value.keywords, strict=True):
                self.names[ast.unparse(element)] = kinds(self.imported[ast.unparse(asked.value)])
        elif called == "load_together" and isinstance(node.value, ast.Call):
            self.names[ast.unparse(target)] = kinds(self.imported[ast.unparse(node.value.args[1])])
        elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            for element, value in zip(target.elts, node.value.elts, strict=True):
                self.names[ast.unparse(element)] = self.held_by(value)
        else:
            self.names[ast.unparse(target)] = self.held_by(node.value)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.generic_visit(node)
        held = self.held_by(node.value)
        # Where the code knows the kind of a section, it reads what only that kind has.
        having = [kind for kind in held if has(kind, node.attr)]
        self.found |= {(kind.__name__, node.attr) for kind in having or held}

    def held_by(self, node: ast.expr) -> tuple[Any, ...]:
        """The classes of the section that an expression is."""
        known = self.names.get(ast.unparse(node))
        if known is not None or not isinstance(node, ast.Attribute):
            return known or ()
        hints = [get_type_hints(kind).get(node.attr) for kind in self.held_by(node.value)]
        return tuple(kind for hint in hints for kind in kinds(hint))


READ = {file: Reads(ast.parse(file.read_text())).found for file in sources()}
ALL_CLASSES = {kind.__name__: kind for kind in [*classes(Parameters), *classes(Recipe), schema.Condition]}


@pytest.mark.parametrize(
    ("name", "key"),
    sorted(
        (kind.__name__, field.name)
        for hint in SECTIONS.values()
        for kind in classes(hint)
        if kind not in CONSTRUCTED_CLASSES
        for field in fields(kind)
        if not kinds(field.type) and get_origin(field.type) is not Literal
    ),
)
def test_every_key_is_read(name, key):
    assert any((name, key) in read for read in READ.values()), (
        f"no step reads {name}.{key}: use it, or take it out of the schema and of params/"
    )


def test_what_is_read_is_known_through_assignments_and_attributes():
    code = """
from components.artifacts.parameters import Objective, Recipe, load, load_together

class Loss:
    def __init__(self, weights: Objective, other):
        self.weights, self.other = weights, other

    def forward(self, recipe: Recipe):
        train, size = recipe.train, recipe.model.encoder.trunk.width
        return self.weights.adversarial, self.other.unknown, train.steps

class Derived(Loss):
    def forward(self):
        return self.weights.average_scores

def main():
    recipe = load_together(path, Recipe)
    (objective,) = load(path, objective=Objective)
    seed = recipe.train.seed
    return objective.reconstruction_l1, recipe.augmentation.flip, recipe.augmentation.sift
"""
    found = Reads(ast.parse(code)).found
    assert {("Objective", "adversarial"), ("Objective", "reconstruction_l1"), ("Train", "steps")} <= found
    assert ("Objective", "average_scores") in found
    assert {("Train", "seed"), ("RevNet", "width"), ("ShiftAugmentation", "flip")} <= found
    assert {("CropAugmentation", "flip"), ("CropAugmentation", "sift")} <= found
    assert not any(key == "unknown" for _, key in found)


@pytest.mark.parametrize(
    "file", [file for file in READ if READ[file]], ids=lambda file: f"{file.parent.name}/{file.name}"
)
def test_every_key_that_is_read_exists(file):
    unknown = {(name, key) for name, key in READ[file] if not has(ALL_CLASSES[name], key)}
    assert not unknown


# ------------------------------------------------------------------------------------------- what networks take


@pytest.mark.parametrize("name", CONSTRUCTED)
def test_the_kinds_of_a_section_are_the_kinds_that_are_built(name):
    hint, constructors = CONSTRUCTED[name]
    named = [get_args(get_type_hints(kind)["kind"])[0] for kind in kinds(hint)]
    assert named == list(constructors)


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name in CONSTRUCTED for kind in CONSTRUCTED[name][1]])
def test_the_keys_of_a_network_are_the_arguments_of_its_constructor(name, kind):
    hint, constructors = CONSTRUCTED[name]
    (chosen,) = (option for option in kinds(hint) if get_args(get_type_hints(option)["kind"]) == (kind,))
    arguments = set(inspect.signature(constructors[kind]).parameters)
    assert GIVEN[name] <= arguments
    assert {field.name for field in fields(chosen)} - {"kind"} == arguments - GIVEN[name]


def test_the_keys_of_the_encoder_are_the_arguments_of_its_constructor():
    arguments = set(inspect.signature(Encoder).parameters)
    assert {field.name for field in fields(schema.Encoder)} == arguments - {"latent_size"}


# A trunk that averages over all positions takes images of any size.
ANY_SIZE = {(TRUNKS[kind], "image_size") for kind in ("basic_resnet", "resnet", "revnet")}


@pytest.mark.parametrize(
    "constructor",
    [*(kind for _, constructors in CONSTRUCTED.values() for kind in constructors.values()), Encoder, ImageFeatures],
    ids=lambda constructor: constructor.__name__,
)
def test_the_arguments_of_the_constructors_are_used_by_them(constructor):
    tree = ast.parse(inspect.cleandoc("\n" + inspect.getsource(constructor.__init__)))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    arguments = set(inspect.signature(constructor).parameters)
    assert arguments - used == {argument for kind, argument in ANY_SIZE if kind is constructor}


# ------------------------------------------------------------------------------------------- the option files


def option_id(path: Path) -> str:
    return f"{group_of(path)}/{path.stem}"


def check_keys(content: Any, hint: Any) -> None:
    """A section has exactly the keys of its class, which its key `kind` names where there are several."""
    options = kinds(hint)
    if not options:
        return
    if len(options) > 1:
        options = tuple(kind for kind in options if content["kind"] in get_args(get_type_hints(kind)["kind"]))
    (kind,) = options
    hints = get_type_hints(kind)
    assert set(content) == set(hints)
    for key, inner in hints.items():
        check_keys(content[key], inner)


@pytest.mark.parametrize("path", OPTION_FILES, ids=option_id)
def test_an_option_has_exactly_the_keys_of_one_kind_of_its_section(path):
    check_keys(yaml.safe_load(path.read_text()), section(group_of(path)))


@pytest.mark.parametrize("path", OPTION_FILES, ids=option_id)
def test_every_value_of_an_option_has_its_meaning_at_the_end_of_the_line(path):
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#")]
    heads = [line for line in lines if re.fullmatch(r"\s*\w+:\s*", line)]
    bare = [line for line in lines if line not in heads and not re.search(r"\s#\s\S", line)]
    assert not bare


def test_every_section_has_a_group_and_every_group_is_known():
    groups = {group_of(path) for path in OPTION_FILES}
    nested = {group for group in groups if "/" in group}
    assert nested == {f"model/{name}" for name in MODEL}
    assert groups - nested == set(SECTIONS) - {"model"}
    defaults = yaml.safe_load((OPTIONS / "config.yaml").read_text())["defaults"]
    assert defaults[-1] == "_self_"
    listed = [next(iter(entry)) for entry in defaults[:-1]]
    assert set(listed[:-2]) == groups
    assert listed[-2:] == ["experiment", "debug"], "order is precedence"


@pytest.mark.parametrize(
    "path", sorted(OPTIONS.glob("experiment/*.yaml")) + sorted(OPTIONS.glob("debug/*.yaml")), ids=lambda path: path.stem
)
def test_an_experiment_starts_with_what_it_is(path):
    first, second, *_ = path.read_text().splitlines()
    assert first == "# @package _global_"
    assert re.fullmatch(r"# \S.{10,}", second)

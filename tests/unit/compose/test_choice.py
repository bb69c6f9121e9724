"""params.yaml becomes overrides that Hydra reads back as what was written."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser

from components.artifacts.errors import UserError
from components.compose.choice import read_choice


def choice(folder: Path, text: str) -> list[str]:
    (folder / "params.yaml").write_text(text, encoding="utf-8")
    return read_choice(folder / "params.yaml")


def understood(overrides: list[str]) -> dict[str, Any]:
    """What Hydra makes of the overrides."""
    parsed = OverridesParser.create().parse_overrides([f"++{override}" for override in overrides])
    return {override.key_or_group: override.value() for override in parsed}


TEXTS = {"a.d": "5e-4", "a.e": "5e", "a.f": "e5"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("experiment: digits", {"experiment": "digits"}),
        (
            "experiment: digits\ndebug: tiny\nmodel/generator: small28",
            {"experiment": "digits", "debug": "tiny", "model/generator": "small28"},
        ),
        ("model: {latent: {size: 8}, encoder: null}", {"model.latent.size": 8, "model.encoder": None}),
        ("a: {b: 5e-4, c: [1e3, .5E+1], d: '5e-4', e: 5e, f: e5}", {"a.b": 5e-4, "a.c": [1e3, 5.0]} | TEXTS),
        ("a: {b: [1, 2.5, -3]}", {"a.b": [1, 2.5, -3]}),
        ("a: {b: []}", {"a.b": []}),
        ("a: {b: [x, 'a b', true, null]}", {"a.b": ["x", "a b", True, None]}),
        ("a: {b: {}}", {"a.b": {}}),
        ("a: {b: null}", {"a.b": None}),
        ("a: {b: ~}", {"a.b": None}),
        ("a: {b: true, c: false}", {"a.b": True, "a.c": False}),
        ("a: {b: 1.0e-5, c: 0.1, d: -7}", {"a.b": 1e-5, "a.c": 0.1, "a.d": -7}),
        ("a: {b: {'x_*/y.z [0-9]': {c: 1}, d: e}}", {"a.b": {"x_*/y.z [0-9]": {"c": 1}, "d": "e"}}),
        ("a: {b: 2026-01-31}", {"a.b": "2026-01-31"}),
        ("{}", {}),
    ],
)
def test_values_of_each_kind(tmp_path, text, expected):
    found = understood(choice(tmp_path, text))
    assert found == expected
    assert {key: type(value) for key, value in found.items()} == {key: type(value) for key, value in expected.items()}


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        "two words",
        "",
        "true",
        "null",
        "nan",
        "inf",
        "12",
        "/a path/to the/weights.safetensors",
        "C:\\new\\table",
        "ends in \\",
        'says "yes"',
        'says \\"yes\\"',
        "it's",
        "a=b",
        "a,b",
        "[1, 2]",
        "{a: b}",
        "# no comment",
        "a: b",
        "~/home",
        "@x/y",
        "$5",
        "é œuvre 猫",
        "tab\tand\nline",
        "  spaces around  ",
        "resnet50-x2",
        "128px",
    ],
)
@pytest.mark.parametrize("place", ["value", "list"])
def test_every_text_survives(tmp_path, value, place):
    content = value if place == "value" else [value, "b"]
    overrides = choice(tmp_path, yaml.safe_dump({"register": {"name": content}}, allow_unicode=True))
    assert understood(overrides) == {"register.name": content}


def test_the_order_of_the_keys_is_kept(tmp_path):
    keys = [override.partition("=")[0] for override in choice(tmp_path, "b: {z: 1, a: 2}\nexperiment: x\na: {c: 3}")]
    assert keys == ["b.z", "b.a", "experiment", "a.c"]


def test_the_place_of_the_images_is_no_parameter(tmp_path):
    assert choice(tmp_path, "experiment: digits\nsource: /my images") == ['experiment="digits"']


def test_source_is_a_place_at_the_top_only(tmp_path):
    assert understood(choice(tmp_path, "prepare: {source: x}")) == {"prepare.source": "x"}


@pytest.mark.parametrize("text", ["", "# only a comment", "- experiment", "digits", "3", "null"])
def test_what_is_no_mapping_is_refused(tmp_path, text):
    with pytest.raises(UserError, match=r"params\.yaml must hold `key: value` lines, at least `experiment: NAME`"):
        choice(tmp_path, text)


@pytest.mark.parametrize("text", ["a: [", "a: b: c", "a: {b: 1\n", "\tx: 1", "a: !!python/object:os.system {}"])
def test_what_is_not_yaml_is_refused_in_one_line(tmp_path, text):
    with pytest.raises(UserError, match=r"params\.yaml is not YAML") as refusal:
        choice(tmp_path, text)
    assert len(str(refusal.value).splitlines()) == 1


def test_what_is_not_text_is_refused(tmp_path):
    (tmp_path / "params.yaml").write_bytes(b"a: \xff\x80")
    with pytest.raises(UserError, match="is not YAML"):
        read_choice(tmp_path / "params.yaml")


def test_a_missing_file_says_what_belongs_there(tmp_path):
    with pytest.raises(UserError, match=r"no\.yaml does not exist: it holds the choice"):
        read_choice(tmp_path / "no.yaml")

"""Options and overrides become checked parameters, or one line that says which key, what was given, what is allowed."""

import shutil
from pathlib import Path

import pytest
import yaml

from components.artifacts import parameters as schema
from components.artifacts.errors import UserError
from components.artifacts.parameters import Condition, Parameters, load
from components.compose.choice import read_choice
from components.compose.compose import compose, experiments, to_yaml

ROOT = Path(__file__).parents[3]
OPTIONS = ROOT / "params"
EXPERIMENTS = sorted(path.stem for path in (OPTIONS / "experiment").glob("*.yaml"))
SECTIONS = {
    "image": schema.Image,
    "prepare": schema.Prepare,
    "model": schema.Model,
    "train": schema.Train,
    "monitoring": schema.Monitoring,
    "feature_network": schema.FeatureNetwork,
    "evaluate_representation": schema.EvaluateRepresentation,
    "evaluate_generation": schema.EvaluateGeneration,
    "register": schema.Register,
}


# G with two blocks at 28 px, whatever the options say.
THREE_CHUNKS = ("image.size=28", "model.latent.size=18", "model.generator.multipliers=[4,2,1]")


def listed(group: str) -> str:
    return ", ".join(sorted(path.stem for path in (OPTIONS / group).glob("*.yaml")))


def refusal(*overrides: str) -> str:
    with pytest.raises(UserError) as caught:
        compose(OPTIONS, list(overrides))
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


# --------------------------------------------------------------------------------------- what the repository holds


@pytest.mark.parametrize("debug", ["none", "tiny"])
@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_composes(experiment, debug):
    assert isinstance(compose(OPTIONS, [f"experiment={experiment}", f"debug={debug}"]), Parameters)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_tiny_is_short_whatever_the_experiment(experiment):
    tiny = compose(OPTIONS, [f"experiment={experiment}", "debug=tiny"])
    assert tiny.train.steps <= 10
    assert tiny.feature_network.steps <= 10
    assert tiny.evaluate_generation.samples <= 500


def test_every_option_composes():
    for group in sorted(path.name for path in OPTIONS.iterdir() if path.is_dir()):
        for option in sorted(path.stem for path in (OPTIONS / group).glob("*.yaml")):
            size = ["image=rgb32"] if (group, option) == ("model", "small32") else []
            weights = ["feature_network.inception_weights=x"] if option == "inception" else []
            assert isinstance(compose(OPTIONS, [f"{group}={option}", *size, *weights]), Parameters)


# ------------------------------------------------------------------------------------------------ precedence


@pytest.fixture
def options(tmp_path: Path) -> Path:
    """A copy of params/ with two options of `monitoring`, an experiment and a debug option that change it."""
    shutil.copytree(OPTIONS, tmp_path / "params")
    rest = "sample_interval: 5\ncheckpoint_interval: 5\ncheckpoints_kept: 5\n"
    (tmp_path / "params" / "monitoring" / "default.yaml").write_text(f"log_interval: 1\n{rest}")
    (tmp_path / "params" / "monitoring" / "other.yaml").write_text(f"log_interval: 2\n{rest}")
    experiment = "# @package _global_\n# Mine.\ndefaults:\n  - override /monitoring: other\n"
    (tmp_path / "params" / "experiment" / "group.yaml").write_text(experiment)
    (tmp_path / "params" / "experiment" / "mine.yaml").write_text(experiment + "monitoring: {log_interval: 3}\n")
    debug = "# @package _global_\nmonitoring: {log_interval: 4}\n"
    (tmp_path / "params" / "debug" / "quick.yaml").write_text(debug)
    return tmp_path / "params"


@pytest.mark.parametrize(
    ("overrides", "interval"),
    [
        ([], 1),
        (["monitoring=other"], 2),
        (["experiment=group"], 2),
        (["experiment=mine"], 3),
        (["experiment=mine", "monitoring=default"], 3),
        (["experiment=group", "monitoring=default"], 1),
        (["experiment=mine", "debug=quick"], 4),
        (["debug=quick", "experiment=mine"], 4),
        (["experiment=mine", "debug=quick", "monitoring.log_interval=5"], 5),
        (["monitoring.log_interval=5", "experiment=mine"], 5),
        (["monitoring.log_interval=5", "monitoring.log_interval=6"], 6),
        (["+monitoring.log_interval=7"], 7),
        (["++monitoring.log_interval=7"], 7),
    ],
)
def test_group_then_experiment_then_debug_then_override(options, overrides, interval):
    assert compose(options, overrides).monitoring.log_interval == interval


def test_a_choice_file_says_the_same_as_the_command_line(options, tmp_path):
    text = "experiment: mine\nmonitoring: {checkpoints_kept: 9}\n"
    text += "register: {name: 'a \"b\" \\c', gate: {m: {at_least: 0.5}, 'fd_*[0-9]': {at_most: 1, at_least: null}}}"
    (tmp_path / "params.yaml").write_text(text)
    parameters = compose(options, read_choice(tmp_path / "params.yaml"))
    assert parameters.monitoring.log_interval == 3
    assert parameters.monitoring.checkpoints_kept == 9
    assert parameters.register.name == 'a "b" \\c'
    assert parameters.register.gate == {"m": Condition(at_least=0.5), "fd_*[0-9]": Condition(at_most=1.0)}


def test_a_condition_of_an_experiment_can_be_taken_out(options, tmp_path):
    gate = "register: {gate: {a: {at_least: 1}, 'fd_*': {at_most: 2}}}\n"
    (options / "experiment" / "gated.yaml").write_text(f"# @package _global_\n# Mine.\n{gate}")
    for out, left in (("a", "fd_*"), ("fd_*", "a")):
        (tmp_path / "params.yaml").write_text(f"experiment: gated\nregister: {{gate: {{'{out}': null}}}}")
        assert list(compose(options, read_choice(tmp_path / "params.yaml")).register.gate) == [left]


@pytest.mark.parametrize("name", ["with-dash", "128px", "v1.5"])
def test_the_name_of_an_option_need_not_be_an_identifier(options, tmp_path, name):
    (options / "experiment" / f"{name}.yaml").write_text("# @package _global_\n# Mine.\ntrain: {steps: 77}\n")
    (tmp_path / "params.yaml").write_text(f"experiment: {name}")
    assert compose(options, read_choice(tmp_path / "params.yaml")).train.steps == 77
    assert compose(options, [f"experiment={name}"]).train.steps == 77


def test_a_rate_in_the_form_that_yaml_takes_for_a_text_is_a_number(tmp_path):
    (tmp_path / "params.yaml").write_text("train: {lr: 5e-4}")
    assert compose(OPTIONS, read_choice(tmp_path / "params.yaml")).train.lr == 0.0005


# -------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["experiment=nosuch"], f"experiment=nosuch: experiment has no such option; it has: {listed('experiment')}"),
        (["image=grey29"], f"image=grey29: image has no such option; it has: {listed('image')}"),
        (["train="], f"train=: train has no such option; it has: {listed('train')}"),
        (["trian.lr=3"], f"trian is not a parameter; there are: {', '.join(SECTIONS)}"),
        (["trian=cpu"], f"trian is not a parameter; there are: {', '.join(SECTIONS)}"),
        (["seed=3"], f"seed is not a parameter; there are: {', '.join(SECTIONS)}"),
        (["image.sizes=3"], "image.sizes is not a parameter; image has: size, channels"),
        (["+image.sizes=3"], "image.sizes is not a parameter; image has: size, channels"),
        (
            ["train.augmentation.zoom=3"],
            "train.augmentation.zoom is not a parameter; train.augmentation has: shift, flip",
        ),
        (["train.steps=1.5"], "train.steps: Value '1.5' of type 'float' could not be converted to Integer"),
        (["train.steps=true"], "train.steps: Value 'True' of type 'bool' could not be converted to Integer"),
        (["train.lr=fast"], "train.lr: Value 'fast' of type 'str' could not be converted to Float"),
        (["train.lr="], "train.lr: Value '' of type 'str' could not be converted to Float"),
        (["train.lr=null"], "train.lr is null, but it must have a value"),
        (["train.lr=nan"], "train.lr is nan, but it must be a finite number"),
        (["train.lr=[1"], "train.lr=[1 cannot be read: a text with special characters goes in quotes"),
        (["train.augmentation=null"], "train.augmentation is null, but it must have a value"),
        (["model.encoder.multipliers=[1,x]"], "model.encoder.multipliers[1]: Value 'x' of type 'str' could not be"),
        (["model.encoder.multipliers=3"], "model.encoder.multipliers: Invalid value assigned: int is not a ListConfig"),
        (
            [*THREE_CHUNKS, "model.latent.size=19"],
            "model.latent.size is 19; allowed: a multiple of 3: one chunk for the seed",
        ),
        (
            [*THREE_CHUNKS, "image.size=30"],
            "image.size is 30; allowed: a multiple of 4, at least 8: model.generator has 2 blocks",
        ),
        (["model=small32", "image=grey28"], "image.size is 28; allowed: a multiple of 8"),
        (
            [*THREE_CHUNKS, "model.generator.attention_resolution=10"],
            "model.generator.attention_resolution is 10; allowed: 0, 28, 14",
        ),
        (["train.lr=0"], "train.lr is 0.0; allowed: more than 0"),
        (["feature_network=inception"], "feature_network.inception_weights: Missing mandatory value"),
        (
            ["feature_network.kind=inception"],
            "feature_network.inception_weights is None; allowed: the path of a weights",
        ),
        (["train.lr=???"], "train.lr: Missing mandatory value"),
        (["register.gate.fid.at_most=x"], "register.gate.fid.at_most is 'x', but it must be of type float"),
        (
            ["register.gate.fid.at_mots=3"],
            "register.gate.fid.at_mots is not a parameter; register.gate.fid has: at_least",
        ),
        (["~train.lr=0.001"], "~train.lr=0.001: a parameter cannot be taken out; give it another value"),
        (["train.lr"], "'train.lr' is not of the form key=value"),
        (["=3"], "'=3' is not of the form key=value"),
        (["+=3"], "'+=3' is not of the form key=value"),
        ([""], "'' is not of the form key=value"),
    ],
)
def test_each_refusal_is_one_line_that_names_the_key_the_given_and_the_allowed(overrides, message):
    assert refusal(*overrides).startswith(message)


def test_a_missing_directory_of_options_is_named(tmp_path):
    with pytest.raises(UserError, match="nowhere"):
        compose(tmp_path / "nowhere", [])


# ---------------------------------------------------------------------------------------------- resolved.yaml


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_what_is_written_is_what_is_loaded(experiment, tmp_path):
    overrides = [f"experiment={experiment}", "register.name='ü: \"x\"'", "register.gate.m.better_than_champion=lower"]
    parameters = compose(OPTIONS, overrides)
    (tmp_path / "resolved.yaml").write_text(to_yaml(parameters), encoding="utf-8")
    loaded = load(tmp_path / "resolved.yaml", **SECTIONS)
    assert Parameters(*loaded) == parameters


def test_the_same_choice_is_the_same_bytes_and_the_sections_keep_their_order():
    texts = {to_yaml(compose(OPTIONS, ["debug=tiny"])) for _ in range(2)}
    assert len(texts) == 1
    assert list(yaml.safe_load(texts.pop())) == list(SECTIONS)


def test_composing_leaves_nothing_of_one_choice_for_the_next():
    before = to_yaml(compose(OPTIONS, []))
    compose(OPTIONS, ["experiment=images", "register.gate.m.at_least=1"])
    with pytest.raises(UserError):
        compose(OPTIONS, ["train.lr=[1"])
    assert to_yaml(compose(OPTIONS, [])) == before


# ------------------------------------------------------------------------------------------------ experiments


def test_experiments_are_listed_with_their_first_comment(options):
    assert experiments(options)["mine"] == "Mine."
    assert all(experiments(OPTIONS).values())
    assert list(experiments(OPTIONS)) == EXPERIMENTS


def test_an_experiment_without_a_comment_is_listed_all_the_same(options):
    (options / "experiment" / "bare.yaml").write_text("# @package _global_\n")
    assert experiments(options)["bare"] == ""

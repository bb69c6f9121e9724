"""Options and overrides become checked parameters, or one line that says which key, what was given, what is allowed."""

import shutil
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import yaml
from omegaconf import OmegaConf

from components.artifacts.errors import UserError
from components.artifacts.parameters import Condition, Parameters, Recipe, build, load, load_together
from components.compose.choice import read_choice
from components.compose.compose import compose, experiments, to_yaml

ROOT = Path(__file__).parents[3]
OPTIONS = ROOT / "params"
EXPERIMENTS = sorted(path.stem for path in (OPTIONS / "experiment").glob("*.yaml"))
SECTIONS = get_type_hints(Parameters)
# Every option stands in one of these.
GROUPS = sorted({path.parent.relative_to(OPTIONS).as_posix() for path in OPTIONS.glob("*/**/*.yaml")} - {"study"})

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


@cache
def composed(experiment: str) -> Parameters:
    """At full length. The weights of Inception are a file that nobody has before it is made; any path will do."""
    return compose(OPTIONS, [f"experiment={experiment}", "feature_network.inception_weights=inception.safetensors"])


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    both = {key: merged(below[key], above[key]) for key in above if isinstance(below.get(key), dict)}
    return below | above | both


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_composes(experiment):
    assert isinstance(composed(experiment), Parameters)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_an_experiment_says_nothing_to_hydra_but_its_defaults(experiment):
    content = yaml.safe_load((OPTIONS / "experiment" / f"{experiment}.yaml").read_text())
    assert set(content) <= {"defaults", *SECTIONS}


# Composing each experiment once more would take as long again; that debug has the last word is shown below.
@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_tiny_is_short_whatever_the_experiment(experiment):
    differences = yaml.safe_load((OPTIONS / "debug" / "tiny.yaml").read_text())
    tiny = build(Parameters, merged(asdict(composed(experiment)), differences), "")
    assert tiny.train.steps <= 10
    assert tiny.train.batch_size <= 16
    assert tiny.feature_network.steps <= 10
    assert tiny.evaluate_generation.samples <= 500


def test_tiny_is_composed_as_it_is_merged():
    differences = yaml.safe_load((OPTIONS / "debug" / "tiny.yaml").read_text())
    assert asdict(compose(OPTIONS, ["debug=tiny"])) == merged(asdict(compose(OPTIONS, [])), differences)


def option_files() -> list[tuple[str, str]]:
    return [(group, path.stem) for group in GROUPS for path in sorted((OPTIONS / group).glob("*.yaml"))]


@pytest.mark.parametrize(
    ("group", "option"), [pair for pair in option_files() if pair[0] not in ("experiment", "debug")]
)
def test_every_option_is_taken_by_its_section(group, option):
    content = OmegaConf.create({"image": {"size": 64}, "option": OmegaConf.load(OPTIONS / group / f"{option}.yaml")})
    if option == "inception":
        content.option.inception_weights = "inception.safetensors"
        content.option.inception_sha256 = "0" * 64
    kind: Any = Parameters
    for name in group.split("/"):
        kind = get_type_hints(kind)[name]
    build(kind, OmegaConf.to_container(content, resolve=True)["option"], group.replace("/", "."))


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
        (["experiment=group", "experiment=mine"], 3),
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


@pytest.mark.parametrize(
    "text",
    [
        "image: rgb32\nmodel/latent: uniform120\nmodel/generator: biggan32\n",
        "experiment: other\n",
        "experiment: other\nmodel/generator: biggan32\nmodel: {generator: {embedding_size: 7}}\n",
    ],
)
def test_a_group_in_a_group_is_chosen_everywhere(options, tmp_path, text):
    experiment = "# @package _global_\n# Mine.\ndefaults:\n  - override /image: rgb32\n"
    experiment += "  - override /model/latent: uniform120\n  - override /model/generator: biggan32\n"
    (options / "experiment" / "other.yaml").write_text(experiment)
    (tmp_path / "params.yaml").write_text(text)
    model = compose(options, read_choice(tmp_path / "params.yaml")).model
    expected = yaml.safe_load((options / "model" / "generator" / "biggan32.yaml").read_text())
    assert asdict(model.generator) == expected | ({"embedding_size": 7} if "embedding_size" in text else {})
    assert model.latent.distribution == "uniform"
    line = [f"{key}={value}" for key, value in yaml.safe_load(text).items() if isinstance(value, str)]
    assert compose(options, [*line, "+model/latent=uniform120"]).model.latent == model.latent


def test_an_experiment_can_do_without_a_network(options):
    text = "# @package _global_\n# Mine.\nmodel: {encoder: null, discriminator: {scores: [image]}}\n"
    (options / "experiment" / "gan.yaml").write_text(text)
    parameters = compose(options, ["experiment=gan"])
    assert parameters.model.encoder is None
    assert yaml.safe_load(to_yaml(parameters))["model"]["encoder"] is None
    by_hand = compose(options, ["model.encoder=null", "model.discriminator.scores=[image]"])
    assert by_hand.model == parameters.model
    text = "# @package _global_\n# Mine.\nmodel: {discriminator: null}\n"
    text += "objective: {adversarial: none, reconstruction_l1: 1.0}\n"
    (options / "experiment" / "autoencoder.yaml").write_text(text)
    assert compose(options, ["experiment=autoencoder"]).model.discriminator is None


def test_another_kind_is_chosen_as_a_whole(options):
    assert asdict(
        compose(options, ["augmentation=crop", "augmentation.minimum_area=0.5"]).augmentation
    ) == yaml.safe_load((options / "augmentation" / "crop.yaml").read_text()) | {"minimum_area": 0.5}


@pytest.mark.parametrize("name", ["with-dash", "128px", "v1.5"])
def test_the_name_of_an_option_need_not_be_an_identifier(options, tmp_path, name):
    (options / "experiment" / f"{name}.yaml").write_text("# @package _global_\n# Mine.\ntrain: {steps: 77}\n")
    (tmp_path / "params.yaml").write_text(f"experiment: {name}")
    assert compose(options, read_choice(tmp_path / "params.yaml")).train.steps == 77
    assert compose(options, [f"experiment={name}"]).train.steps == 77


@pytest.mark.parametrize("number", ["5e-4", "5E-4", ".5e-3", "0.05e-2", "5.e-4"])
def test_a_rate_in_the_form_that_yaml_takes_for_a_text_is_a_number(options, tmp_path, number):
    (tmp_path / "params.yaml").write_text(
        f"train: {{lr: {number}}}\nevaluate_representation: {{l2_penalties: [{number}]}}"
    )
    parameters = compose(options, read_choice(tmp_path / "params.yaml"))
    assert parameters.train.lr == 0.0005
    assert parameters.evaluate_representation.l2_penalties == [0.0005]
    (options / "experiment" / "rate.yaml").write_text(f"# @package _global_\n# Mine.\ntrain: {{lr: {number}}}\n")
    assert compose(options, ["experiment=rate"]).train.lr == 0.0005


def test_a_rate_on_the_command_line_is_a_number():
    assert compose(OPTIONS, ["train.lr=5e-4"]).train.lr == 0.0005


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
            ["augmentation.zoom=3"],
            "augmentation.zoom is not a parameter of kind shift; augmentation has: kind, shift, flip, generated",
        ),
        (
            ["augmentation.minimum_area=0.5"],
            "augmentation.minimum_area is not a parameter of kind shift; augmentation has: kind, shift, flip, ",
        ),
        (["augmentation.kind=crop"], "augmentation.shift is not a parameter of kind crop; augmentation has: kind, min"),
        (["augmentation.kind=zoom"], "augmentation.kind is zoom; allowed: shift, crop"),
        (["train.steps=1.5"], "train.steps is 1.5, but it must be of type int"),
        (["train.steps=1e3"], "train.steps is 1000.0, but it must be of type int"),
        (["train.steps=true"], "train.steps is true, but it must be of type int"),
        (["train.lr=fast"], "train.lr is 'fast', but it must be of type float"),
        (["train.lr="], "train.lr is '', but it must be of type float"),
        (["train.lr=null"], "train.lr is null, but it must be of type float"),
        (["train.lr=nan"], "train.lr is nan, but it must be a finite number"),
        (["train.lr=[1"], "train.lr=[1 cannot be read: a text with special characters goes in quotes"),
        (["train.lr=1,2"], "Ambiguous value for argument '++train.lr=1,2'"),
        (["train.lr=${image.colour}"], "train.lr: Interpolation key 'image.colour' not found"),
        (["image.size.x=3"], "image.size is {'x': 3}, but it must be of type int"),
        (["model.encoder.trunk=null"], "model.encoder.trunk is null, but it is a section: give its keys one by one"),
        (["model.generator=null"], "model.generator is null, but it is a section: give its keys one by one"),
        (["model.generator.multipliers=[1,x]"], "model.generator.multipliers[1] is 'x', but it must be of type int"),
        (["model.generator.multipliers=3"], "model.generator.multipliers is 3, but it must be of type list[int]"),
        (
            ["model/generator=biggan129"],
            f"model/generator=biggan129: model/generator has no such option; it has: {listed('model/generator')}",
        ),
        (
            ["model/encoder=null"],
            f"model/encoder=null: model/encoder has no such option; it has: {listed('model/encoder')}",
        ),
        (
            ["model.generator=biggan128"],
            "model.generator=biggan128: an option is chosen with a slash: model/generator=biggan128",
        ),
        (
            ["model/generator.channels=3"],
            "model/generator.channels: model/generator is a group, whose options are chosen; a value has dots only: "
            "model.generator.channels",
        ),
        (["model/trunk=resnet50"], "model/trunk is not a group; there are: image, prepare, model/latent, model/gener"),
        (["experiment@image=digits"], "experiment@image is not a group; there are: image, prepare, model/latent, "),
        (
            ["model=small28"],
            "model=small28: model is chosen in parts: model/latent, model/generator, model/encoder, model/disc",
        ),
        (["hydra.run.dir=x"], "hydra.run.dir is not a parameter: Hydra does no more here than compose"),
        (["+hydra.searchpath=[x]"], "hydra.searchpath is not a parameter: Hydra does no more here than compose"),
        (["hydra/launcher=basic"], "hydra/launcher is not a parameter: Hydra does no more here than compose"),
        (["hydra=x"], "hydra is not a parameter: Hydra does no more here than compose"),
        (
            [*THREE_CHUNKS, "model.latent.size=19"],
            "model.latent.size is 19; allowed: a multiple of 3: one chunk for the seed",
        ),
        (
            [*THREE_CHUNKS, "image.size=30"],
            "model.generator.image_size is 30; allowed: a multiple of 4, at least 8: model.generator has 2 blocks",
        ),
        (["model/generator=small32", "image=grey28"], "model.generator.image_size is 28; allowed: a multiple of 8"),
        (["model.encoder=null"], "model.discriminator.scores is ['image', 'latent', 'joint']; allowed: [image], "),
        (
            [*THREE_CHUNKS, "model.generator.attention_resolution=10"],
            "model.generator.attention_resolution is 10; allowed: 0, 28, 14",
        ),
        (["train.lr=0"], "train.lr is 0.0; allowed: more than 0"),
        (
            ["feature_network=inception"],
            "feature_network.inception_weights has no value: give it one in params.yaml, or on the command line as "
            "feature_network.inception_weights=VALUE",
        ),
        (
            ["feature_network.kind=inception"],
            "feature_network.inception_weights is null; allowed: the path of a weights",
        ),
        (["train.lr=???"], "train.lr has no value: give it one in params.yaml"),
        (["register.gate.fid.at_most=x"], "register.gate.fid.at_most is 'x', but it must be of type float"),
        (
            ["register.gate.fid.at_mots=3"],
            "register.gate.fid.at_mots is not a parameter; register.gate.fid has: at_least",
        ),
        (["register.gate.fid=null", "register.gate.fid.at_must=1"], "register.gate.fid.at_must is not a parameter"),
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
    with pytest.raises(UserError, match=r"nowhere has no config\.yaml: --params-directory must name"):
        compose(tmp_path / "nowhere", ["experiment=digits"])


def test_an_unknown_option_in_an_experiment_is_refused_with_the_known_ones(options):
    text = "# @package _global_\n# Mine.\ndefaults:\n  - override /model/generator: biggan129\n"
    (options / "experiment" / "wrong.yaml").write_text(text)
    with pytest.raises(UserError) as caught:
        compose(options, ["experiment=wrong"])
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert "'model/generator/biggan129'" in message
    assert all(option in message for option in listed("model/generator").split(", "))


# ---------------------------------------------------------------------------------------------- resolved.yaml


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_what_is_written_is_what_is_loaded(experiment, tmp_path):
    parameters = composed(experiment)
    (tmp_path / "resolved.yaml").write_text(to_yaml(parameters), encoding="utf-8")
    assert Parameters(*load(tmp_path / "resolved.yaml", **SECTIONS)) == parameters


def test_texts_conditions_and_absent_networks_are_loaded_as_they_were_written(tmp_path):
    overrides = ["register.name='ü: \"x\"'", "register.gate.m.better_than_champion=lower"]
    parameters = compose(OPTIONS, [*overrides, "model.encoder=null", "model.discriminator.scores=[image]"])
    (tmp_path / "resolved.yaml").write_text(to_yaml(parameters), encoding="utf-8")
    assert Parameters(*load(tmp_path / "resolved.yaml", **SECTIONS)) == parameters
    assert load_together(tmp_path / "resolved.yaml", Recipe) == parameters.recipe()


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

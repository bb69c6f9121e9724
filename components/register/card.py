"""The model card: Markdown with the YAML front matter that the Hugging Face hub reads. It claims what was measured."""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import yaml

from components.artifacts.flatten import flatten
from components.artifacts.metric_keys import MEMORISATION, Accuracy, OfImages, beside, features_title, read_key
from components.register.candidate import Candidate
from components.register.gate import Finding

# Sections of resolved.yaml and keys in them that say what kind of model it is; all the others are beside the card. A
# network's section is itself a value where the model lacks the network: null.
PARAMETERS = (
    "image.size",
    "image.channels",
    "model.latent.size",
    "model.latent.distribution",
    "model.generator.kind",
    "model.generator.image_size",
    "model.generator.channels",
    "model.generator.multipliers",
    "model.encoder",
    "model.encoder.image_size",
    "model.encoder.trunk.kind",
    "model.encoder.trunk.layers",
    "model.encoder.trunk.width",
    "model.encoder.trunk.channels",
    "model.encoder.trunk.multipliers",
    "model.encoder.sigma",
    "model.discriminator",
    "model.discriminator.kind",
    "model.discriminator.scores",
    "model.discriminator.channels",
    "model.discriminator.multipliers",
    "train.steps",
    "train.batch_size",
    "train.discriminator_steps",
    "train.lr",
    "train.ema_decay",
)

_TAGS = {
    "bigbigan": {"encoder", "discriminator"},
    "gan": {"discriminator"},
    "image-feature-extraction": {"encoder"},
    "unconditional-image-generation": {"discriminator"},
}
# A family of metrics, as the hub calls it.
_HUB_METRICS = {"accuracy": "accuracy", "fid": "fid", "fd": "frechet_distance"}


def card(
    name: str, version: int, created: str, candidate: Candidate, findings: Iterable[Finding], git: Mapping[str, Any]
) -> str:
    """The whole text; its pictures are linked by their paths inside the registry's version."""
    values = candidate.measured.values
    networks = {name.removesuffix(".safetensors") for name in candidate.description["files"]}
    sections = [
        _front_matter(name, values, networks) + f"# {name}, version {version}",
        _intended_use(networks),
        _data(candidate),
        _parameters(candidate),
        _metrics(values, candidate.measured.skipped),
        _gate(findings),
        _pictures(candidate.sources),
        _limits(values),
        _lineage(created, candidate, git),
    ]
    return "\n\n".join(sections) + "\n"


def _front_matter(name: str, values: Mapping[str, float], networks: Set[str]) -> str:
    families = {reading.measure.family for reading in map(read_key, values) if reading is not None}
    content = {
        # Nobody but the owner of the images can say under which licence a model made from them may go.
        "license": "unknown",
        "library_name": "pytorch",
        "model_name": name,
        "tags": [tag for tag, needed in _TAGS.items() if needed <= networks],
        "metrics": sorted(hub for family, hub in _HUB_METRICS.items() if family in families),
    }
    return f"---\n{yaml.safe_dump(content, sort_keys=False)}---\n\n"


def _intended_use(networks: Set[str]) -> str:
    if "encoder" not in networks:
        use = (
            "A generative adversarial network without an encoder: a generator that turns a latent code into an image, "
            "trained without labels. For samples like the images it was trained on; it has no embeddings and no "
            "reconstructions."
        )
    elif "discriminator" not in networks:
        use = (
            "An autoencoder: an encoder that turns an image into features and a latent code, and a generator that "
            "turns a latent code into an image; trained together, without labels and without a discriminator. For "
            "embeddings and reconstructions of images like those it was trained on."
        )
    else:
        use = (
            "BigBiGAN (Donahue & Simonyan 2019): an encoder that turns an image into features and a latent code, and a "
            "generator that turns a latent code into an image; trained together, without labels. For embeddings, "
            "samples and reconstructions of images like those it was trained on."
        )
    return f"## Intended use\n\n{use}"


def _data(candidate: Candidate) -> str:
    classes = candidate.manifest["classes"]
    labels = "none" if classes is None else f"{len(classes)} classes; used by the evaluation only"
    rows = [["version", f"`{candidate.manifest['version']}`"]]
    rows += [[f"images, {split}", str(count)] for split, count in candidate.counts.items()]
    return "## Data\n\n" + _table(["", ""], [*rows, ["labels", labels]])


def _parameters(candidate: Candidate) -> str:
    parameters = dict(flatten(candidate.description["config"]))
    parameters |= dict(flatten(candidate.description["provenance"].get("parameters", {})))
    rows = [[f"`{key}`", _text(parameters[key])] for key in PARAMETERS if key in parameters]
    return "## Parameters\n\n" + (_table(["", ""], rows) + "\n\n" if rows else "") + "All of them: `resolved.yaml`."


def _metrics(values: Mapping[str, float], skipped: Mapping[str, str]) -> str:
    parts = ["## Metrics"]
    parts += [f"`{name}` was skipped: {why}." for name, why in sorted(skipped.items())]
    accuracies = _accuracy_rows(values)
    if accuracies:
        head = ["accuracy", "features", "trained", "untrained, same shape", "raw pixels"]
        parts.append(_table(head, accuracies))
    distances = _floor_rows(values)
    if distances:
        parts.append(_table(["measure", "generated samples", "real held-out images (floor)"], distances))
    parts.append("Every number:")
    parts.append(_table(["key", "value"], [[f"`{key}`", f"{value:.6g}"] for key, value in sorted(values.items())]))
    parts.append("What each was measured by stands in `protocol.json` beside its `metrics.json`, under `metrics/`.")
    return "\n\n".join(parts)


def _accuracy_rows(values: Mapping[str, float]) -> list[list[str]]:
    rows = []
    for key, value in sorted(values.items()):
        reading = read_key(key)
        if not isinstance(reading, Accuracy) or reading.is_reference:
            continue
        what = [f"{reading.protocol_title}, {reading.split}", features_title(reading.features)]
        rows.append([*what, _number(value), _beside(key, values, "untrained"), _beside(key, values, "raw pixels")])
    return rows


def _floor_rows(values: Mapping[str, float]) -> list[list[str]]:
    """Each measure of generated samples beside the same measure of as many real held-out images."""
    rows = []
    for key, value in sorted(values.items()):
        reading = read_key(key)
        if isinstance(reading, OfImages) and reading.images == "samples":
            against = f" against {reading.against}" if reading.against else ""
            statistic = f", {reading.statistic}" if reading.statistic else ""
            name = f"{reading.derived}_{reading.name}" if reading.derived else reading.name
            label = f"`{name}`, {reading.count} images{against}{statistic}"
            rows.append([label, _number(value), _beside(key, values, "real images")])
    return rows


def _beside(key: str, values: Mapping[str, float], name: str) -> str:
    other = beside(key, values).get(name)
    return "-" if other is None else _number(values[other])


def _gate(findings: Iterable[Finding]) -> str:
    rows = [[_text(finding.text)] for finding in findings]
    return "## Gate\n\n" + (_table(["held when it was registered"], rows) if rows else "No conditions were set.")


def _pictures(sources: Mapping[str, Any]) -> str:
    names = sorted(name for name in sources if name.endswith(".png"))
    return "## Pictures\n\n" + ("\n\n".join(f"![{_title(name)}]({name})" for name in names) or "None were made.")


def _title(name: str) -> str:
    return name.rsplit("/", 1)[-1].removesuffix(".png").replace("_", " ")


def _limits(values: Mapping[str, float]) -> str:
    families = {reading.measure.family for reading in map(read_key, values) if reading is not None}
    if MEMORISATION in families:
        repeats = f"Whether samples repeat training images is told by `{MEMORISATION}_…` alone."
    else:
        repeats = "Whether samples repeat training images was not measured."
    return (
        "## Limits\n\n"
        "The numbers above hold for this version of the dataset, its split and the protocols named; nothing was "
        f"measured on other images. {repeats} The licence of the images and of the model is not known to this card: "
        "state it before passing them on."
    )


def _lineage(created: str, candidate: Candidate, git: Mapping[str, Any]) -> str:
    code = "not known: no git" if git["revision"] is None else f"`{git['revision']}`"
    if git["dirty"]:
        code += ", with uncommitted changes"
    rows = [["registered", created], ["run id", f"`{candidate.run_id}`"], ["code that registered it", code]]
    provenance = {key: value for key, value in candidate.description["provenance"].items() if key != "parameters"}
    rows += [[f"training: `{key}`", _text(value)] for key, value in flatten(provenance)]
    hashes = [[f"sha256 of `{name}`", f"`{digest}`"] for name, digest in candidate.hashes.items() if _is_weights(name)]
    return "## Lineage\n\n" + _table(["", ""], rows + hashes)


def _is_weights(name: str) -> bool:
    return name.startswith("model/") and name.endswith(".safetensors")


def _number(value: float) -> str:
    return f"{value:.4g}"


def _text(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)

"""The page: evidence in, one HTML file out, which needs nothing from elsewhere. The same evidence, the same bytes."""

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from components.report.comparison import compare
from components.report.data import class_bars, data_sheet
from components.report.evidence import Artifact, Evidence
from components.report.number import Number, number
from components.report.parameters import in_words, sections
from components.report.pictures import Picture, read_pictures
from components.report.tables import AccuracyTable, MeasureRow, accuracy_table, measure_rows, unread
from components.report.tiles import tiles
from components.report.training import charts
from components.report.verdict import judged

_HERE = Path(__file__).parent
_TITLES = {"representation": "Representation", "generation": "Generation"}
# Entries of a protocol that are told above it, in words.
_TOLD = ("outcomes.remarks.", "not_measured.", "skipped.")


@dataclass(frozen=True)
class Chapter:
    """One metrics artifact. `skipped`: why it measured nothing; `remarks`: what it says of its own numbers."""

    anchor: str
    title: str
    skipped: str | None
    remarks: list[str]
    accuracies: AccuracyTable | None
    measures: list[MeasureRow]
    others: list[Number]
    every: list[Number]
    pictures: list[Picture]
    protocol: list[tuple[str, str]]


def render(evidence: Evidence) -> str:
    values = evidence.values
    decisive = tiles(values, evidence.decision["conditions"])
    previous = evidence.previous
    compared = None if previous is None else compare(values, previous, [tile.number.key for tile in decisive])
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html").render(
        style=(_HERE / "page.css").read_text(encoding="utf-8"),
        name=_name(evidence),
        subtitle=_subtitle(evidence),
        decision=evidence.decision,
        conditions=judged(values, evidence.decision["conditions"]),
        tiles=decisive,
        chapters=[_chapter(artifact) for artifact in evidence.artifacts],
        charts=charts(evidence.logs),
        signs=evidence.signs,
        training_pictures=read_pictures(evidence.model),
        data=data_sheet(evidence.manifest),
        all_classes=class_bars(evidence.manifest),
        data_pictures=read_pictures(evidence.dataset),
        choice=None if evidence.choice is None else in_words(evidence.choice),
        parameters=sections(evidence.parameters, None if previous is None else previous["parameters"]),
        comparison=compared,
        lineage=_lineage(evidence),
    )


def _name(evidence: Evidence) -> str:
    """The experiment, or what the model is registered as."""
    return str((evidence.choice or {}).get("experiment", evidence.decision["name"]))


def _subtitle(evidence: Evidence) -> list[str]:
    provenance = evidence.description.get("provenance", {})
    parts = {"run": "code_version", "seed": "seed", "steps": "step"}
    told = [f"{name} {provenance[key]}" for name, key in parts.items() if key in provenance]
    return [*told, f"dataset {str(evidence.manifest['version'])[:12]}"]


def _chapter(artifact: Artifact) -> Chapter:
    values, protocol = artifact.metrics.values, artifact.metrics.protocol
    absent = [f"{key} was not measured: {why}" for key, why in sorted(protocol.get("not_measured", {}).items())]
    return Chapter(
        anchor=artifact.name,
        title=_TITLES.get(artifact.name, artifact.name.replace("_", " ").capitalize()),
        skipped=protocol.get("skipped"),
        remarks=[*protocol.get("outcomes", {}).get("remarks", []), *absent],
        accuracies=accuracy_table(values, protocol.get("views", {})),
        measures=measure_rows(values),
        others=unread(values),
        every=[number(key, values) for key in sorted(values)],
        pictures=read_pictures(artifact.directory),
        protocol=[(key, text) for key, text in in_words(protocol) if not f"{key}.".startswith(_TOLD)],
    )


def _lineage(evidence: Evidence) -> list[tuple[str, str]]:
    decision, git = evidence.decision, evidence.decision.get("git") or {}
    provenance = {
        key: value for key, value in evidence.description.get("provenance", {}).items() if key != "parameters"
    }
    code = git.get("revision") or "not known: no git"
    told = [
        ("registered as", decision["name"]),
        ("attempt (run id)", decision["run_id"]),
        ("code that registered it (git)", code + (", with uncommitted changes" if git.get("dirty") else "")),
        ("source (sha256)", evidence.manifest["source"]["sha256"]),
    ]
    told += [(f"training: {key}", value) for key, value in in_words(provenance)]
    return told + [
        (f"sha256 of {name}", digest) for name, digest in sorted(evidence.description.get("files", {}).items())
    ]

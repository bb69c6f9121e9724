"""A model and its metrics become a version and champion, or a recorded refusal."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from components.artifacts.errors import UserError
from components.artifacts.files import new_directory, sha256, write_bytes, write_json
from components.artifacts.parameters import Register
from components.register.candidate import Candidate
from components.register.card import card
from components.register.gate import Champion, Finding, judge
from components.register.measured import Remeasured
from components.register.previous import describe_previous, read_champion
from components.register.registry import FORMAT, Registry

Decision = dict[str, Any]


def register_model(
    registry: Registry, candidate: Candidate, register: Register, git: dict[str, Any], remeasured: Remeasured | None
) -> Decision:
    """Judges the candidate, registers it or records its refusal, and returns the decision that the registry holds.

    A run that was decided before gets its first decision; nothing is written then. A model that passed the gate, but
    lost to another that became champion in the same moment, stays a version and is not champion.

    Raises:
        UserError: the run id stands for another model, or the registry is damaged.
    """
    while True:
        records = registry.champion_records()
        decision = _decided(registry, records, candidate)
        if decision is not None:
            return decision
        champion = read_champion(registry, records[max(records)]["version"], remeasured) if records else None
        findings = judge(register.gate, candidate.measured, champion)
        version = registry.version_of(candidate.run_id)
        if not all(finding.holds for finding in findings):
            refusal = _decision(candidate, register, findings, champion, remeasured, git, version, passed=False)
            registry.record_refusal(candidate.run_id, refusal)
            continue
        if version is None:
            version = _add_version(registry, candidate, register, findings, git)
        decision = _decision(candidate, register, findings, champion, remeasured, git, version, passed=True)
        record = {
            "version": version,
            "previous": decision["previous"],
            "run_id": candidate.run_id,
            "time": decision["time"],
            "decision": decision,
        }
        # Where another writer took this number, there is another champion: the next turn judges against that one.
        registry.append_champion(max(records, default=0) + 1, record)


def write_registration(
    output: Path, registry: Registry, decision: Decision, candidate: Candidate, remeasured: Remeasured | None
) -> None:
    """Writes `registration.json`; `previous.json`, if there was a champion to be held against; and for a registered
    model its card with the pictures that the card links to."""
    with new_directory(output, known_by="registration.json") as folder:
        if decision["registered"]:
            version = registry.directory(decision["version"])
            shutil.copyfile(version / "card.md", folder / "card.md")
            for picture in sorted(version.rglob("*.png")):
                target = folder / picture.relative_to(version)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(picture, target)
        # Decisions of earlier code, which a registry keeps, do not say whom they compared with.
        if decision.get("previous") is not None:
            champion = read_champion(registry, decision["previous"], remeasured)
            write_json(folder / "previous.json", describe_previous(registry, champion, candidate.measured))
        write_json(folder / "registration.json", decision)


def _decided(registry: Registry, records: dict[int, dict[str, Any]], candidate: Candidate) -> Decision | None:
    run_id = candidate.run_id
    found = [record["decision"] for record in records.values() if record["run_id"] == run_id]
    refusal = registry.refusal(run_id)
    if refusal is not None:
        found.append(refusal)
    version = registry.version_of(run_id)
    contents = {decision["content"] for decision in found}
    if version is not None:
        contents.add(registry.entry(version)["content"])
    if contents - {candidate.content}:
        raise UserError(f"run id {run_id} stands for another model, metrics or gate already: give another --run-id")
    return found[0] if found else None


def _decision(
    candidate: Candidate,
    register: Register,
    findings: Sequence[Finding],
    champion: Champion | None,
    remeasured: Remeasured | None,
    git: dict[str, Any],
    version: int | None,
    passed: bool,
) -> Decision:
    decisive = [finding.text for finding in findings if finding.holds == passed]
    return {
        "name": register.name,
        "run_id": candidate.run_id,
        "content": candidate.content,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "registered": version is not None,
        "version": version,
        "champion": passed,
        "previous": None if champion is None else champion.version,
        "reasons": decisive or ["the gate has no conditions (parameter register.gate)"],
        "conditions": [asdict(finding) for finding in findings],
        "measured_again": None if remeasured is None else remeasured.version,
        "git": git,
    }


def _add_version(
    registry: Registry, candidate: Candidate, register: Register, findings: Sequence[Finding], git: dict[str, Any]
) -> int:
    created = datetime.now(UTC).isoformat(timespec="seconds")

    def fill(folder: Path) -> None:
        for name, source in candidate.sources.items():
            _copy(source, folder / name, candidate.hashes[name])

    def finish(folder: Path, version: int) -> None:
        write_bytes(folder / "card.md", card(register.name, version, created, candidate, findings, git).encode())
        names = [*candidate.sources, "card.md"]
        entry = {
            "format": FORMAT,
            "name": register.name,
            "version": version,
            "run_id": candidate.run_id,
            "content": candidate.content,
            "created": created,
            "git": git,
            "dataset": {"version": candidate.manifest["version"], "counts": candidate.counts},
            "gate": [asdict(finding) for finding in findings],
            "files": {
                name: {"bytes": (folder / name).stat().st_size, "sha256": sha256(folder / name)} for name in names
            },
        }
        write_json(folder / "entry.json", entry)

    return registry.add_version(candidate.run_id, fill, finish)


def _copy(source: Path, target: Path, expected: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())
    if sha256(target) != expected:
        raise UserError(f"{source} changed while it was being registered: run the same command again")

"""Registers a trained and evaluated model, or refuses it and says why.

Reads the model, its metrics and the dataset's manifest, holds the numbers against the gate (the parameter
register.gate: per metric at_least, at_most, or better_than_champion: higher | lower) and, if every condition
holds, adds an immutable version to the registry (model, model card, metrics, parameters, git revision, hash of the
data) and makes it champion. The equal, the worse, and the one measured by another protocol do not win. A refusal is
recorded in the registry with its reason; the step has done its work then, and ends with exit code 0.

Writes into --output: registration.json (registered, version, champion, reasons, conditions); previous.json, the
champion that it was held against; and, for a registered model, card.md with its pictures. The same run repeated makes
no second version; it gets its first decision again.

If the champion was measured by another protocol, such as another version of the dataset, evaluate the model of its
version anew and give the result to --champion-metrics, with --champion-version to say whose numbers they are.
"""

import argparse
from pathlib import Path

from components.artifacts.command import run
from components.artifacts.parameters import Register, load
from components.register.candidate import read_candidate, read_named_metrics
from components.register.lineage import git_revision
from components.register.measured import Remeasured
from components.register.registration import Decision, register_model, write_registration
from components.register.registry import Registry


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m components.register",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--params", type=Path, required=True, metavar="FILE", help="resolved.yaml; section: register")
    parser.add_argument("--model", type=Path, required=True, metavar="DIR", help="the model artifact")
    parser.add_argument("--dataset", type=Path, required=True, metavar="DIR", help="the dataset it was trained on")
    parser.add_argument("--metrics", type=Path, required=True, nargs="+", metavar="DIR", help="its metrics artifacts")
    parser.add_argument("--registry", type=Path, required=True, metavar="DIR", help="the registry; made if absent")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where the decision is written")
    parser.add_argument("--run-id", metavar="ID", help="names this attempt; default: a hash of all it depends on")
    parser.add_argument("--champion-version", type=int, metavar="N", help="whose numbers --champion-metrics are")
    parser.add_argument(
        "--champion-metrics", type=Path, nargs="+", default=[], metavar="DIR", help="its metrics, measured again"
    )
    args = parser.parse_args()
    if (args.champion_version is None) == bool(args.champion_metrics):
        parser.error("--champion-version and --champion-metrics go together")

    (register,) = load(args.params, register=Register)
    remeasured = None
    if args.champion_metrics:
        remeasured = Remeasured(args.champion_version, read_named_metrics(args.champion_metrics))
    candidate = read_candidate(register, args.model, args.dataset, args.metrics, args.params, remeasured, args.run_id)
    registry = Registry(args.registry)
    decision = register_model(registry, candidate, register, git_revision(), remeasured)
    write_registration(args.output, registry, decision, candidate, remeasured)
    print(_result(decision, registry))


def _result(decision: Decision, registry: Registry) -> str:
    if decision["champion"]:
        head = f"registered: version {decision['version']} of {decision['name']}, champion"
    elif decision["registered"]:
        head = f"registered: version {decision['version']} of {decision['name']}; refused as champion"
    else:
        head = "refused: " + "; ".join(decision["reasons"])
    lines = [head]
    if decision["registered"]:
        lines += [f"  {reason}" for reason in decision["reasons"]]
        lines.append(f"  in {registry.directory(decision['version'])}")
    return "\n".join([*lines, f"  decided {decision['time']}, run id {decision['run_id']}"])


if __name__ == "__main__":
    run(main)

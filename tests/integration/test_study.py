"""A study of two runs of a few steps, with real experiments of DVC: run, run again, drawn."""

from collections.abc import Callable
from typing import Any

import yaml

STUDY = {
    "title": "Tiny",
    "seeds": [0],
    "overrides": [
        "evaluate_representation.labels_per_class=[]",
        "evaluate_representation.labels_percent=[]",
        "evaluate_representation.l2_penalties=[0.1]",
    ],
    "measures": {"probe": {"key": "linear_top1_mu_test", "title": "probe", "paper": "none", "higher_is_better": True}},
    "curves": [{"log": "inversion.csv", "column": "inversion/image_l1", "title": "error"}],
    "rows": [
        {"experiment": "digits_base", "label": "Base", "paper": {}},
        {"experiment": "digits_deterministic_e", "label": "Deterministic", "paper": {"probe": [48.1, 46.97]}},
    ],
}
COMMAND = "python -m components.study tiny --output drawn --jobs 2"


def test_a_study_is_run_once_and_drawn(make_clone: Callable[[], Any]) -> None:
    clone = make_clone()
    (clone.path / "params" / "study" / "tiny.yaml").write_text(yaml.safe_dump(STUDY, sort_keys=False))
    clone.run("git add -A && git commit -qm study")
    output = clone.run(COMMAND)
    assert "2 of 2 experiments to run" in output
    table = (clone.path / "drawn" / "tiny.md").read_text()
    assert "| Base | 0." in table
    assert "| Deterministic | 0." in table
    assert (clone.path / "drawn" / "tiny.png").stat().st_size > 0
    assert (clone.path / "drawn" / "tiny_curves.png").stat().st_size > 0
    assert "0 of 2 experiments to run" in clone.run(COMMAND)
    assert clone.run("git status --short").split() == ["??", "drawn/"], "the workspace is as it was"
    (clone.path / "drawn" / "tiny.md").unlink()
    assert clone.run(f"{COMMAND} --draw-only") == table + "\n"
    assert (clone.path / "drawn" / "tiny.md").read_text() == table

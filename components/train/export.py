"""From a finished run to the model artifact."""

import platform
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

from components.artifacts.files import new_directory, write_json
from components.artifacts.model import save_model
from components.artifacts.training_log import FILES as LOGS
from components.artifacts.training_log import SIGNS
from components.bigbigan.build import Networks
from components.train.monitoring import signs
from components.train.monitoring.curves import draw_curves


def export(output: Path, run: Path, networks: Networks, config: dict[str, Any], provenance: dict[str, Any]) -> None:
    """Writes the model with its log, the signs seen, its curves and its last sheets, whole or not at all.

    Args:
        networks: as they are evaluated.
        run: the run's folder.
        provenance: dataset and code versions, parameters, seed and step.
    """
    packages = {name: version(name) for name in ("torch", "numpy", "safetensors")}
    with new_directory(output, known_by="model.json") as partial:
        save_model(
            partial, networks.cpu(), config, provenance | {"python": platform.python_version(), "packages": packages}
        )
        for log in LOGS:
            if (run / log).exists():
                shutil.copy(run / log, partial / log)
        write_json(partial / SIGNS, signs.history(partial))
        draw_curves(partial, partial / "curves.png")
        for sheet in _last_sheets(run).glob("*.png"):
            shutil.copy(sheet, partial / sheet.name)


def _last_sheets(run: Path) -> Path:
    return max((run / "sheets").iterdir())

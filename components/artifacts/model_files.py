"""The files of a model artifact (see `components.artifacts.model`), for steps that pass it on without torch."""

from collections.abc import Mapping
from typing import Any

PARTS = ("generator", "encoder", "discriminator")


def weight_files(config: Mapping[str, Any]) -> dict[str, str]:
    """The weights' file of each network that the configuration has; there is always a generator."""
    networks = [part for part in PARTS if part == "generator" or config["model"].get(part) is not None]
    return {part: f"{part}.safetensors" for part in networks}

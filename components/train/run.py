"""One run: from its folder's newest checkpoint, or from the start, to the model artifact."""

import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from components.artifacts.dataset import Dataset
from components.artifacts.errors import UserError
from components.artifacts.files import check_replaceable
from components.artifacts.parameters import Monitoring, Recipe
from components.artifacts.ranks import Ranks
from components.bigbigan.build import Networks, build_networks
from components.bigbigan.pixels import to_float
from components.train.checkpoint import load_newest_checkpoint, receive_state, save_checkpoint
from components.train.evaluation_copy import evaluation_copy
from components.train.export import export
from components.train.loop import Hooks, train
from components.train.monitoring import drift, inversion, signs
from components.train.monitoring.log import Log
from components.train.monitoring.sheets import draw_sheets, sheet_originals
from components.train.monitoring.singular_values import singular_values
from components.train.precision import set_matmul_precision
from components.train.run_directory import locked, run_name
from components.train.state import State, new_state
from components.train.stopping import stop_between_steps
from components.train.threads import busy_machine

# Enough for a picture; the model that is exported gets `train.standing_batches`.
_SHEET_BATCHES = 16
# Validation images on which E and G are asked to invert each other.
_HELD_OUT = 256


def run(dataset: Dataset, recipe: Recipe, monitoring: Monitoring, ranks: Ranks, runs: Path, output: Path) -> Path:
    """Trains to the end and writes the model to `output`; returns the run's folder.

    All ranks call this together; rank 0 alone reads and writes checkpoints, log, sheets and the model.

    Raises: UserError, if the dataset or the ranks do not fit, or training broke down (see
        `components.train.loop.train`).
    """
    _check_fit(dataset, recipe, ranks)
    identity = asdict(recipe) | {"dataset_version": dataset.manifest["version"]}
    name, seed = run_name(identity), recipe.train.seed
    config = {"image": identity["image"], "model": identity["model"]}
    directory = runs / name
    latent, size = recipe.model.latent, recipe.model.generator.image_size

    def evaluated(state: State, batches: int) -> Networks:
        return evaluation_copy(state, dataset.train, recipe, batches)

    originals = dataset.validation.images(sheet_originals(len(dataset.validation)))
    held_out = dataset.validation.images(range(min(len(dataset.validation), _HELD_OUT)))
    measurable = ranks.writes and drift.can_be_measured(dataset.train)
    reference = drift.reference(dataset.train, size) if measurable else None

    def look(state: State, log: Log) -> None:
        networks = evaluated(state, _SHEET_BATCHES)
        draw_sheets(directory / "sheets" / f"{state.step:09d}", networks, originals, latent, seed)
        if left := inversion.measure(networks, to_float(held_out).to(ranks.device), latent, seed):
            log.write("inversion.csv", state.step, left)
        samples = {} if reference is None else drift.measure(networks, reference, latent, seed)
        log.write("drift.csv", state.step, samples | singular_values(networks))
        if warning := signs.advice(directory):
            tqdm.write(warning, file=sys.stderr)

    def save(state: State) -> None:
        save_checkpoint(directory, state, monitoring.checkpoints_kept)

    set_matmul_precision(recipe.train.precision)
    with ExitStack() as stack:
        if ranks.writes:
            check_replaceable(output, known_by="model.json")
            if warning := busy_machine(ranks):
                print(warning, file=sys.stderr, flush=True)
            stack.enter_context(locked(directory))
        stop_requested = stack.enter_context(stop_between_steps())
        state = new_state(build_networks(config, seed), recipe.train, ranks.device)
        if ranks.writes:
            load_newest_checkpoint(directory, state)
        receive_state(state, ranks)
        if state.step and ranks.writes:
            print(f"going on from step {state.step} of {recipe.train.steps}", flush=True)
        log = stack.enter_context(Log(directory, state.step)) if ranks.writes else None
        train(state, dataset.train, recipe, monitoring, ranks, log, Hooks(save, look, stop_requested))
        if ranks.writes:
            provenance = {
                "dataset_version": dataset.manifest["version"],
                "code_version": name,
                "parameters": identity,
                "seed": seed,
                "step": state.step,
            }
            export(output, directory, evaluated(state, recipe.train.standing_batches), config, provenance)
    return directory


def _check_fit(dataset: Dataset, recipe: Recipe, ranks: Ranks) -> None:
    """All that can be refused before the first step and is not known when the parameters are composed."""
    found, wanted = dataset.manifest["image"], asdict(recipe.image)
    if found != wanted:
        raise UserError(f"the dataset's images are {found}, the parameters' {wanted}: run the step `prepare` again")
    batch_size, accumulation = recipe.train.batch_size, recipe.train.accumulation_steps
    if batch_size % (ranks.count * accumulation):
        raise UserError(
            f"train.batch_size is {batch_size}; allowed: a multiple of {ranks.count * accumulation}, the number of "
            f"processes ({ranks.count}) times train.accumulation_steps ({accumulation}); CUDA_VISIBLE_DEVICES chooses "
            "fewer GPUs"
        )

"""One run: from its folder's newest checkpoint, or from the start, to the model artifact."""

import sys
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from components.artifacts.dataset import Dataset
from components.artifacts.errors import UserError
from components.artifacts.files import check_replaceable
from components.artifacts.parameters import Image, Model, Monitoring, Train
from components.bigbigan.build import Networks, build_networks
from components.train import drift
from components.train.checkpoint import load_newest_checkpoint, save_checkpoint
from components.train.evaluation_copy import evaluation_copy
from components.train.export import export
from components.train.log import Log
from components.train.loop import Hooks, train
from components.train.run_directory import locked, run_name
from components.train.sheets import draw_sheets, sheet_originals
from components.train.state import State, new_state
from components.train.stopping import stop_between_steps
from components.train.threads import busy_machine

# Enough for a picture; the model that is exported gets `train.standing_batches`.
_SHEET_BATCHES = 16


def run(
    dataset: Dataset,
    image: Image,
    model: Model,
    train_parameters: Train,
    monitoring: Monitoring,
    runs: Path,
    output: Path,
) -> Path:
    """Trains to the end and writes the model to `output`; returns the run's folder.

    Raises: UserError, if the dataset does not fit, or training broke down (see `components.train.loop.train`).
    """
    _check_fit(dataset, image)
    check_replaceable(output, known_by="model.json")
    config = {"image": asdict(image), "model": asdict(model)}
    identity = config | {"train": asdict(train_parameters), "dataset_version": dataset.manifest["version"]}
    seed = train_parameters.seed
    name = run_name(identity)
    directory = runs / name

    def evaluated(state: State, batches: int) -> Networks:
        return evaluation_copy(
            state.networks, state.averaged, dataset.train, model.latent, seed, batches, train_parameters.batch_size
        )

    originals = dataset.validation.images(sheet_originals(len(dataset.validation)))
    train_moments = drift.reference(dataset.train) if drift.can_be_measured(dataset.train) else None

    def look(state: State, log: Log) -> None:
        networks = evaluated(state, _SHEET_BATCHES)
        draw_sheets(directory / "sheets" / f"{state.step:09d}", networks, originals, model.latent, seed)
        if train_moments is not None:
            log.write("drift.csv", state.step, drift.measure(networks, train_moments, model.latent, seed))
            if warning := drift.advice(directory / "drift.csv"):
                tqdm.write(warning, file=sys.stderr)

    def save(state: State) -> None:
        save_checkpoint(directory, state, monitoring.checkpoints_kept)

    if warning := busy_machine():
        print(warning, file=sys.stderr, flush=True)
    with locked(directory), stop_between_steps() as stop_requested:
        state = new_state(build_networks(config, seed), train_parameters)
        load_newest_checkpoint(directory, state)
        if state.step:
            print(f"going on from step {state.step} of {train_parameters.steps}", flush=True)
        with Log(directory, state.step) as log:
            hooks = Hooks(save, look, stop_requested)
            train(state, dataset.train, model.latent, train_parameters, monitoring, log, hooks)
        provenance = {
            "dataset_version": dataset.manifest["version"],
            "code_version": name,
            "parameters": identity,
            "seed": seed,
            "step": state.step,
        }
        export(output, directory, evaluated(state, train_parameters.standing_batches), config, provenance)
    return directory


def _check_fit(dataset: Dataset, image: Image) -> None:
    found, wanted = dataset.manifest["image"], asdict(image)
    if found != wanted:
        raise UserError(f"the dataset's images are {found}, the parameters' {wanted}: run the step `prepare` again")

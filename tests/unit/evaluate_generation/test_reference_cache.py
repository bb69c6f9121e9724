"""Statistics of the train split are measured once, and again only where something that they depend on is another."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from components.artifacts.dataset import Dataset
from components.artifacts.feature_network import FeatureNetworkModule
from components.artifacts.model import Model
from components.artifacts.parameters import EvaluateGeneration
from components.evaluate_generation import collect
from components.evaluate_generation.evaluate import evaluate
from tests.unit.evaluate_generation.toy import ALONE, PARAMETERS, make_dataset, make_network

Run = Callable[..., dict[str, float]]


@pytest.fixture
def run(tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Evaluates with a cache and says, under `measured`, how often the reference was measured for it."""
    calls: list[int] = []
    measure = collect.measure_reference
    monkeypatch.setattr(collect, "measure_reference", lambda *given: calls.append(1) or measure(*given))

    def once(
        data: Dataset | None = None,
        network: FeatureNetworkModule | None = None,
        parameters: EvaluateGeneration = PARAMETERS,
    ) -> dict[str, float]:
        before = len(calls)
        found = evaluate(
            model,
            data or make_dataset(),
            network or make_network(),
            parameters,
            ALONE,
            cache=tmp_path / "cache",
            imported=None,
        )
        assert found is not None
        return found.metrics.values | {"measured": len(calls) - before}

    return once


def test_the_second_run_takes_them_and_has_the_same_numbers(run: Run, tmp_path: Path) -> None:
    first, second = run(), run()
    assert (first.pop("measured"), second.pop("measured")) == (1, 0)
    assert first == second
    assert len(list((tmp_path / "cache").iterdir())) == 1


@pytest.mark.parametrize("what", ["dataset", "network", "held", "seed"])
def test_another_input_is_measured_anew(run: Run, what: str) -> None:
    run()
    data, network, parameters = make_dataset(), make_network(), PARAMETERS
    if what == "dataset":
        data.manifest["version"] = "v2"
    elif what == "network":
        network.description["weights_sha256"] = "1" * 64
    else:
        change = {"held": {"pairwise_images": 40}, "seed": {"seed": 1}}[what]
        parameters = replace(parameters, **change)
    assert run(data, network, parameters)["measured"] == 1
    assert run()["measured"] == 0


@pytest.mark.parametrize("what", ["batch_size", "samples"])
def test_what_does_not_matter_is_not_asked_for(run: Run, what: str) -> None:
    run()
    assert run(parameters=replace(PARAMETERS, **{what: 30}))["measured"] == 0


def torn(content: bytes) -> bytes:
    return content[:-9]


@pytest.mark.parametrize("harm", [torn, lambda content: b"", lambda content: b"{}"], ids=["torn", "empty", "other"])
def test_a_harmed_file_is_written_anew(run: Run, tmp_path: Path, harm: Callable[[bytes], bytes]) -> None:
    first = run()
    (path,) = (tmp_path / "cache").iterdir()
    whole = path.read_bytes()
    path.write_bytes(harm(whole))
    second = run()
    assert second == first
    assert second["measured"] == 1
    assert path.read_bytes() == whole


def test_it_stands_for_all_images_and_holds_the_features_of_some(model: Model) -> None:
    data, network = make_dataset(), make_network()
    collected = collect.collect(model, data, network, PARAMETERS, ALONE, cache=None)
    assert collected.reference is not None
    order = np.random.default_rng(0).permutation(60)
    features = network(torch.from_numpy(data.train.images(order)))[0]
    assert len(collected.reference) == 60
    assert collected.reference.held.shape == (50, 5)
    np.testing.assert_allclose(collected.reference.held.numpy(), features[:50].numpy(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(collected.reference.moments.mean.numpy(), features.double().mean(0), rtol=1e-5)

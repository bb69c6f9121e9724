"""What `describe` says is what training does: counted by formula, and measured on real runs of small networks."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from components.artifacts.errors import UserError
from components.artifacts.parameters import Recipe
from components.bigbigan.build import build_networks
from components.bigbigan.encoder.revnet import RevNet
from components.compose.compose import compose
from components.train.describe.command import main
from components.train.describe.cost import Cost, measure
from components.train.describe.describe import describe
from components.train.describe.layers import Network, list_networks
from components.train.describe.meter import Meter
from components.train.draws import step_draws
from components.train.loss import DiscriminatorLoss, GeneratorEncoderLoss
from tests.unit.train.toy import config, make_recipe, make_state, pixels

PARAMS = Path(__file__).parents[3] / "params"
BATCH = 6


def real_cost(method: str = "BigBiGAN", processes: int = 1, **train: Any) -> Cost:
    """Of networks that have values: what is quicker, for ones so small, and shown to be the same below."""
    recipe = make_recipe(method, {f"train.{key}": value for key, value in ({"batch_size": BATCH} | train).items()})
    return measure(build_networks(config(recipe), seed=0), recipe, processes)


def write(path: Path, recipe: Recipe) -> Path:
    path.write_text(yaml.safe_dump(asdict(recipe)))
    return path


# ----------------------------------------------------------------------------------------------------- the meter


@pytest.mark.parametrize(
    ("layer", "size", "products"),
    [
        (nn.Linear(5, 7), (5,), 5 * 7),
        (nn.Conv2d(4, 6, 3, padding=1), (4, 8, 8), 8 * 8 * 6 * 4 * 9),
        (nn.Conv2d(4, 6, 5, stride=2, padding=2), (4, 8, 8), 4 * 4 * 6 * 4 * 25),
        (nn.Conv2d(4, 6, 3, padding=1, groups=2), (4, 8, 8), 8 * 8 * 6 * 2 * 9),
        (nn.ConvTranspose2d(4, 6, 4, stride=2, padding=1), (4, 8, 8), 8 * 8 * 4 * 6 * 16),
    ],
    ids=["linear", "convolution", "strided", "grouped", "transposed"],
)
def test_a_layer_costs_two_flops_per_product_and_its_gradients_as_much_each(
    layer: nn.Module, size: tuple[int, ...], products: int
) -> None:
    for to_input in (False, True):
        with Meter(layer.parameters()) as meter:
            x = torch.zeros(3, *size, requires_grad=to_input)
            value = layer(x).sum()
            assert meter.flops == 2 * 3 * products
            value.backward()
        assert meter.flops == 2 * 3 * products * (3 if to_input else 2)


def test_bytes_are_counted_once_and_while_they_exist() -> None:
    known = torch.zeros(1000)
    with Meter([known]) as meter:
        a = torch.zeros(100)
        assert meter.now == 400
        views = a.view(10, 10).t(), known.view(10, 100)
        assert meter.now == 400
        del a
        assert meter.now == 400, "a view keeps it"
        del views
        assert meter.now == 0
        b = torch.zeros(10)
        b.add_(1)
    assert (meter.now, meter.peak) == (40, 400)


# --------------------------------------------------------------------------------------------- the cost of a step


# No autoencoder: the CPU's squared error lies in a storage as large as what it is the mean of.
@pytest.mark.parametrize("method", ["BigBiGAN", "ALI", "joint latent regressor"])
def test_networks_without_values_cost_what_real_ones_do(method: str) -> None:
    recipe = make_recipe(method, {"train.batch_size": BATCH})
    assert describe(recipe, processes=1, depth=2).cost == measure(make_state(recipe).networks, recipe, processes=1)


def test_a_real_step_of_the_default_model_has_these_flops_and_this_peak() -> None:
    whole = compose(PARAMS, ["experiment=digits"])
    recipe = Recipe(whole.image, whole.model, whole.objective, whole.augmentation, whole.train)
    networks, draws = make_state(recipe).networks.train(), step_draws(recipe, 0, 0)
    images = pixels(recipe.train.batch_size, recipe.image.size)
    given = sum(tensor.nbytes for tensor in (images, draws.latents, draws.encoder_noise))
    arguments = networks, recipe.objective, recipe.augmentation.generated, "fp32"
    learning = ([networks.discriminator], [networks.generator, networks.encoder])
    losses = DiscriminatorLoss(*arguments), GeneratorEncoderLoss(*arguments)
    for phase, loss, modules in zip(describe(recipe, 1, 2).cost.phases, losses, learning, strict=True):
        networks.requires_grad_(False)
        for module in modules:
            for weight in module.parameters():
                weight.requires_grad_(True).grad = torch.zeros_like(weight)
        with FlopCounterMode(display=False) as counter:
            loss(images, draws)[0].backward()
        assert phase.flops_per_image == counter.get_total_flops() / len(images)
        assert phase.peak_bytes - given == pytest.approx(allocated(loss, images, draws), rel=0.02)


def allocated(loss: nn.Module, images: torch.Tensor, draws: Any) -> int:
    """The most bytes that torch's allocator has handed out at once in a forward and a backward pass."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        loss(images, draws)[0].backward()
    now = peak = 0
    events = [event for event in profiler.profiler.kineto_results.events() if event.name() == "[memory]"]
    for event in sorted(events, key=lambda event: event.start_ns()):
        now += event.nbytes()
        peak = max(peak, now)
    return peak


def test_a_step_is_its_phases_as_often_as_they_come_over_the_whole_batch() -> None:
    cost = real_cost(discriminator_steps=3)
    (d, g_e), per_step = cost.phases, cost.flops_per_step
    assert (d.times_per_step, g_e.times_per_step) == (3, 1)
    assert per_step == BATCH * (3 * d.flops_per_image + g_e.flops_per_image) == BATCH * cost.flops_per_image
    shared = real_cost(discriminator_steps=3, processes=3)
    assert shared.flops_per_step == per_step
    assert [phase.name for phase in real_cost("autoencoder l2").phases] == ["G, E"]


@pytest.mark.parametrize(
    ("processes", "accumulation", "images"), [(1, 1, 12), (3, 1, 4), (1, 3, 4), (2, 3, 2), (12, 1, 2)]
)
def test_activations_are_those_of_the_images_that_a_process_takes_at_a_time(
    processes: int, accumulation: int, images: int
) -> None:
    cost = real_cost(processes=processes, batch_size=12, accumulation_steps=accumulation)
    assert cost.images_at_a_time == images
    for phase, whole in zip(cost.phases, real_cost(batch_size=images).phases, strict=True):
        # What the other parts are made of, at most 8×8 pixels, two latents and two views an image, lies ready.
        assert 0 <= phase.kept_bytes - whole.kept_bytes <= 12 * (8 * 8 * 4 + 2 * 4 * 4 + 2 * 17)


def test_memory_is_the_sum_of_what_training_holds() -> None:
    recipe = make_recipe()
    state = make_state(recipe)
    memory = real_cost().memory
    parameters = 4 * sum(weight.numel() for weight in state.networks.parameters())
    assert memory.weights == sum(value.nbytes for value in state.networks.state_dict().values())
    assert memory.gradients == parameters
    assert memory.moments == 2 * parameters
    assert memory.averaged_weights == sum(value.nbytes for value in state.averaged.state_dict().values())
    assert memory.activations == max(phase.peak_bytes for phase in real_cost().phases)
    assert memory.total == sum(asdict(memory).values()) - memory.total


def test_recomputing_takes_flops_for_memory_and_16_bits_take_less() -> None:
    plain, recomputed, halved = real_cost(), real_cost(recompute_activations=True), real_cost(precision="bf16")
    both = real_cost(recompute_activations=True, precision="bf16")
    phases = (plain.phases, recomputed.phases, halved.phases, both.phases)
    for before, after, short, least in zip(*phases, strict=True):
        assert after.kept_bytes < before.kept_bytes
        assert after.flops_per_image > before.flops_per_image
        assert short.kept_bytes < before.kept_bytes
        assert short.flops_per_image == before.flops_per_image
        assert least.kept_bytes < min(after.kept_bytes, short.kept_bytes)
        assert least.flops_per_image == after.flops_per_image


def test_a_reversible_trunk_keeps_less_than_its_activations() -> None:
    torch.manual_seed(0)
    trunk = RevNet(image_channels=1, image_size=32, width=1)
    with Meter(trunk.parameters()) as meter:
        features = trunk(torch.zeros(2, 1, 32, 32))
        kept = meter.now
        features.sum().backward()
    assert meter.peak > kept
    # The first stage alone, three units of 256 channels, 8×8: its outputs are kept, not each unit's.
    assert kept < 2 * 4 * (256 * 8 * 8 + 512 * 4 * 4 + 1024 * 2 * 2 + 2048) * 4


# ------------------------------------------------------------------------------------------------------ the layers


def layers(method: str, depth: int) -> list[Network]:
    recipe = make_recipe(method)
    size = recipe.image.size
    return list_networks(build_networks(config(recipe), 0), pixels(2, size), torch.zeros(2, 4), depth)


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("method", ["BigBiGAN", "GAN", "BiGAN", "ALI", "autoencoder l1"])
def test_every_parameter_is_listed_once(method: str, depth: int) -> None:
    built = build_networks(config(make_recipe(method)), 0)
    listed = layers(method, depth)
    for network in listed:
        assert network.parameters == sum(layer.parameters for layer in network.layers)
    for name, network in built.named_children():
        parameters = sum(weight.numel() for weight in network.parameters())
        assert parameters == sum(part.parameters for part in listed if part.name[0] == name[0].upper())


def test_layers_are_told_apart_down_to_the_depth() -> None:
    def outputs(depth: int) -> dict[str, dict[str, list[list[int]]]]:
        return {
            network.name: {layer.name: layer.outputs for layer in network.layers}
            for network in layers("BigBiGAN", depth)
        }

    assert outputs(1)["G"] == {
        "embedding": [],
        "seed": [[2 * 4 * 4 * 4]],
        "blocks": [[4, 8, 8]],
        "attention": [[4, 8, 8]],
        "norm": [[4, 8, 8]],
        "to_image": [[1, 8, 8]],
    }
    assert list(outputs(2)) == [
        "G", "E, trunk", "E, head", "D, F and its score", "D, H and its score", "D, J and its score",
    ]  # fmt: skip
    assert outputs(2)["E, trunk"] == {
        "stem": [[4, 4, 4]],
        "blocks.0": [[4, 4, 4]],
        "blocks.1": [[8, 2, 2]],
        "norm": [[8, 2, 2]],
    }
    assert outputs(2)["D, J and its score"] == {"first": [[8]], "residual.0": [[8]], "joint_score": [[1]]}
    assert outputs(3)["G"]["blocks.0.conv1"] == [[4, 8, 8]]


def test_a_discriminator_without_f_h_and_j_goes_by_its_letter() -> None:
    assert [network.name for network in layers("BiGAN", 2)] == ["G", "E, trunk", "E, head", "D"]


def test_the_networks_of_the_paper_have_the_parameters_of_the_literature() -> None:
    options = ["image=rgb256", "augmentation=crop", "model/latent=normal120", "model/generator=biggan128"]
    whole = compose(PARAMS, [*options, "model/encoder=resnet50", "model/discriminator=bigbigan128"])
    with FakeTensorMode():
        networks = build_networks(asdict(whole), seed=0)
        listed = list_networks(networks, torch.zeros(2, 3, 256, 256), torch.zeros(2, 120), depth=2)
    parameters = {network.name: network.parameters for network in listed}
    in_order = [layer.name for layer in listed[0].layers]
    assert in_order[4:8] == ["blocks.2", "blocks.3", "attention.3", "blocks.4"]
    assert parameters["G"] == 70_306_116
    assert parameters["E, trunk"] == 23_500_352
    assert parameters["D, F and its score"] == 86_446_370


# ----------------------------------------------------------------------------------------------------- the command


@pytest.mark.parametrize("method", ["BigBiGAN", "autoencoder l1"])
def test_people_are_told_what_the_json_says_in_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], method: str
) -> None:
    path = write(tmp_path / "resolved.yaml", make_recipe(method))
    main(["--params", str(path), "--json"])
    said = json.loads(capsys.readouterr().out)
    main(["--params", str(path)])
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) < 120
    tables = {table.splitlines()[0].split("  ")[0]: table.splitlines()[2:] for table in text.split("\n\n")}
    for network in said["networks"]:
        *rows, together = tables[network["name"]]
        assert together.split() == ["together", f"{network['parameters']:,}"]
        for row, layer in zip(rows, network["layers"], strict=True):
            shapes = ["×".join(["N", *map(str, shape)]) for shape in layer["outputs"]]
            assert row.split() == [layer["name"], *shapes, f"{layer['parameters']:,}"]
    assert tables["Parameters"][-1].split() == ["together", f"{said['parameters']:,}"]
    cost = said["cost"]
    *phases, together = tables["FLOPs (a multiply-add is 2)"]
    assert together.split()[1] == f"{cost['flops_per_image'] / 1e6:,.2f}"
    for row, phase in zip(phases, cost["phases"], strict=True):
        assert row.split("  ")[0] == phase["name"]
        assert f" {phase['flops_per_image'] / 1e6:,.2f} M" in row
        assert row.endswith(f" {phase['flops_per_step'] / 1e6:,.2f} M")
    (memory,) = (rows for head, rows in tables.items() if head.startswith("Memory"))
    assert memory[-1].endswith(f" {cost['memory']['total'] / 2**10:,.2f} KiB")
    assert "Left out" in text


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--processes", "3"], r"--processes is 3: train.batch_size, 4, must be a multiple of it"),
        (["--processes", "0"], r"--processes is 0; allowed: 1 or more"),
        (["--depth", "0"], r"--depth is 0; allowed: 1 or more"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, flags: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        main(["--params", str(write(tmp_path / "resolved.yaml", make_recipe())), *flags])

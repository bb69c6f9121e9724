"""Our training step and the straightforward one, ready to be timed, and that they are one in mathematics."""

import copy
from dataclasses import asdict

import torch
from torch import Tensor, nn

from components.artifacts.parameters import Recipe
from components.artifacts.ranks import Ranks
from components.bigbigan.build import Networks, build_networks
from components.bigbigan.pixels import to_float
from components.train.draws import Draws, step_draws
from components.train.phase import apply, backward, phases
from components.train.state import State, average, new_state
from tests.benchmarks import plain_step

SPECTRAL_NORM, RESAMPLING, BATCH_NORM = "spectral norm", "resampling", "batch norm"
LAYOUT, D_PASSES, ADAM, EMA = "layout", "D", "Adam", "EMA"
ITEMS = (SPECTRAL_NORM, RESAMPLING, BATCH_NORM, LAYOUT, D_PASSES, ADAM, EMA)
CONVERSIONS = {
    RESAMPLING: plain_step.resampling_layers,
    SPECTRAL_NORM: plain_step.torch_spectral_norm,
    BATCH_NORM: plain_step.torch_batch_norm,
}
DECAY = 0.9

Batches = list[tuple[Tensor, Draws]]


class OurStep:
    """The trainer's own step, from a copy of `networks`; the items of plain_step.py in `plainly` are as there."""

    def __init__(self, networks: Networks, recipe: Recipe, device: torch.device, *plainly: str) -> None:
        networks, self.recipe, self.plainly = copy.deepcopy(networks), recipe, plainly
        for item, convert in CONVERSIONS.items():
            if item in plainly:
                plain_step.converted(networks, convert)
        networks.discriminator.normalises_batches = D_PASSES in plainly
        self.state = new_state(networks.train(), recipe.train, device)
        if LAYOUT in plainly:
            self.state.networks.to(memory_format=torch.contiguous_format)
        if ADAM in plainly:
            for name, adam in self.state.optimisers.items():
                groups = [{"params": group["params"], "lr_ratio": group["lr_ratio"]} for group in adam.param_groups]
                self.state.optimisers[name] = plain_step.loop_adam(groups, recipe.train)
        self.ranks = Ranks(0, 1, device)
        self.turns = phases(self.state, recipe, self.ranks)

    def turn(self, index: int, images: Tensor, draws: Draws) -> None:
        """D's turns, then that of G and E."""
        images = images.contiguous() if LAYOUT in self.plainly else images
        (phase,) = self.turns[index]
        backward(phase, self.state.networks, images, draws, self.recipe.train.accumulation_steps, self.ranks, 0)
        apply(phase, self.recipe.train.lr)

    def average(self) -> None:
        if EMA in self.plainly:
            plain_step.loop_average(self.state.averaged, self.state.networks, DECAY)
        else:
            average(self.state, DECAY)

    def __call__(self, batches: Batches) -> None:
        for index, (images, draws) in enumerate(batches):
            self.turn(index, images, draws)
        self.average()


class PlainStep:
    """The step of plain_step.py, from a copy of `networks`; with `freezes` all its items are plain but "frozen D"."""

    def __init__(self, networks: Networks, recipe: Recipe, device: torch.device, freezes: bool = False) -> None:
        self.recipe, self.state = recipe, plain_step.plain_state(networks, recipe.train, device)
        self.freezes = freezes

    def turn(self, index: int, images: Tensor, draws: Draws) -> None:
        learn, d_learns = plain_step.discriminator_turn, index < self.recipe.train.discriminator_steps
        if not d_learns:
            learn = plain_step.generator_encoder_turn
        if self.freezes:
            self.state.networks.discriminator.requires_grad_(d_learns)
        learn(self.state, images.contiguous(), draws, self.recipe, self.recipe.train.lr)

    def average(self) -> None:
        plain_step.loop_average(self.state.averaged, self.state.networks, DECAY)

    def __call__(self, batches: Batches) -> None:
        for index, (images, draws) in enumerate(batches):
            self.turn(index, images, draws)
        self.average()


def make_batches(recipe: Recipe, device: torch.device) -> Batches:
    """For each turn of a step random images, in the layout in which the trainer gets them, and the trainer's draws."""
    generator = torch.Generator().manual_seed(0)
    size, channels, count = recipe.image.size, recipe.image.channels, recipe.train.batch_size
    batches = []
    for turn in range(recipe.train.discriminator_steps + 1):
        pixels = torch.randint(0, 256, (count, size, size, channels), dtype=torch.uint8, generator=generator)
        batches.append((to_float(pixels.to(device)), step_draws(recipe, 0, turn).to(device)))
    return batches


def differences(recipe: Recipe) -> dict[str, float]:
    """How far a step in float64 leads from ours: the plain one's, and ours with one item plain, from the same weights.

    The largest difference of a weight of G, E, D or the averaged G and E, relative to the largest of its tensor. The
    plain step gets our vectors u and v, for it iterates more often than we do; ours with the plain spectral norm alone
    is left out for that reason.
    """
    networks = build_networks(asdict(recipe), recipe.train.seed).double()
    _disturb(networks)
    batches = [(images.double(), _double(draws)) for images, draws in make_batches(recipe, torch.device("cpu"))]

    ours = OurStep(networks, recipe, torch.device("cpu"))
    plain = PlainStep(networks, recipe, torch.device("cpu"))
    plain_step.hold_vectors(plain.state.networks)
    for index, batch in enumerate(batches):
        ours.turn(index, *batch)
        plain_step.take_vectors(plain.state.networks, ours.state.networks)
        plain.turn(index, *batch)
    ours.average()
    plain.average()

    found = {"plain": _difference(ours.state, plain.state)}
    for item in ITEMS:
        if item != SPECTRAL_NORM:
            other = OurStep(networks, recipe, torch.device("cpu"), item)
            other(batches)
            found[item] = _difference(ours.state, other.state)
    return found


@torch.no_grad()
def _disturb(networks: Networks) -> None:
    """New weights start where little shows: singular values of 1, biases of 0, attention without effect."""
    generator = torch.Generator().manual_seed(1)
    for weight in networks.parameters():
        weight.add_(torch.randn(weight.shape, generator=generator, dtype=weight.dtype), alpha=0.1)


def _double(draws: Draws) -> Draws:
    return Draws(draws.latents.double(), draws.encoder_noise.double(), draws.data_views, draws.generated_views)


def _weights(state: State | plain_step.PlainState) -> dict[str, Tensor]:
    both = nn.ModuleDict({"now": state.networks, "averaged": state.averaged})
    return {name.replace("parametrizations.weight.original", "weight"): w for name, w in both.named_parameters()}


def _difference(ours: State, other: State | plain_step.PlainState) -> float:
    mine, theirs = _weights(ours), _weights(other)
    assert mine.keys() == theirs.keys()
    return max(((mine[name] - theirs[name]).abs().max() / mine[name].abs().max()).item() for name in mine)

"""The straightforward way of writing the training step: what the benchmark and a test hold ours against.

The same mathematics as a good PyTorch programmer writes it at first, before looking at where the time goes. Item by
item, ours in brackets:

    spectral norm   torch.nn.utils.parametrizations.spectral_norm on each layer: one power iteration per forward pass
                    (one per optimiser step, of the network that learns)
    resampling      a layer of its own: nearest upsampling and then a 3×3 convolution, a 3×3 convolution and then
                    average pooling; the 1×1 shortcut after upsampling in G, before pooling in D's later blocks
                    (folded into one convolution of stride 2; the shortcut at the lower resolution)
    batch norm      torch's nn.BatchNorm2d, with running statistics; gain and bias of z as two operations after it
                    (no running statistics; one operation)
    layout          contiguous, N×C×H×W (channels_last)
    D               a pass over the real pairs and one over the generated ones (one over both)
    frozen D        D's weights take gradients while G and E learn too, and drop them unused, as in PyTorch's own
                    tutorial on GANs (they take none)
    Adam            foreach=False, fused=False: a loop over the weights (fused)
    EMA             a loop over the weights (foreach)

Neither way is compiled. Where plain would only be careless it does as ours does: G and E make D's batch without
gradients, a gradient is cleared by being dropped, losses stay tensors. The images, their views and the noise are given
to both. Ours also computes what training logs and refuses losses that are not finite; plain does neither.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from components.artifacts.parameters import Recipe, Train
from components.bigbigan.batch_norm import BatchNorm
from components.bigbigan.build import Networks
from components.bigbigan.discriminator.biggan import DiscriminatorBlock
from components.bigbigan.generator.biggan import ConditionalBatchNorm, GeneratorBlock
from components.bigbigan.pixels import at_size
from components.bigbigan.spectral_norm import DownsampleConv2d, SpectralConv2d, SpectralLinear, UpsampleConv2d
from components.train.augmentation import augment
from components.train.draws import Draws
from components.train.precision import autocast


def converted(network: nn.Module, convert: Callable[[nn.Module], nn.Module]) -> nn.Module:
    """`network`, each of whose modules is replaced by what `convert` makes of it, the innermost first."""
    for name, child in network.named_children():
        setattr(network, name, converted(child, convert))
    return convert(network)


def torch_spectral_norm(layer: nn.Module) -> nn.Module:
    """The layer with torch's own spectral normalisation, its weights and vectors kept."""
    if not isinstance(layer, SpectralLinear | SpectralConv2d):
        return layer
    bias = layer.bias is not None
    if isinstance(layer, SpectralLinear):
        plain: nn.Module = nn.Linear(layer.in_features, layer.out_features, bias)
    else:
        kinds = {UpsampleConv2d: _FoldedUpsampleConv2d, DownsampleConv2d: _FoldedDownsampleConv2d}
        kind, size = kinds.get(type(layer), nn.Conv2d), layer.kernel_size
        plain = kind(layer.in_channels, layer.out_channels, size, padding=size[0] // 2, bias=bias)
    own = {name: value for name, value in layer.state_dict().items() if name in ("weight", "bias")}
    plain.to(layer.weight).load_state_dict(own)
    normalised = spectral_norm(plain)
    take_vectors(normalised, layer)
    return normalised


def take_vectors(plain: nn.Module, ours: nn.Module) -> None:
    """Gives each layer of `plain` with torch's spectral norm the u and v of our layer of that name."""
    layers = dict(ours.named_modules())
    for name, layer in plain.named_modules():
        if nn.utils.parametrize.is_parametrized(layer):
            layer.parametrizations.weight[0]._u.copy_(layers[name].u)
            layer.parametrizations.weight[0]._v.copy_(layers[name].v)


def hold_vectors(plain: nn.Module) -> None:
    """Lets torch's spectral norm iterate no more."""
    for layer in plain.modules():
        if nn.utils.parametrize.is_parametrized(layer):
            layer.parametrizations.weight[0].eval()


class _FoldedUpsampleConv2d(nn.Conv2d):
    """Ours, for a weight that is already normalised: to see what each item gains by itself."""

    forward = UpsampleConv2d.forward

    def normalised_weight(self) -> Tensor:
        return self.weight


class _FoldedDownsampleConv2d(_FoldedUpsampleConv2d):
    forward = DownsampleConv2d.forward


def torch_batch_norm(layer: nn.Module) -> nn.Module:
    """Torch's own batch normalisation of maps."""
    if isinstance(layer, ConditionalBatchNorm):
        return _PlainConditionalBatchNorm(layer)
    if not isinstance(layer, BatchNorm):
        return layer
    plain = nn.BatchNorm2d(layer.num_features, layer.eps, affine=layer.affine).to(layer.running_mean)
    plain.load_state_dict(layer.state_dict())
    return plain


class _PlainConditionalBatchNorm(nn.Module):
    def __init__(self, ours: ConditionalBatchNorm) -> None:
        super().__init__()
        self.gain, self.bias, self.normalise = ours.gain, ours.bias, ours.normalise

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        gain, bias = 1.0 + self.gain(condition), self.bias(condition)
        return self.normalise(x) * gain[:, :, None, None] + bias[:, :, None, None]


def resampling_layers(layer: nn.Module) -> nn.Module:
    """Resampling as a layer of its own, in the order in which BigGAN's blocks are drawn."""
    if isinstance(layer, UpsampleConv2d | DownsampleConv2d):
        plain = SpectralConv2d(layer.in_channels, layer.out_channels, 3).to(layer.weight)
        plain.load_state_dict(layer.state_dict())
        return plain
    if isinstance(layer, GeneratorBlock):
        return _PlainGeneratorBlock(layer)
    return _PlainDiscriminatorBlock(layer) if isinstance(layer, DiscriminatorBlock) else layer


class _PlainGeneratorBlock(nn.Module):
    def __init__(self, ours: GeneratorBlock) -> None:
        super().__init__()
        self.norm1, self.conv1, self.norm2, self.conv2 = ours.norm1, ours.conv1, ours.norm2, ours.conv2
        self.shortcut = ours.shortcut

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        h = F.interpolate(F.relu(self.norm1(x, condition)), scale_factor=2.0)
        h = self.conv1(h)
        h = self.conv2(F.relu(self.norm2(h, condition)))
        return h + self.shortcut(F.interpolate(x, scale_factor=2.0))


class _PlainDiscriminatorBlock(nn.Module):
    def __init__(self, ours: DiscriminatorBlock) -> None:
        super().__init__()
        self.conv1, self.conv2, self.shortcut = ours.conv1, ours.conv2, ours.shortcut
        self.downsample, self.first = ours.downsample, ours.first

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv2(F.relu(self.conv1(x if self.first else F.relu(x))))
        if not self.downsample:
            return h + self.shortcut(x)
        if self.first:
            return F.avg_pool2d(h, 2) + self.shortcut(F.avg_pool2d(x, 2))
        return F.avg_pool2d(h, 2) + F.avg_pool2d(self.shortcut(x), 2)


@dataclass
class PlainState:
    """Networks, the averaged weights of G and E, and the optimisers of D and of G and E."""

    networks: Networks
    averaged: nn.ModuleDict
    discriminator_optimiser: torch.optim.Adam
    generator_encoder_optimiser: torch.optim.Adam


def loop_adam(groups: list[dict], train: Train) -> torch.optim.Adam:
    """Adam that goes from weight to weight."""
    return torch.optim.Adam(groups, betas=(train.beta1, train.beta2), eps=train.eps, foreach=False, fused=False)


def plain_state(networks: Networks, train: Train, device: torch.device) -> PlainState:
    """The state before the first step, from a copy of our networks."""
    networks = copy.deepcopy(networks)
    for convert in (resampling_layers, torch_spectral_norm, torch_batch_norm):
        converted(networks, convert)
    networks.to(device=device, memory_format=torch.contiguous_format).train()
    generator, encoder, discriminator = networks.generator, networks.encoder, networks.discriminator
    groups = [
        {"params": list(generator.parameters()), "lr_ratio": train.generator_lr_ratio},
        {"params": list(encoder.parameters()), "lr_ratio": train.encoder_lr_ratio},
    ]
    return PlainState(
        networks,
        copy.deepcopy(nn.ModuleDict({"generator": generator, "encoder": encoder})).requires_grad_(False).eval(),
        loop_adam([{"params": list(discriminator.parameters()), "lr_ratio": 1.0}], train),
        loop_adam(groups, train),
    )


def discriminator_turn(state: PlainState, images: Tensor, draws: Draws, recipe: Recipe, lr: float) -> None:
    """D learns from N images, N×C×H×W in [-1, 1]: the hinge of each score (Donahue & Simonyan 2019, equation 3)."""
    networks, precision = state.networks, recipe.train.precision
    with autocast(precision, images.device):
        with torch.no_grad():
            generated = networks.generator(draws.latents)
            if recipe.augmentation.generated:
                generated = augment(generated, draws.generated_views)
            real = augment(images, draws.data_views)
            encoded = networks.encoder(real, draws.encoder_noise)
            real = at_size(real, generated.shape[-1])
        on_data = networks.discriminator(real, encoded)
        on_generated = networks.discriminator(generated, draws.latents)
    loss = torch.zeros((), device=images.device)
    for data, fake in zip(on_data, on_generated, strict=True):
        if data is not None:
            loss = loss + F.relu(1.0 - data.float()).mean() + F.relu(1.0 + fake.float()).mean()
    _descend(state.discriminator_optimiser, loss, lr)


def generator_encoder_turn(state: PlainState, images: Tensor, draws: Draws, recipe: Recipe, lr: float) -> None:
    """G and E learn from N images: the plain scores (equation 2)."""
    networks, precision = state.networks, recipe.train.precision
    with autocast(precision, images.device):
        generated = networks.generator(draws.latents)
        if recipe.augmentation.generated:
            generated = augment(generated, draws.generated_views)
        real = augment(images, draws.data_views)
        encoded = networks.encoder(real, draws.encoder_noise)
        on_data = networks.discriminator(at_size(real, generated.shape[-1]), encoded)
        on_generated = networks.discriminator(generated, draws.latents)
    loss = torch.zeros((), device=images.device)
    for data, fake in zip(on_data, on_generated, strict=True):
        if data is not None:
            loss = loss + data.float().mean() - fake.float().mean()
    _descend(state.generator_encoder_optimiser, loss, lr)


def _descend(optimiser: torch.optim.Adam, loss: Tensor, lr: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = lr * group["lr_ratio"]
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


@torch.no_grad()
def loop_average(averaged: nn.ModuleDict, networks: Networks, decay: float) -> None:
    """averaged = decay · averaged + (1 - decay) · weights, from weight to weight."""
    for name, network in averaged.items():
        for average, weight in zip(network.parameters(), getattr(networks, name).parameters(), strict=True):
            average.mul_(decay).add_(weight, alpha=1.0 - decay)

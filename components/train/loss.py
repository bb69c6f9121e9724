"""From a batch and its draws to the loss of a phase: who is shown what, and what is computed of it."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from components.artifacts.parameters import Objective
from components.bigbigan import objective
from components.bigbigan.build import Networks
from components.bigbigan.discriminator.scores import Scores
from components.bigbigan.pixels import at_size
from components.train.augmentation import augment
from components.train.draws import Draws
from components.train.precision import autocast, widened


@dataclass(frozen=True)
class Passes:
    """What is made of a batch of N images and N latents.

    real: the images' views, N×C×H×W, at the dataset's resolution.
    generated: G(z), N×C×H'×W', at G's resolution; None where nothing needs it.
    encoded: E(x), N×Z; None where nothing needs it.
    """

    real: Tensor
    generated: Tensor | None
    encoded: Tensor | None


class _Loss(nn.Module):
    """Images, draws -> a phase's loss, and what to log.

    A module, so that DistributedDataParallel can wrap it: its parameters that require gradients are those that learn.
    """

    def __init__(self, networks: Networks, weights: Objective, augment_generated: bool, precision: str) -> None:
        super().__init__()
        self.networks, self.weights = networks, weights
        self.augment_generated, self.precision = augment_generated, precision


class DiscriminatorLoss(_Loss):
    """D's loss by term. G and E are only passed through."""

    def forward(self, images: Tensor, draws: Draws) -> tuple[Tensor, dict[str, Tensor]]:
        with autocast(self.precision, images.device):
            passes = make_passes(self.networks, images, draws, generates=True, encodes=_d_sees_latents(self.networks))
            data, generated = score_pairs(self.networks, passes, draws, self.augment_generated)
        terms = objective.discriminator_terms(data, generated, self.weights.adversarial)
        loss = objective.total(terms, self.weights.average_scores)
        return loss, {"loss": loss.detach()} | _numbers(terms, data, generated)


class GeneratorEncoderLoss(_Loss):
    """The loss of G and E by term. D is only passed through."""

    def forward(self, images: Tensor, draws: Draws) -> tuple[Tensor, dict[str, Tensor]]:
        weights, networks = self.weights, self.networks
        adversarial, regresses = networks.discriminator is not None, weights.latent_regression_encoder > 0
        reconstructs = weights.reconstruction_l1 > 0 or weights.reconstruction_l2 > 0
        with autocast(self.precision, images.device):
            encodes = reconstructs or _d_sees_latents(networks)
            passes = make_passes(networks, images, draws, generates=adversarial or regresses, encodes=encodes)
            scores = score_pairs(networks, passes, draws, self.augment_generated) if adversarial else None
            found = self._find_latents(passes) if regresses else None
            reconstructed = networks.generator(passes.encoded) if reconstructs else None

        loss, numbers = images.new_zeros(()), dict[str, Tensor]()
        if scores is not None:
            terms = objective.generator_encoder_terms(*scores, weights.adversarial)
            loss = loss + objective.total(terms, weights.average_scores)
            numbers |= _numbers(terms, *scores)
        if found is not None and networks.encoder is not None:
            error = objective.latent_regression(draws.latents, widened(found), networks.encoder.bounded)
            loss = loss + weights.latent_regression_encoder * error
            numbers["loss_latent_regression"] = error.detach()
        if reconstructed is not None:
            real = at_size(passes.real, reconstructed.shape[-1])
            l1 = objective.reconstruction_l1(real, widened(reconstructed))
            l2 = objective.reconstruction_l2(real, widened(reconstructed))
            loss = loss + weights.reconstruction_l1 * l1 + weights.reconstruction_l2 * l2
            numbers |= {"loss_reconstruction_l1": l1.detach(), "loss_reconstruction_l2": l2.detach()}
        return loss, {"loss": loss.detach()} | numbers

    def _find_latents(self, passes: Passes) -> Tensor:
        """What E says of G(z); G is told as much of E's error as its own weight says."""
        assert passes.generated is not None
        assert self.networks.encoder is not None
        share = self.weights.latent_regression_generator / self.weights.latent_regression_encoder
        return self.networks.encoder.location(objective.scale_gradient(passes.generated, share))


def make_passes(networks: Networks, images: Tensor, draws: Draws, generates: bool, encodes: bool) -> Passes:
    """Shows E the images' views, and G the latents."""
    real = augment(images, draws.data_views)
    return Passes(
        real=real,
        generated=networks.generator(draws.latents) if generates else None,
        encoded=networks.encoder(real, draws.encoder_noise) if encodes and networks.encoder is not None else None,
    )


def score_pairs(networks: Networks, passes: Passes, draws: Draws, augment_generated: bool) -> tuple[Scores, Scores]:
    """D's scores, at least float32, of N data pairs (x, E(x)) and of N generated pairs (G(z), z).

    E and D see the same view of a real image, D at G's resolution. A D that normalises batches gets each kind by
    itself, as BiGAN's does; another gets both in one pass.
    """
    assert passes.generated is not None
    generated = augment(passes.generated, draws.generated_views) if augment_generated else passes.generated
    real, discriminator = at_size(passes.real, generated.shape[-1]), networks.discriminator
    assert discriminator is not None
    if discriminator.normalises_batches:
        pairs = discriminator(real, passes.encoded), discriminator(generated, draws.latents)
    else:
        latents = None if passes.encoded is None else torch.cat([passes.encoded, draws.latents])
        pairs = discriminator(torch.cat([real, generated]), latents).split(len(real))
    data, fake = (Scores(*(None if term is None else widened(term) for term in scores)) for scores in pairs)
    return data, fake


def _d_sees_latents(networks: Networks) -> bool:
    return networks.discriminator is not None and networks.discriminator.sees_latents


def _numbers(terms: dict[str, Tensor], data: Scores, generated: Scores) -> dict[str, Tensor]:
    """The loss, D's mean score of each kind of pair and its accuracy, by term."""
    numbers = {f"loss_{name}": value.detach() for name, value in terms.items()}
    for name, on_data in data.terms().items():
        on_generated = generated.terms()[name]
        numbers[f"score_{name}_data"] = on_data.detach().mean()
        numbers[f"score_{name}_generated"] = on_generated.detach().mean()
        numbers[f"accuracy_{name}"] = ((on_data > 0).float().mean() + (on_generated < 0).float().mean()) / 2.0
    return numbers

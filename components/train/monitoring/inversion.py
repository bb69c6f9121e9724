"""How well E and G invert each other while they learn.

At the optimum of the adversarial game they do: a deterministic BiGAN is then an autoencoder whose cost counts the pairs
that are not met exactly, an ℓ0 cost (Donahue & Simonyan 2019, section 2; Donahue et al. 2017, theorem 2). No pixel is
ever compared in training, so how near it comes is to be measured.
"""

import torch
from torch import Tensor

from components.artifacts.parameters import Latent
from components.bigbigan.build import Networks
from components.bigbigan.pixels import at_size
from components.train.draws import inversion_latents
from components.train.passes import generate, mean_codes

# Half a step of a stored byte, in [-1, 1]: nearer is the same byte.
_SAME_BYTE = 1.0 / 255.0


@torch.no_grad()
def measure(networks: Networks, images: Tensor, latent: Latent, seed: int) -> dict[str, float]:
    """What is left of an image after G(E(x)), and of a latent after E(G(z)); empty without an encoder or a pair.

    Args:
        networks: in eval mode.
        images: held-out images, float N×C×H×W in [-1, 1], at the dataset's resolution, on the networks' device.

    Returns:
        Keys `inversion/...`: image_l1, the mean |x - G(E(x))| in units of [-1, 1]; image_relative_l1, the same over
        that of images that do not belong together; pixels_met, the share of pixels that come back as the same byte;
        pixels_met_by_others, the same of images that do not belong together (an empty background is met by anything);
        latent_relative_l2, the mean |z - E(G(z))|² over that of latents that do not belong together.
    """
    if networks.encoder is None or len(images) < 2:
        return {}
    returned = generate(networks.generator, mean_codes(networks.encoder, images))
    shown = at_size(images, returned.shape[-1])
    z = inversion_latents(seed, len(images), latent).to(images.device)
    found = mean_codes(networks.encoder, _enlarged(generate(networks.generator, z), images))
    return {
        "inversion/image_l1": _mean(shown - returned, 1),
        "inversion/image_relative_l1": _mean(shown - returned, 1) / _mean(shown - returned.roll(1, 0), 1),
        "inversion/pixels_met": _met(shown - returned),
        "inversion/pixels_met_by_others": _met(shown - returned.roll(1, 0)),
        "inversion/latent_relative_l2": _mean(z - found, 2) / _mean(z - found.roll(1, 0), 2),
    }


def _met(difference: Tensor) -> float:
    return float((difference.abs() < _SAME_BYTE).double().mean())


def _enlarged(generated: Tensor, images: Tensor) -> Tensor:
    """E's input has the dataset's resolution: a smaller image is brought there by repeating its pixels."""
    factor = images.shape[-1] // generated.shape[-1]
    return generated.repeat_interleave(factor, dim=2).repeat_interleave(factor, dim=3) if factor > 1 else generated


def _mean(difference: Tensor, power: int) -> float:
    return float(difference.double().abs().pow(power).mean())

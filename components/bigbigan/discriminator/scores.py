"""What D says, and what every kind of D is."""

from typing import NamedTuple

from torch import Tensor, nn


class Scores(NamedTuple):
    """D's scores of N pairs (x, z), each term of shape N; a term that the configuration leaves out is None.

    image: s_x, of x alone. latent: s_z, of z alone. joint: s_xz, of both (section 3, figure 1).
    """

    image: Tensor | None
    latent: Tensor | None
    joint: Tensor | None

    def terms(self) -> dict[str, Tensor]:
        """The terms that exist, by name."""
        return {name: term for name, term in self._asdict().items() if term is not None}

    def split(self, first: int) -> tuple["Scores", "Scores"]:
        """The scores of the first so many pairs, and those of the rest."""

        def part(rows: slice) -> Scores:
            return Scores(*(None if term is None else term[rows] for term in self))

        return part(slice(None, first)), part(slice(first, None))


class Discriminator(nn.Module):
    """`forward(x, z)`: images, N×C×H×W in [-1, 1], and latents, N×Z or None -> Scores.

    Attributes:
        sees_latents: whether any score depends on z.
        normalises_batches: whether batch normalisation makes a score depend on the other pairs of its batch.
    """

    sees_latents: bool
    normalises_batches: bool

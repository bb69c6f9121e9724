"""A small convolutional classifier whose penultimate layer gives the features."""

from torch import Tensor, nn

INPUT = "as it is; x / 127.5 - 1"


class Classifier(nn.Module):
    """Blocks of 3×3 convolution, batch normalisation and ReLU; then two linear layers.

    The first block keeps the resolution. Each further one comes after a 2×2 max pool, until the map is smaller
    than 8 pixels; the width doubles, up to four times `channels`.
    """

    def __init__(self, image_size: int, image_channels: int, channels: int, feature_size: int, outputs: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [*_block(image_channels, channels)]
        width, size = channels, image_size
        while size >= 8:
            wider = min(2 * width, 4 * channels)
            layers += [nn.MaxPool2d(2), *_block(width, wider)]
            width, size = wider, size // 2
        self.blocks = nn.Sequential(*layers)
        # Batch normalisation gives the features one scale, whatever the seed: a Fréchet distance grows with its square.
        self.features = nn.Sequential(
            nn.Linear(width * size * size, feature_size, bias=False), nn.BatchNorm1d(feature_size), nn.ReLU()
        )
        self.logits = nn.Linear(feature_size, outputs)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """uint8 N×H×W×C -> features N×D (0 or more, after the ReLU), logits N×K."""
        x = images.permute(0, 3, 1, 2).float() / 127.5 - 1
        features = self.features(self.blocks(x).flatten(1))
        return features, self.logits(features)


def _block(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()

"""EfficientNet-Lite0 (Tan & Le 2019; the Lite variants: no squeeze-and-excitation, ReLU6), an ImageNet classifier.

A stand-in for Inception where that is not at hand: its weights come with a Python package. A Fréchet distance on its
features is not FID. The layers are those of TensorFlow's release, whose padding is asymmetric where it halves the size.
"""

from torch import Tensor, nn
from torch.nn import functional

from components.artifacts.feature_network.convolution import NormalisedConvolution

SIZE = 224
FEATURES = 1280
OUTPUTS = 1000
INPUT = "bilinear to 224×224, antialiased where that is smaller; (x - 127) / 128; grey repeated to RGB"

# Stages: blocks, kernel, stride of the first block, expansion, output channels.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM = 32


class EfficientNetLite0(nn.Module):
    """uint8 images -> 1280 pooled features and 1000 logits. For evaluation only."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _convolution(3, _STEM, 3, stride=2)
        blocks: list[nn.Module] = []
        inputs = _STEM
        for count, kernel, first_stride, expansion, outputs in _STAGES:
            for n in range(count):
                blocks.append(_Block(inputs, outputs, kernel, first_stride if n == 0 else 1, expansion))
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.head = _convolution(inputs, FEATURES, 1)
        self.fc = nn.Linear(FEATURES, OUTPUTS)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """uint8 N×H×W×C (C = 1 or 3) -> features N×1280, logits N×1000."""
        x = images.permute(0, 3, 1, 2).float().expand(-1, 3, -1, -1)
        x = functional.interpolate(x, size=(SIZE, SIZE), mode="bilinear", antialias=True)
        features = self.head(self.blocks(self.stem((x - 127) / 128))).mean((2, 3))
        return features, self.fc(features)


class _Block(nn.Module):
    """Inverted residual: widen, filter each channel, narrow; added to its input where the shape stays."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        width = inputs * expansion
        self.expand = nn.Identity() if expansion == 1 else _convolution(inputs, width, 1)
        self.depthwise = _convolution(width, width, kernel, stride, groups=width)
        self.project = NormalisedConvolution(nn.Conv2d(width, outputs, 1, bias=False), nn.Identity())
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


def _convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> NormalisedConvolution:
    return NormalisedConvolution(_SameConvolution(inputs, outputs, kernel, stride, groups), functional.relu6)


class _SameConvolution(nn.Conv2d):
    """TensorFlow's SAME: as many outputs as inputs / stride, and the odd pixel of padding below and to the right."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, groups: int) -> None:
        super().__init__(inputs, outputs, kernel, stride=stride, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        # Of even sizes, as all are here that are halved.
        pad = self.kernel_size[0] - self.stride[0]
        return super().forward(functional.pad(x, (pad // 2, pad - pad // 2) * 2))

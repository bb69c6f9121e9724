"""Inception v3 as TensorFlow's graph of 2015-12-05 computes it: the network of FID and of the Inception score.

Szegedy et al. 2016 describe the network; Heusel et al. 2017 (FID) and Salimans et al. 2016 (the score) use this
graph of it. Names and shapes of the weights are those of its usual PyTorch port (pytorch-fid, torch-fidelity).
Where the graph differs from other Inceptions v3: average pooling inside the blocks does not count the padding,
the last block pools by maximum, there are 1008 outputs, and images are resized on TensorFlow 1's own grid.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from components.artifacts.feature_network.convolution import NormalisedConvolution

FEATURES = 2048
OUTPUTS = 1008
INPUT = "bilinear to 299×299 on TensorFlow 1's grid, no antialiasing; (x - 128) / 128; grey repeated to RGB"


class Inception(nn.Module):
    """uint8 images -> 2048 pooled features and 1008 logits. For evaluation only."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = _Convolution(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = _Convolution(32, 32, 3)
        self.Conv2d_2b_3x3 = _Convolution(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = _Convolution(64, 80, 1)
        self.Conv2d_4a_3x3 = _Convolution(80, 192, 3)
        self.Mixed_5b = _BlockA(192, pooled=32)
        self.Mixed_5c = _BlockA(256, pooled=64)
        self.Mixed_5d = _BlockA(288, pooled=64)
        self.Mixed_6a = _BlockB(288)
        self.Mixed_6b = _BlockC(768, width=128)
        self.Mixed_6c = _BlockC(768, width=160)
        self.Mixed_6d = _BlockC(768, width=160)
        self.Mixed_6e = _BlockC(768, width=192)
        self.Mixed_7a = _BlockD(768)
        self.Mixed_7b = _BlockE(1280, _average_pool)
        self.Mixed_7c = _BlockE(2048, _max_pool)
        self.fc = nn.Linear(FEATURES, OUTPUTS)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """uint8 N×H×W×C (C = 1 or 3) -> features N×2048, logits N×1008.

        The logits lack the last layer's bias, as in Salimans et al.'s own code of the score; so do the
        literature's scores.
        """
        x = images.permute(0, 3, 1, 2).float().expand(-1, 3, -1, -1)
        x = (resize_tensorflow1(x, 299) - 128) / 128
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = functional.max_pool2d(x, 3, stride=2)
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x))
        x = functional.max_pool2d(x, 3, stride=2)
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x)))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        features = x.mean((2, 3))
        return features, features @ self.fc.weight.T


def resize_tensorflow1(images: Tensor, size: int) -> Tensor:
    """Bilinear resizing of N×C×H×W to N×C×size×size, float32, as TensorFlow 1's ResizeBilinear does it.

    Output pixel i lies at i × (input size / output size): the corner pixels' corners are not aligned, the centres
    neither (PyTorch's `align_corners=False` has (i + ½) × scale − ½). Positions in float32, along the rows first, as
    there. Without antialiasing.
    """
    return _resize_axis(_resize_axis(images, 3, size), 2, size)


def _resize_axis(images: Tensor, axis: int, size: int) -> Tensor:
    length = images.shape[axis]
    scale = torch.tensor(length / size, dtype=torch.float32, device=images.device)
    position = torch.arange(size, dtype=torch.float32, device=images.device) * scale
    lower = position.long()
    upper = (lower + 1).clamp(max=length - 1)
    weight = (position - lower).reshape([-1 if d == axis else 1 for d in range(images.dim())])
    first, second = images.index_select(axis, lower), images.index_select(axis, upper)
    return first + (second - first) * weight


def _average_pool(x: Tensor) -> Tensor:
    return functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def _max_pool(x: Tensor) -> Tensor:
    return functional.max_pool2d(x, 3, stride=1, padding=1)


class _Convolution(NormalisedConvolution):
    """A kernel 1×n or n×1 is padded to keep the size."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int | tuple[int, int], stride: int = 1, padding: int = 0
    ) -> None:
        pads = (kernel[0] // 2, kernel[1] // 2) if isinstance(kernel, tuple) else padding
        super().__init__(nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=pads, bias=False), torch.relu_)


class _BlockA(nn.Module):
    """35×35; 1×1, 5×5, twice 3×3, and pooling."""

    def __init__(self, inputs: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = _Convolution(inputs, 64, 1)
        self.branch5x5_1 = _Convolution(inputs, 48, 1)
        self.branch5x5_2 = _Convolution(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = _Convolution(inputs, 64, 1)
        self.branch3x3dbl_2 = _Convolution(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = _Convolution(96, 96, 3, padding=1)
        self.branch_pool = _Convolution(inputs, pooled, 1)

    def forward(self, x: Tensor) -> Tensor:
        one = self.branch1x1(x)
        five = self.branch5x5_2(self.branch5x5_1(x))
        three = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([one, five, three, self.branch_pool(_average_pool(x))], 1)


class _BlockB(nn.Module):
    """35×35 -> 17×17."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3 = _Convolution(inputs, 384, 3, stride=2)
        self.branch3x3dbl_1 = _Convolution(inputs, 64, 1)
        self.branch3x3dbl_2 = _Convolution(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = _Convolution(96, 96, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        three = self.branch3x3(x)
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([three, double, functional.max_pool2d(x, 3, stride=2)], 1)


class _BlockC(nn.Module):
    """17×17; 7×7 as pairs of 1×7 and 7×1."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.branch1x1 = _Convolution(inputs, 192, 1)
        self.branch7x7_1 = _Convolution(inputs, width, 1)
        self.branch7x7_2 = _Convolution(width, width, (1, 7))
        self.branch7x7_3 = _Convolution(width, 192, (7, 1))
        self.branch7x7dbl_1 = _Convolution(inputs, width, 1)
        self.branch7x7dbl_2 = _Convolution(width, width, (7, 1))
        self.branch7x7dbl_3 = _Convolution(width, width, (1, 7))
        self.branch7x7dbl_4 = _Convolution(width, width, (7, 1))
        self.branch7x7dbl_5 = _Convolution(width, 192, (1, 7))
        self.branch_pool = _Convolution(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        one = self.branch1x1(x)
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([one, seven, double, self.branch_pool(_average_pool(x))], 1)


class _BlockD(nn.Module):
    """17×17 -> 8×8."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3_1 = _Convolution(inputs, 192, 1)
        self.branch3x3_2 = _Convolution(192, 320, 3, stride=2)
        self.branch7x7x3_1 = _Convolution(inputs, 192, 1)
        self.branch7x7x3_2 = _Convolution(192, 192, (1, 7))
        self.branch7x7x3_3 = _Convolution(192, 192, (7, 1))
        self.branch7x7x3_4 = _Convolution(192, 192, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        three = self.branch3x3_2(self.branch3x3_1(x))
        seven = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([three, seven, functional.max_pool2d(x, 3, stride=2)], 1)


class _BlockE(nn.Module):
    """8×8; the 3×3 fans out into 1×3 and 3×1. `pool` is the average, or the maximum in the last block."""

    def __init__(self, inputs: int, pool: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.pool = pool
        self.branch1x1 = _Convolution(inputs, 320, 1)
        self.branch3x3_1 = _Convolution(inputs, 384, 1)
        self.branch3x3_2a = _Convolution(384, 384, (1, 3))
        self.branch3x3_2b = _Convolution(384, 384, (3, 1))
        self.branch3x3dbl_1 = _Convolution(inputs, 448, 1)
        self.branch3x3dbl_2 = _Convolution(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = _Convolution(384, 384, (1, 3))
        self.branch3x3dbl_3b = _Convolution(384, 384, (3, 1))
        self.branch_pool = _Convolution(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        three = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        fans = [self.branch3x3_2a(three), self.branch3x3_2b(three)]
        fans += [self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double)]
        return torch.cat([self.branch1x1(x), *fans, self.branch_pool(self.pool(x))], 1)

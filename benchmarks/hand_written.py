"""The networks of `fewmask.models` by hand, in PyTorch's own modules: the peers of our training.

They are written as one would for speed on a processor: frozen batch normalisations are part of
the convolutions, which then have a bias, and what can be done in place is.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from fewmask.models.unet import down_and_up


class Block(nn.Sequential):
    """A 3 × 3 convolution, a normalisation and a ReLU."""

    def __init__(self, before: int, after: int, normalization: str, stride: int = 1) -> None:
        batch = normalization == "batch"
        super().__init__(
            nn.Conv2d(before, after, 3, stride, padding=1),
            nn.BatchNorm2d(after) if batch else nn.GroupNorm(8, after),
            nn.ReLU(inplace=True),
        )


class UNetDecoder(nn.Module):
    """Joins features on the way up; the finest come first."""

    def __init__(self, widths: Sequence[int], width: int, convs: int, normalization: str) -> None:
        super().__init__()
        before = widths[-1]
        levels = []
        for level in reversed(range(len(widths) - 1)):
            after = width * 2**level
            sides = [before + widths[level], *[after] * convs]
            levels.append(
                nn.Sequential(
                    *[Block(side, after, normalization) for side in sides[:-1]],
                )
            )
            before = after
        self.levels = nn.ModuleList(levels)

    def forward(self, features: Sequence[torch.Tensor]) -> torch.Tensor:
        *skips, x = features
        for level, skip in zip(self.levels, reversed(skips), strict=True):
            x = level(torch.cat([functional.interpolate(x, scale_factor=2.0), skip], 1))
        return x


class PyramidDecoder(nn.Module):
    """Adds features on the way up; the finest come first and are joined."""

    def __init__(self, widths: Sequence[int], width: int, convs: int, normalization: str) -> None:
        super().__init__()
        self.project = nn.ModuleList(nn.Conv2d(each, width, 1) for each in widths[1:])
        self.levels = nn.ModuleList(
            nn.Sequential(*[Block(width, width, normalization) for _ in range(convs)])
            for _ in widths[2:]
        )
        last = min(width, 32)
        sides = [width + widths[0], *[last] * (convs - 1)]
        self.finest = nn.Sequential(*[Block(side, last, normalization) for side in sides])

    def forward(self, features: Sequence[torch.Tensor]) -> torch.Tensor:
        finest, *others = features
        *thin, x = [make(feature) for make, feature in zip(self.project, others, strict=True)]
        for level, feature in zip(self.levels, reversed(thin), strict=True):
            x = level(functional.interpolate(x, scale_factor=2.0) + feature)
        return self.finest(torch.cat([functional.interpolate(x, scale_factor=2.0), finest], 1))


class UNetEncoder(nn.Module):
    """The way down of `fewmask.models.unet`."""

    def __init__(self, spec: Any) -> None:
        super().__init__()
        self.widths = [spec.width * 2**level for level in range(spec.depth + 1)]
        kind, _ = down_and_up(spec.normalization)
        self.stem = Block(3, spec.width, kind, stride=2) if spec.stem_stride == 2 else None
        before = spec.width if self.stem else 3
        self.levels = nn.ModuleList(
            nn.Sequential(Block(first, each, kind), Block(each, each, kind))
            for first, each in zip([before, *self.widths], self.widths, strict=False)
        )

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        x = x if self.stem is None else self.stem(x)
        features = [self.levels[0](x)]
        for level in self.levels[1:]:
            features.append(level(functional.max_pool2d(features[-1], 2)))
        return features


class MobileNetV2(nn.Module):
    """The encoder; its normalisations are frozen, which makes them part of the convolutions."""

    TAPS = (0, 2, 5, 12, 16)
    widths = (16, 24, 32, 96, 320)

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1), nn.ReLU6(inplace=True))
        blocks, before = [], 32
        for expansion, after, repeats, stride in (
            *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
            *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
        ):
            for number in range(repeats):
                inner = before * expansion
                widen = [nn.Conv2d(before, inner, 1), nn.ReLU6(inplace=True)]
                blocks.append(
                    nn.Sequential(
                        *(widen if expansion > 1 else []),
                        nn.Conv2d(inner, inner, 3, 1 if number else stride, 1, groups=inner),
                        nn.ReLU6(inplace=True),
                        nn.Conv2d(inner, after, 1),
                    )
                )
                before = after
        self.blocks = nn.ModuleList(blocks)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                # It comes of a frozen normalisation.
                layer.bias.requires_grad_(False)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        x, features = self.stem(x), []
        for number, block in enumerate(self.blocks):
            made = block(x)
            x = x + made if made.shape == x.shape else made
            if number in self.TAPS:
                features.append(x)
        return features


class HandWritten(nn.Module):
    """What `fewmask.models.spec.build` makes of a spec: a U-Net, or MobileNetV2 with a decoder."""

    def __init__(self, spec: Any) -> None:
        super().__init__()
        own = spec.name == "mobilenet_v2"
        middle, spread = ((127.5,), (127.5,)) if own else (spec.mean, spec.std)
        self.mean = torch.tensor(middle).reshape(1, -1, 1, 1)
        self.std = torch.tensor(spread).reshape(1, -1, 1, 1)
        self.encoder = MobileNetV2() if own else UNetEncoder(spec)
        decoder = PyramidDecoder if spec.decoder == "pyramid" else UNetDecoder
        _, kind = down_and_up(spec.normalization)
        self.decoder = decoder(self.encoder.widths, spec.width, spec.decoder_convs, kind)
        width = min(spec.width, 32) if spec.decoder == "pyramid" else spec.width
        stride = 2 if own else spec.stem_stride
        self.head = nn.ConvTranspose2d(width, 1, stride, stride)
        # Where channels lie side by side in memory, torch's convolutions take less time.
        self.to(memory_format=torch.channels_last)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.decoder(self.encoder((x - self.mean) / self.std)))

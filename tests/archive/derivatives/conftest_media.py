"""Pictures for the tests of derivatives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def picture(width: int = 640, height: int = 900, seed: int = 0) -> Image.Image:
    """A colour image with soft and sharp parts, the same every time."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    red = 127 + 120 * np.sin(x / 37 + seed)
    green = 255 * y / height
    blue = np.where((x // 40 + y // 60 + seed) % 2 > 0, 230, 20)
    return Image.fromarray(np.stack([red, green, blue], axis=2).clip(0, 255).astype(np.uint8))


def read(path: Path) -> Image.Image:
    """The image at `path`, decoded, its file closed."""
    with Image.open(path) as image:
        image.load()
        return image.copy()

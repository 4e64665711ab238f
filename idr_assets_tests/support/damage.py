"""Faults of the disk below the output: chunks that change after they were written."""

from pathlib import Path
from typing import Any

import pytest

from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.writing import store_planes
from idr_assets.imaging.planes import Block, Plane


def chunk_of(output: OutputImage, plane: Plane, array: str = "labels") -> Path:
    """Give the file that holds a plane's labels, or its pixels."""
    folder = f"{getattr(output, array).path}/"
    return Path(output.url, next(key for key in output.chunk_keys(plane) if key.startswith(folder)))


def flip_bit(file: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def damage_writes(patch: pytest.MonkeyPatch, plane: Plane, times: int) -> None:
    """Damage the labels of a plane right after they are written, so many times, for threads of this process."""
    left = [plane] * times

    def damaging(output: OutputImage, block: Block, *arrays: Any) -> None:  # noqa: ANN401  pixels and labels
        store_planes(output, block, *arrays)
        if plane in block.planes() and left:
            flip_bit(chunk_of(output, left.pop()))

    patch.setattr("idr_assets.imaging.segmentation.block_task.store_planes", damaging)

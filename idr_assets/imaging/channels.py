"""The channels of an image: how a person calls them, and in which colour they are shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

MOST_LETTERS = 20
"""Of a name in a figure, which has room for no more."""


@dataclass(frozen=True)
class Channel:
    """A channel of an image.

    Attributes
    ----------
    name : str or None
        Its name on one line, None where the image gives none.
    colour : str or None
        RGB as six hexadecimal digits in capitals, None where the image gives none.
    contrast : tuple of float or None
        The intensities that are shown black and white, None where the image gives none.

    """

    name: str | None = None
    colour: str | None = None
    contrast: tuple[float, float] | None = None


UNNAMED: Final[Mapping[int, Channel]] = MappingProxyType({})
"""The channels of an image that names none."""


def title_channel(index: int, channels: Mapping[int, Channel]) -> str:
    """Write a channel as the heading of a figure: its index, and its name, which may be shortened."""
    name = channels.get(index, Channel()).name
    return f"c {index}: {shorten(name)}" if name else f"channel {index}"


def shorten(name: str) -> str:
    """Cut a name to what a figure has room for."""
    return name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 1]}…"

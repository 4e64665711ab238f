"""What an image may be named."""

import re
from pathlib import Path


def image_name(folder: Path) -> str:
    """Return the name of the image in a folder; raise `ValueError` if asset keys cannot contain it."""
    if not re.fullmatch(r"\w+", folder.name, re.ASCII):
        message = (
            f"The folder {folder} names the image {folder.name!r}, but keys of assets and jobs take letters, digits "
            f"and _ only. Rename the folder, for example to {usable_name(folder.name)}."
        )
        raise ValueError(message)
    return folder.name


def check_name(name: str) -> str:
    """Return the name that a list gives an image; raise `ValueError` if asset keys cannot contain it."""
    if not re.fullmatch(r"\w+", name, re.ASCII):
        other = usable_name(name) or "image_1"
        message = f"`name` is {name!r}, but keys of assets take letters, digits and _ only; write for example {other}"
        raise ValueError(message)
    return name


def usable_name(text: str) -> str:
    """Replace the characters that the name of an image cannot have."""
    return re.sub(r"\W", "_", text, flags=re.ASCII)

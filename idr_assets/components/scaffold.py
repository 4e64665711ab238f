"""What `dg scaffold defs idr_assets.SegmentedImage NAME` writes, and what an image may be named."""

import re
import textwrap
from itertools import chain
from pathlib import Path
from typing import Any

import click
import dagster as dg
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from idr_assets.components.image_fields import ImageFields

LINE = 116
"""Longest comment, so that no line is wider than those of the code."""


def describe_fields(fields: type[BaseModel]) -> str:
    """Return the YAML of a new image: each field with its description as a comment and its first example."""
    described = [field for field in fields.model_fields.items() if field[1].examples]
    lines = chain.from_iterable(_describe(name, field) for name, field in described)
    return "\n".join(["type: idr_assets.SegmentedImage", "attributes:", *(f"  {line}" for line in lines), ""])


def _describe(name: str, field: FieldInfo) -> list[str]:
    comments = textwrap.wrap(f"{field.description}", LINE, break_long_words=False, break_on_hyphens=False)
    example = (field.examples or [None])[0]
    style: dict[str, Any] = {"default_flow_style": None, "sort_keys": False, "width": 1000}
    # With a second field, because YAML writes a single one as {name: value}.
    value: str = yaml.safe_dump({name: example, "end": {"of": [0]}}, **style)
    return [f"# {line}" for line in comments] + value.splitlines()[:-2]


class CommentedYaml(dg.Scaffolder):
    """Writes a YAML that loads without changes and explains each field."""

    def scaffold(self, request: dg.ScaffoldRequest) -> None:
        """Write `defs.yaml` into the new folder; remove a folder that cannot name an image."""
        try:
            image_name(request.target_path)
        except ValueError as error:
            request.target_path.rmdir()
            raise click.ClickException(str(error)) from error
        (request.target_path / "defs.yaml").write_text(describe_fields(ImageFields))


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

"""The text of a YAML: each field with its description as a comment."""

import textwrap
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Any, Final

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

LINE = 116
"""Longest comment, so that no line is wider than those of the code."""

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})

COMMENTED: Final = {
    "inputs": "{nuclei: 0, cytoplasm: 1}",
    "labels_for": "nuclei",
    "neighbours": "{z: 1}",
    "reference": "truth.ome.zarr",
    "license": "CC-BY-4.0",
    "citation": "10.1016/j.cell.2018.09.031",
    "group_by": "treatment",
    "montage_field": "0",
    "layout": "layout.csv",
}
"""Fields that few images have, with an example: they are written as comments."""

type Notes = Mapping[str, Sequence[str]]


def describe_fields(
    fields: type[BaseModel],
    values: Mapping[str, Any] = NOTHING,
    notes: Notes = NOTHING,
    component: str = "SegmentedImage",
    left_out: Collection[str] = (),
) -> str:
    """Return the YAML of a new image: each field with its description and notes as comments, and its value.

    A field that has no value gets its first example, unless it is `left_out`.
    """
    lines: list[str] = []
    for name, field in fields.model_fields.items():
        if name in values or (field.examples and name not in left_out):
            value = values.get(name, (field.examples or [None])[0])
            lines += _describe(name, field, value, notes.get(name, ()))
        elif name in COMMENTED and name not in left_out:
            lines += _comment(name, field)
    return "\n".join([f"type: idr_assets.{component}", "attributes:", *(f"  {line}" for line in lines), ""])


def _comment(name: str, field: FieldInfo) -> list[str]:
    return [f"# {line}" for line in [*_wrap(f"{field.description}"), f"{name}: {COMMENTED[name]}"]]


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, LINE, break_long_words=False, break_on_hyphens=False)


def _describe(name: str, field: FieldInfo, value: object, notes: Sequence[str]) -> list[str]:
    comments = chain.from_iterable(map(_wrap, (f"{field.description}", *notes)))
    style: dict[str, Any] = {"default_flow_style": None, "sort_keys": False, "width": 1000, "allow_unicode": True}
    # With a second field, because YAML writes a single one as {name: value}.
    written: str = yaml.safe_dump({name: value, "end": {"of": [0]}}, **style)
    nested = field.annotation.model_fields if name == "segmentation" and isinstance(field.annotation, type) else {}
    more = chain.from_iterable(_comment(part, of) for part, of in nested.items() if part in COMMENTED)
    return [*(f"# {line}" for line in comments), *written.splitlines()[:-2], *(f"  {line}" for line in more)]

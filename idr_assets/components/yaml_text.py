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
    described = [
        (name, field)
        for name, field in fields.model_fields.items()
        if name in values or (field.examples and name not in left_out)
    ]
    lines = chain.from_iterable(
        _describe(name, field, values.get(name, (field.examples or [None])[0]), notes.get(name, ()))
        for name, field in described
    )
    return "\n".join([f"type: idr_assets.{component}", "attributes:", *(f"  {line}" for line in lines), ""])


def _describe(name: str, field: FieldInfo, value: object, notes: Sequence[str]) -> list[str]:
    comments = chain.from_iterable(
        textwrap.wrap(text, LINE, break_long_words=False, break_on_hyphens=False)
        for text in (f"{field.description}", *notes)
    )
    style: dict[str, Any] = {"default_flow_style": None, "sort_keys": False, "width": 1000, "allow_unicode": True}
    # With a second field, because YAML writes a single one as {name: value}.
    written: str = yaml.safe_dump({name: value, "end": {"of": [0]}}, **style)
    return [f"# {line}" for line in comments] + written.splitlines()[:-2]

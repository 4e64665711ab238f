"""Coordinate transformations: the size of a step along each axis, and where the first pixel lies."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np

from idr_assets.imaging.store_text import quote, quote_all

NUMBERS = ("scale", "translation")
"""Transformations that have a number for each dimension, below a key of the same name."""

MOVING = {"mapAxis", "projectAxis", "affine", "rotation", "byDimension", "displacements", "coordinates"}
MOVING |= {"bijection", "inverseOf"}
"""Transformations of 0.6 after which an axis may no longer be the dimension of the array at its place."""


@dataclass(frozen=True)
class Step:
    """One transformation of a chain: its type and its numbers, which may be anything that a store writes."""

    kind: str
    numbers: Any

    def vector(self, dimensions: int) -> list[float] | None:
        """Return its numbers, one for each dimension; None where they are not such a list."""
        if not isinstance(self.numbers, list) or len(self.numbers) != dimensions:
            return None
        numbers = [_number(each) for each in self.numbers]
        return None if None in numbers else [each for each in numbers if each is not None]


def list_steps(listed: Any) -> Iterator[Step]:  # noqa: ANN401  any JSON
    """List the transformations of `coordinateTransformations` one after the other, those within sequences too."""
    for each in listed if isinstance(listed, list) else [] if listed is None else [listed]:
        transformation = each if isinstance(each, dict) else {"type": str(each)}
        inner = transformation.get("transformations")
        if transformation.get("type") == "sequence" and isinstance(inner, list):
            yield from list_steps(inner)
        else:
            kind = _kind(transformation)
            yield Step(kind, transformation.get(kind))


def place(url: str, chain: list[Step], dimensions: int, remarks: list[str]) -> tuple[list[float], list[float]] | None:
    """Chain transformations into a scale and a translation for each dimension; None if no scale is known.

    A transformation that is not understood costs the scale, a wrong translation only the place, which is then NaN. Both
    add a remark.
    """
    scale, translation, known = np.ones(dimensions), np.zeros(dimensions), False
    for step in chain:
        vector = step.vector(dimensions)
        if vector is None and step.kind != "identity":
            remarks.append(_explain_unused(url, step, dimensions))
        with np.errstate(over="ignore", invalid="ignore"):
            match step.kind:
                case "scale" if vector:
                    scale, translation, known = scale * vector, translation * vector, True
                case "translation":
                    translation = translation + (vector or nan)
                case "identity":
                    pass
                case _:
                    return None
    return (scale.tolist(), translation.tolist()) if known else None


def describe_no_size(url: str, axes: list[str]) -> str:
    """Say that the scale of a level is no size along some axes."""
    return (
        f"The scale of {url} is not finite and above 0 along {quote_all(axes)}: it is not used, and the size of a "
        "pixel there is not known."
    )


def _kind(transformation: dict[str, Any]) -> str:
    """Return the type of a transformation; where it is absent, the key of its numbers says it."""
    kind = transformation.get("type")
    return kind if isinstance(kind, str) and kind else next((it for it in NUMBERS if it in transformation), "")


def _number(value: Any) -> float | None:  # noqa: ANN401  any JSON
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _explain_unused(url: str, step: Step, dimensions: int) -> str:
    """Say what is not known because a transformation is wrong or unknown."""
    lost = "where its pixels lie is" if step.kind == "translation" else "the size of its pixels is"
    wrong = (
        f"{quote(step.numbers)}, not {dimensions} numbers" if step.kind in NUMBERS else "none that sizes are read from"
    )
    return f"The transformation {quote(step.kind)} of {url} is {wrong}: {lost} not known."

"""Measurements beside those of every table: intensities in other channels, and functions of a user's own."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from traceback import extract_tb
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.objects.measurements import COLUMNS, Columns, Part, measure_channels
from idr_assets.imaging.planes import LabelledPlane, Plane

if TYPE_CHECKING:
    from idr_assets.imaging.output.output_image import OutputImage  # zarr, which definitions do without

type Pixels = npt.NDArray[Any]


class MeasurementError(ImageError):
    """A function of a user's own does not measure the objects of a plane. The message names both, and the remedy."""


def measurement[F: Callable[..., Any]](function: F) -> F:
    """Declare that a function measures the objects of a plane.

    Parameters
    ----------
    function
        `(labels, pixels) -> columns`. `labels` is (y, x) int32, 0 for the background; labels may have gaps. `pixels`
        has the plane (y, x) of each measured channel, by the name that columns have: that of the channel, `c0` and so
        on without one. It returns arrays of numbers (objects,), in the order of the labels, by the names of columns.

    Returns
    -------
    Callable
        The function itself.
    """
    vars(function)["is_measurement"] = True
    return function


@dataclass(frozen=True)
class Measurement:
    """A function of a user's own, by the path in the YAML, and its version."""

    path: str
    function: Callable[..., Any]
    version: str


@dataclass(frozen=True)
class Measured:
    """What is measured of each object beside `COLUMNS`.

    Attributes
    ----------
    channels : tuple of int
        The channels whose intensities are measured.
    functions : tuple of Measurement
        Functions of a user's own.

    """

    channels: tuple[int, ...] = ()
    functions: tuple[Measurement, ...] = ()

    @property
    def version(self) -> list[Any]:
        """What a table is made from beside its planes; empty if nothing more is measured."""
        functions = [[it.path, it.version] for it in self.functions]
        return [[*self.channels], functions] if self.channels or functions else []

    def measure(
        self, output: "OutputImage", plane: LabelledPlane, channels: Mapping[int, str | None], part: Part | None = None
    ) -> Columns:
        """Measure a plane of the output, or a part of it; `channels` are the names of channels that have any.

        Raises
        ------
        ImageError
            If the pixels of a channel are not stored, or if a function does not measure the objects.

        """
        names = name_columns(self.channels or (plane.c,), channels)
        pixels = {names[c]: values for c, values in _read(output, plane, names, part)}
        columns = measure_channels(plane.labels, pixels if self.channels else {})
        labels = np.unique(plane.labels)
        for function in self.functions if labels[-1] else ():
            for name, values in _call(function, plane, pixels, len(labels[labels > 0])).items():
                if name in columns or name in {it.name for it in COLUMNS}:
                    raise _explain(function, plane, f"returned the column {name!r}, which the table has; rename it")
                columns[name] = values
        return columns


NOTHING_MORE = Measured()
"""Nothing beside the usual is measured."""


def name_columns(channels: Sequence[int], known: Mapping[int, str | None]) -> dict[int, str]:
    """Name channels for columns: by letters, digits and _ of their names, or by index where those are not unique."""
    names = {c: re.sub(r"\W+", "_", known.get(c) or "").strip("_") for c in channels}
    used = [*names.values()]
    return {c: name if name and used.count(name) == 1 else f"c{c}" for c, name in names.items()}


def describe_column(name: str) -> str:
    """Say what a column means that is not one of `COLUMNS`."""
    own = next((it for it in COLUMNS if it.name.startswith("intensity_") and name.startswith(f"{it.name}_")), None)
    return f"{own.meaning}, of channel {name.removeprefix(f'{own.name}_')}" if own else "by a function of the YAML"


def _read(
    output: "OutputImage", plane: LabelledPlane, names: Mapping[int, str], part: Part | None
) -> Iterator[tuple[int, Pixels]]:
    top, left = (part.top, part.left) if part else (0, 0)
    height, width = plane.labels.shape
    inside = slice(top, top + height), slice(left, left + width)
    for c in names:
        read = plane if c == plane.c else output.read(Plane(plane.t, c, plane.z), labels_of=plane.c, part=inside)
        if read is None:
            message = (
                f"The pixels of channel {c}, {names[c]!r}, of t {plane.t} z {plane.z} are not stored, so that its "
                "objects cannot be measured there: `measure` did not name this channel when the plane was made. Such "
                "planes are stale: `idr-assets resume <image> --stale` makes them again."
            )
            raise ImageError(message)
        yield c, read.pixels


def _call(function: Measurement, plane: LabelledPlane, pixels: Mapping[str, Pixels], objects: int) -> Columns:
    own = {name: values.astype(values.dtype.newbyteorder("=")) for name, values in pixels.items()}
    try:
        found = function.function(plane.labels.copy(), own)
    except (Exception, SystemExit) as error:
        own_file = getattr(getattr(function.function, "__code__", None), "co_filename", None)
        frames = extract_tb(error.__traceback__)
        at = next((it for it in reversed(frames) if it.filename == own_file), frames[-1])
        remedy = f"it gets {', '.join(own)}, and `measure` adds others" if isinstance(error, KeyError) else "correct it"
        raise _explain(function, plane, f"raised {error!r} ({at.filename}:{at.lineno}); {remedy}") from error
    if not isinstance(found, Mapping) or not all(isinstance(name, str) for name in found):
        problem = f"returned {type(found).__name__}; return a dict of arrays by the names of columns"
        raise _explain(function, plane, problem)
    return {name: _check(function, plane, name, values, objects) for name, values in found.items()}


def _check(function: Measurement, plane: LabelledPlane, name: str, values: object, objects: int) -> Pixels:
    column = np.asarray(values)
    if column.shape != (objects,) or column.dtype.kind not in "biuf":
        problem = (
            f"returned {column.dtype} of shape {column.shape} as {name!r} for {objects} objects; return one number "
            "for each label, in their order"
        )
        raise _explain(function, plane, problem)
    if not np.isfinite(column).all():
        problem = f"returned values of {name!r} that are not finite numbers; return a number for each object"
        raise _explain(function, plane, problem)
    return column.astype(np.float64)


def _explain(function: Measurement, plane: LabelledPlane, problem: str) -> MeasurementError:
    where = Plane(plane.t, plane.c, plane.z)
    return MeasurementError(f"{where}: {function.path} {problem}. No object of its table is measured.")

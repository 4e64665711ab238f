"""Networks in ONNX form: what goes in, and what comes out of planes of any size."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.counts import write_count
from idr_assets.imaging.segmentation.models.extras import import_extra
from idr_assets.imaging.segmentation.models.loading import ModelError

type Array = npt.NDArray[Any]
type Normalisation = Literal["percentiles", "range", "standard", "none"]

SIDES = 4
"""Dimensions of what a network takes: planes, channels, height and width."""


class Network:
    """A network, and where it computes.

    Attributes
    ----------
    device : str
        `CUDA` if ONNX Runtime has it here, otherwise `CPU`.

    """

    def __init__(self, weights: Path) -> None:
        """Load it from a file, or from the one in a folder."""
        runtime = import_extra("onnxruntime", "onnx")
        file = _find_file(weights)
        wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
        providers = [name for name in wanted if name in runtime.get_available_providers()]
        options = runtime.SessionOptions()
        options.intra_op_num_threads = count_threads()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # others read and write meanwhile
        self.name = file.name
        self._session = runtime.InferenceSession(str(file), options, providers=providers)
        self.device = self._session.get_providers()[0].removesuffix("ExecutionProvider")
        self._input, *more = self._session.get_inputs()
        if more or len(self._input.shape) != SIDES:
            shapes = [it.shape for it in self._session.get_inputs()]
            message = f"{self.name} takes {shapes}; a network of planes takes one input of (planes, channels, y, x)"
            raise ModelError(message)

    def __call__(self, planes: Array) -> Array:
        """Return what it makes of planes (n, channels, y, x): all outputs in one, those of one channel first."""
        last = self._has_channels_last(planes.shape[1])
        given = np.ascontiguousarray(np.moveaxis(planes, 1, 3) if last else planes)
        self._check(given.shape)
        found = self._session.run(None, {self._input.name: given})
        found = [np.moveaxis(it, 3, 1) if last else it for it in found if it.ndim == SIDES]
        if len({it.shape[2:] for it in found}) != 1:
            message = f"{self.name} returns {[it.shape for it in found]}, and not outputs of one height and width"
            raise ModelError(message)
        values = np.concatenate(sorted(found, key=lambda it: it.shape[1] > 1), axis=1)
        if not np.isfinite(values).all():
            message = (
                f"{self.name} returned NaN or infinity for {write_count(len(planes), 'plane')}, so no labels are made. "
                "Look at the pixels and at `normalisation`, and whether the weights are of a trained network."
            )
            raise ModelError(message)
        return values

    def size(self, channels: int) -> tuple[int, int] | None:
        """Return the height and width of all that it takes; None if it takes any."""
        height, width = self._input.shape[1:3] if self._has_channels_last(channels) else self._input.shape[2:]
        return (height, width) if isinstance(height, int) and isinstance(width, int) else None

    def _has_channels_last(self, channels: int) -> bool:
        """Return whether its dimensions are (planes, y, x, channels)."""
        return bool(self._input.shape[1] != channels == self._input.shape[3])

    def _check(self, shape: tuple[int, ...]) -> None:
        pairs = zip(self._input.shape[1:], shape[1:], strict=True)
        if any(isinstance(wanted, int) and wanted != given for wanted, given in pairs):
            message = (
                f"{self.name} takes {self._input.shape}, not {list(shape)}. Give it as many channels by `inputs`, or "
                "zeros for some by `channels`; or it is the network of another function."
            )
            raise ModelError(message)


def _find_file(weights: Path) -> Path:
    files = list(weights.glob("*.onnx")) if weights.is_dir() else [weights]
    if len(files) != 1:
        message = (
            f"the folder {weights} has {write_count(len(files), 'network')} whose name ends in .onnx, not one, so no "
            "planes are labelled. Put one there, or name its file by `weights`."
        )
        raise ModelError(message)
    return files[0]


def count_threads() -> int:
    """Return how many threads a network may use: those of its worker, whose other processes use theirs; 0 for all."""
    from distributed import get_worker  # noqa: PLC0415  for a run only

    try:
        return int(get_worker().state.nthreads)
    except ValueError:
        return 0


def normalise(plane: Array, how: Normalisation, percentiles: tuple[float, float]) -> npt.NDArray[np.float32]:
    """Scale the intensities (y, x) of one plane; an even plane becomes 0."""
    values = plane.astype(np.float32)
    if how == "none":
        return values
    if how == "standard":
        low, high = values.mean(), values.mean() + values.std()
    else:
        low, high = np.percentile(values, percentiles if how == "percentiles" else (0, 100)).astype(np.float32)
    return scale(values, low, high)


def scale(values: npt.NDArray[np.float32], low: np.float32, high: np.float32) -> npt.NDArray[np.float32]:
    """Let intensities become 0 and 1."""
    return (values - low) / max(high - low, np.float32(1e-20))

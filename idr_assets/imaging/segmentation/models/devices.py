"""Devices of models that fail, such as a GPU that vanishes while a run goes on."""

import re
from contextlib import suppress

from idr_assets.imaging.errors import ImageError

LOST = re.compile(r"cuda|cudnn|cublas|\bhip\b|rocm|\bgpu\b|device.{0,40}(lost|removed|unavailable)", re.IGNORECASE)
"""What errors of torch, TensorFlow and ONNX Runtime say when a GPU fails."""


class DeviceLostError(ImageError):
    """The device of a model failed; `worker` is the address of the dask worker that has it, if it is one."""

    def __init__(self, name: str, device: str, error: Exception) -> None:
        """Take the function's name, the device, and what was raised."""
        self.worker = _find_worker()
        place = f", of the worker {self.worker}" if self.worker else ""
        super().__init__(
            f"{name} lost its device, {device}{place} ({error!r}), so it has no labels. Look at the GPU by "
            "`nvidia-smi`, start the worker again, and materialize these planes again."
        )


def is_lost(error: Exception, weights: object = "") -> bool:
    """Return whether an error says that a device failed, beside the path of `weights`, which may name one."""
    return bool(LOST.search(f"{type(error).__name__}: {error}".replace(str(weights) or "\0", "")))


def _find_worker() -> str:
    from distributed import get_worker  # noqa: PLC0415  definitions do without

    with suppress(ValueError):  # no worker, but a script or a command
        return get_worker().address
    return ""

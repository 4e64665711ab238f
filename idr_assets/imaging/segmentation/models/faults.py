"""What errors of a model mean: memory that ran out, or a GPU that fails."""

import re

from idr_assets.imaging.segmentation.models.devices import DeviceLostError, is_lost
from idr_assets.imaging.segmentation.models.loading import Loaded, ModelError, forget_model

NO_MEMORY = re.compile(
    r"out of memory|\bOOM\b|failed to allocate memory|bad[_ ]alloc|ALLOC_FAILED|ResourceExhausted", re.IGNORECASE
)
"""What errors of torch, TensorFlow and ONNX Runtime say when memory runs out."""


def explain_fault(error: Exception, loaded: Loaded, planes: int) -> None:
    """Note that memory ran out for so many planes; raise what else went wrong, with the remedy."""
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, MemoryError) or NO_MEMORY.search(text):
        if planes > 1:
            loaded.most = min(loaded.most, max(1, planes // 2))
            return
        message = (
            f"{loaded.name} ran out of memory on {loaded.device} with one plane ({error!r}), so it has no labels. Give "
            "the workers more memory, or fewer threads, or choose a smaller level."
        )
        raise ModelError(message) from error
    if is_lost(error):
        forget_model(loaded)
        raise DeviceLostError(loaded.name, loaded.device, error) from error
    raise error
